"""Sign: digest and MinHash signature of every document of a source, part by part."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.exact import digests
from dedup.minhash import sign, warm
from dedup.scheme import Scheme
from dedup.signatures import UNSIGNED, Signatures, concatenate
from pile import documents, store
from pile.compared import scheme_of
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.settings import Dedup
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 2

KERNELS_FROM = 8 << 20
"""Bytes of a part from which compiled kernels are worth their start; the signatures are the same."""


def stage(settings: Dedup, source: str, extracted: Stage) -> Stage:
    """Return the stage that signs a source's documents, or, to find equal ones, only digests them."""
    scheme = scheme_of(settings)
    function = sign_part if settings.method == "minhash" else digest_part

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        return [
            Task(
                f"sign.{source}",
                path.stem,
                function,
                {"folder": folder, "part": path, "scheme": scheme},
                part["size"],
            )
            for path, part in inputs[extracted.name].parts("documents/")
        ]

    named: dict[str, Json] = {"method": settings.method, "scheme": asdict(scheme)}
    return Stage(f"sign.{source}", VERSION, named, (extracted,), tasks)


def sign_part(folder: Path, part: Path, scheme: Scheme) -> Receipt:
    """Sign the documents of one part, in their order."""
    if part.stat().st_size > KERNELS_FROM:
        warm()
    return _publish(folder, part, lambda ids, texts: sign(ids, texts, scheme))


def digest_part(folder: Path, part: Path, scheme: Scheme) -> Receipt:
    """Digest the documents of one part, in their order; none of them gets a signature."""

    def digested(ids: pa.Array, texts: pa.Array) -> Signatures:
        shape = (len(ids), scheme.permutations)
        return Signatures(
            scheme,
            ids.cast(pa.large_string()),
            digests(texts.to_pylist(), scheme.digest),
            np.zeros(len(ids), np.bool_),
            np.full(shape, UNSIGNED, np.uint32),
        )

    return _publish(folder, part, digested)


def _publish(
    folder: Path, part: Path, signed: Callable[[pa.Array, pa.Array], Signatures]
) -> Receipt:
    found = [
        signed(batch.column("id"), batch.column("text"))
        for batch in documents.batches(part, ["id", "text"])
    ]
    table = concatenate(found).to_table()
    path = folder / f"{part.stem}.parquet"
    with store.publish(path) as attempt:
        pq.write_table(table, attempt, compression="zstd")
    rows = documents.rows(part)
    return Receipt(part.stem, (part_of(folder, path, {"rows": rows}),), rows, table.num_rows)
