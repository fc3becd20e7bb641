"""The documents that go into the mix: all sources' parts, and which of their rows are no duplicates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pile.config import Config
from pile.stages.stage import Inputs, documents_of

ROW_BITS = 32
"""A document's place among all is the number of its part, and in the lower bits its row."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a source's documents: its number among all, its size, and the decisions about it."""

    number: int
    source: str
    path: Path
    bytes: int
    rows: int
    text_bytes: int
    decisions: Path | None

    @property
    def task(self) -> str:
        """What tasks over this part are called."""
        return f"{self.source}/{self.path.stem}"

    def stays(self) -> NDArray[np.bool_]:
        """Say of every row whether it goes into the mix; raises ValueError for another's decisions."""
        if self.decisions is None:
            return np.ones(self.rows, np.bool_)
        found = pq.read_table(self.decisions, columns=["duplicate"]).column(0).to_numpy()
        if len(found) != self.rows:
            raise ValueError(
                f"{self.decisions} decides about {len(found)} documents, its part has {self.rows}"
            )
        stays: NDArray[np.bool_] = ~found.astype(np.bool_)
        return stays


def parts(config: Config, inputs: Inputs) -> list[Part]:
    """Return the parts of all sources, in order of the sources' names and then of their own."""
    return [
        Part(
            number,
            source,
            path,
            entry["size"],
            entry["counts"]["rows"],
            entry["counts"]["text_bytes"],
            decisions / f"{path.stem}.parquet" if decisions else None,
        )
        for number, (source, path, entry, decisions) in enumerate(_listed(config, inputs))
    ]


def _listed(
    config: Config, inputs: Inputs
) -> Iterator[tuple[str, Path, Mapping[str, Any], Path | None]]:
    for table in config.enabled:
        made = documents_of(inputs, table.name)
        decided = inputs.get(f"dedup.{table.name}")
        for path, entry in made.parts("documents/") if made else ():
            yield table.name, path, entry, decided.folder if decided else None
