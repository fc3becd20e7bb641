"""Sign: digest and MinHash signature of every document of a source, part by part."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq

from dedup.minhash import sign
from dedup.scheme import Scheme
from dedup.signatures import Signatures, concatenate
from pile import documents, store
from pile.config import Dedup
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 1


def stage(settings: Dedup, source: str, extracted: Stage) -> Stage:
    """Return the stage that signs a source's documents."""
    scheme = scheme_of(settings)

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        return [
            Task(
                f"sign.{source}",
                path.stem,
                sign_part,
                {"folder": folder, "part": path, "scheme": scheme},
                part["size"],
            )
            for path, part in inputs[extracted.name].parts("documents/")
        ]

    named: dict[str, Json] = {"scheme": asdict(scheme)}
    return Stage(f"sign.{source}", VERSION, named, (extracted,), tasks)


def scheme_of(settings: Dedup) -> Scheme:
    """Return the scheme of signatures that ``[dedup]`` asks for."""
    return Scheme(
        name=settings.scheme,
        words=settings.words,
        n=settings.ngram,
        permutations=settings.permutations,
        seed=settings.seed,
        digest=settings.digest,
    )


def sign_part(folder: Path, part: Path, scheme: Scheme) -> Receipt:
    """Sign the documents of one part, in their order."""
    found: list[Signatures] = [
        sign(batch.column("id"), batch.column("text"), scheme)
        for batch in documents.batches(part, ["id", "text"])
    ]
    table = concatenate(found).to_table()
    path = folder / f"{part.stem}.parquet"
    with store.publish(path) as attempt:
        pq.write_table(table, attempt, compression="zstd")
    rows = documents.rows(part)
    return Receipt(part.stem, (part_of(folder, path, {"rows": rows}),), rows, table.num_rows)
