"""Near: documents that are like one that is held out, by the signatures of deduplication.

`known` takes the signatures of what is held out from all sources, `near` compares every document with
them: what shares a band with one, and agrees in at least the share of numbers that is the threshold of
``[dedup]`` (less its margin, as signatures are estimates), leaves the training split.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.alike import Known, known, like_any
from dedup.bands import Bands
from dedup.scheme import Scheme
from dedup.signatures import Signatures
from pile import ledger, store
from pile.compared import bands_of, scheme_of
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.mixing import arrays
from pile.parts import part_of
from pile.stages import hold_out, sign, survivors
from pile.stages.stage import Inputs, Stage
from pile.stages.survivors import ROW_BITS, Part
from sources.source import Json

VERSION = 1
KNOWN, NEAR = "near_known", "near"

DOCUMENTS = "documents.npy"
"""The places, among all documents, of those that are like one held out; sorted."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What makes documents alike: the scheme of signatures, its bands, how many numbers must agree."""

    scheme: Scheme
    bands: Bands
    least: float


def stages(
    config: Config, kept: Mapping[str, Stage], signed: Mapping[str, Stage], held: Stage
) -> list[Stage]:
    """Return the stages in order, with those that sign sources not signed yet; empty if not wanted."""
    if not config.mix.near_duplicates:
        return []
    more = {
        name: sign.stage(config.dedup, name, stage)
        for name, stage in kept.items()
        if name not in signed
    }
    every = {**signed, **more}
    alike = Alike(
        scheme_of(config.dedup),
        bands_of(config.dedup),
        config.dedup.threshold - config.dedup.margin,
    )
    found = _known(config, every, kept, held)
    return [*more.values(), found, _near(config, alike, every, kept, found)]


def _known(
    config: Config, signed: Mapping[str, Stage], kept: Mapping[str, Stage], held: Stage
) -> Stage:
    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        documents = inputs[held.name].folder / hold_out.DOCUMENTS
        return [
            Task(KNOWN, part.task, take, {"folder": folder, **given, "documents": documents})
            for part, given in _given(config, inputs)
        ]

    return Stage(KNOWN, VERSION, {}, (held, *signed.values(), *kept.values()), tasks)


def _near(
    config: Config,
    alike: Alike,
    signed: Mapping[str, Stage],
    kept: Mapping[str, Stage],
    found: Stage,
) -> Stage:
    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        paths = tuple(path for path, _ in inputs[KNOWN].parts())
        shared = {"folder": folder, "known_paths": paths, "alike": alike}
        return [
            Task(NEAR, part.task, compare, {**given, **shared})
            for part, given in _given(config, inputs)
        ]

    def finish(folder: Path, receipts: Sequence[Receipt]) -> Sequence[ledger.Part]:
        # Parts go by number, and so do the places of their documents.
        ordered = sorted(receipts, key=lambda receipt: int(str(receipt.figures["part"])))
        paths = [folder / receipt.parts[0].name for receipt in ordered]
        count = sum(int(str(receipt.figures["near"])) for receipt in ordered)
        arrays.publish(folder / DOCUMENTS, "<u8", count, map(arrays.load, paths))
        return [part_of(folder, folder / DOCUMENTS, {})]

    settings: dict[str, Json] = {
        "bands": [alike.bands.bands, alike.bands.rows],
        "least_similarity": alike.least,
    }
    inputs = (found, *signed.values(), *kept.values())
    return Stage(NEAR, VERSION, settings, inputs, tasks, finish=finish)


def _given(config: Config, inputs: Inputs) -> Iterator[tuple[Part, dict[str, object]]]:
    for part in survivors.parts(config, inputs):
        signed = inputs[f"sign.{part.source}"].folder / f"{part.path.stem}.parquet"
        yield part, {"part": part, "signed": signed}


def take(folder: Path, part: Part, signed: Path, documents: Path) -> Receipt:
    """Publish the signatures of one part's documents that are held out, if any are."""
    found = arrays.load(documents)
    first = part.number << ROW_BITS
    low, high = np.searchsorted(found, np.array([first, first + (1 << ROW_BITS)], np.uint64))
    rows = np.unique(found[low:high] & np.uint64((1 << ROW_BITS) - 1)).astype(np.int64)
    counts = {"not_held_out": part.rows - len(rows)} if len(rows) < part.rows else {}
    if not len(rows):
        return Receipt(part.task, (), part.rows, 0, counts)
    path = folder / f"{part.task}.parquet"
    with store.publish(path) as attempt:
        pq.write_table(pq.read_table(signed).take(pa.array(rows)), attempt, compression="zstd")
    made = part_of(folder, path, {"rows": len(rows)})
    return Receipt(part.task, (made,), part.rows, len(rows), counts)


def compare(
    folder: Path, part: Part, signed: Path, known_paths: tuple[Path, ...], alike: Alike
) -> Receipt:
    """Publish the places of one part's documents that are like one held out."""
    signatures = Signatures.from_table(pq.read_table(signed))
    rows = np.flatnonzero(like_any(signatures, _load(known_paths, alike), alike.least))
    path = folder / f"{part.task}.npy"
    places = rows.astype(np.uint64) + np.uint64(part.number << ROW_BITS)
    arrays.publish(path, "<u8", len(rows), [places])
    return Receipt(
        part.task,
        (part_of(folder, path, {}),),
        part.rows,
        part.rows,
        figures={"part": part.number, "near": len(rows)},
    )


@lru_cache(maxsize=1)
def _load(paths: tuple[Path, ...], alike: Alike) -> Known:
    """Load what is held out once a process."""
    found = [Signatures.from_table(pq.read_table(path)) for path in paths]
    return known(found, alike.scheme, alike.bands)
