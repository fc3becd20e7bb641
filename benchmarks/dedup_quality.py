"""Is it right, for `benchmarks/dedup.py`: published decisions, recall, and precision of checked pairs."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.dedup_corpus import head
from dedup import reference
from dedup.bands import Bands
from dedup.clusters import decide
from dedup.components import Similarity, by_shingles, by_signature, cluster_spilled
from dedup.decisions import SURVIVOR
from dedup.external import Workspace, decide_spilled
from dedup.minhash import sign
from dedup.scheme import PUBLISHED, Scheme
from dedup.signatures import Signatures
from dedup.spill import Part, Spill

BANDS = {10: Bands(3, 3), 128: Bands(32, 4)}
SIMILARITIES = (0.5, 0.7, 0.8, 0.9)
CHECKED = 0.5
"""The least similarity of checked pairs; an estimate of it may be 0.05 too high."""


def measure_published(source: Path, folder: Path, documents: int) -> dict[str, Any]:
    """Count signatures and decisions that are not datasketch's."""
    few = folder / "published.parquet"
    head(source, few, 2_000_000)
    texts = pq.read_table(few)["text"]
    differing = 0
    for name in PUBLISHED:
        scheme = Scheme(name, "whitespace")
        signed = sign(map(str, range(len(texts))), texts, scheme)
        for row, text in enumerate(texts.to_pylist()):
            expected = reference.minhash(text, scheme)
            if expected is not None:
                differing += int((signed.values[row] != expected.hashvalues).any())
    values = np.random.default_rng(3).integers(0, 40, (documents, 10)).astype(np.uint32)
    made = synthetic(values)
    sketches = [reference.from_values(row, made.scheme) for row in values]
    bands = BANDS[10]
    for keep, rule in (("first", reference.keep_first), ("last", reference.keep_last)):
        expected = np.array(rule(sketches, bands))
        decided = decide([made], bands, keep)  # type: ignore[arg-type]
        differing += int(np.count_nonzero((decided.kind != SURVIVOR) != expected))
        with tempfile.TemporaryDirectory(dir=folder) as name:
            spill = Spill(made.scheme, bands, keep, (Part(Path(name) / "part", len(made)),))  # type: ignore[arg-type]
            spill.write(0, made)
            gone = np.zeros(len(made), np.bool_)
            gone[decide_spilled(spill, Workspace(Path(name))).positions] = True
        differing += int(np.count_nonzero(gone != expected))
    return {
        "published_mismatches": differing,
        "published_documents": len(texts) * 2 + documents * 2,
    }


def measure_recall(pairs: int) -> dict[str, Any]:
    """Compare how many planted pairs share a band with the theoretical S-curve."""
    found: dict[str, Any] = {}
    for family in ("fast", "datasketch-legacy"):
        for similarity in SIMILARITIES:
            shared = round(200 * similarity / (1 + similarity))
            texts = [text for pair in range(pairs) for text in planted(pair, shared)]
            scheme = Scheme(family, "whitespace", 1, 10)
            values = sign(map(str, range(len(texts))), texts, scheme).values
            same = np.zeros(pairs, np.bool_)
            for band in BANDS[10].split(values):
                same |= (band[::2] == band[1::2]).all(axis=1)
            expected = BANDS[10].match_probability(shared / (200 - shared))
            found[f"recall_{family}_{similarity}"] = float(same.mean())
            found[f"recall_expected_{similarity}"] = expected
            error = abs(float(same.mean()) - expected)
            found["recall_error_max"] = max(error, found.get("recall_error_max", 0.0))
    return found


def planted(pair: int, shared: int) -> list[str]:
    """Return two texts of 100 words each, of which so many are in both."""
    common = [f"{pair}c{number}" for number in range(shared)]
    own = ([f"{pair}{side}{number}" for number in range(100 - shared)] for side in "ab")
    return [" ".join(common + rest) for rest in own]


def measure_precision(pairs: int, folder: Path) -> dict[str, Any]:
    """Check planted pairs of any similarity; say how many of those that pass are similar indeed.

    By true shingles what passes is at least as similar as asked; by signature, to within 0.05.
    """
    shared = np.random.default_rng(4).integers(30, 96, pairs)
    texts = [text for pair in range(pairs) for text in planted(pair, int(shared[pair]))]
    scheme = Scheme("fast", "whitespace", 1, 128)
    signed = sign(map(str, range(len(texts))), texts, scheme)
    found: dict[str, Any] = {}

    def passed(name: str, similarity: Similarity, least: float) -> None:
        gone = cluster_spilled(
            spill, Workspace(folder), lambda positions: positions, similarity, CHECKED
        )
        true = shared[gone.positions // 2] / (200 - shared[gone.positions // 2])
        meant = (gone.positions % 2 == 1) & (gone.kept == gone.positions - 1) & (true >= least)
        found[f"precision_{name}"] = float(meant.mean())
        similar = shared / (200 - shared) >= CHECKED + 0.05
        found[f"recall_{name}"] = float(
            np.isin(2 * np.flatnonzero(similar) + 1, gone.positions).mean()
        )

    with tempfile.TemporaryDirectory(dir=folder) as name:
        spill = Spill(scheme, BANDS[128], "first", (Part(Path(name) / "part", len(signed)),))
        spill.write(0, signed)
        passed("signature", by_signature(spill), CHECKED - 0.05)
        passed("shingles", by_shingles(lambda at: [texts[one] for one in at], scheme), CHECKED)
    return found


def synthetic(values: np.ndarray[Any, Any], first: int = 0) -> Signatures:
    """Return signatures of documents that differ in text."""
    count = len(values)
    numbers = np.arange(first, first + count, dtype=np.uint64)[:, None] * np.ones(2, np.uint64)
    digests = (numbers * np.uint64(0x9E3779B97F4A7C15)).view(np.uint8)
    ids = pa.array([f"made/{number}" for number in range(first, first + count)], pa.large_string())
    signed = np.ones(count, np.bool_)
    return Signatures(Scheme(permutations=values.shape[1]), ids, digests, signed, values)
