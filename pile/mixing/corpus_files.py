"""A corpus file as it is written, a bucket at a time, with its provenance beside it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pile import corpus, store
from pile.mixing.targets import Target

GROUP = 1 << 16
"""Rows of a row group of provenance, at most."""

_TOGETHER = 1024
"""Texts that are Python objects at a time."""


@dataclass(frozen=True, slots=True)
class Run:
    """A scattered part and the source it comes from."""

    source: str
    path: Path


class CorpusFile:
    """A corpus file and its provenance table, begun with its first document."""

    def __init__(self, folder: Path, target: Target, stack: ExitStack) -> None:
        self._folder, self._target, self._stack = folder, target, stack
        self._open: tuple[corpus.LineWriter, pq.ParquetWriter] | None = None
        self.paths: tuple[Path, ...] = ()

    def add(
        self,
        rows: pa.Table,
        order: NDArray[np.int64],
        runs: Sequence[Run],
        names: Mapping[str, str],
    ) -> None:
        """Add some documents in that order."""
        lines, provenance = self._open or self._begin()
        provenance.write_table(_provenance(rows, order, runs, names), row_group_size=GROUP)
        called = [names[run.source] for run in runs]
        texts, run = rows.column("text"), rows.column("run").to_numpy()
        for start in range(0, len(order), _TOGETHER):
            some = order[start : start + _TOGETHER]
            pairs = zip(texts.take(pa.array(some)).to_pylist(), run[some].tolist(), strict=True)
            lines.extend(corpus.Line(text, called[number]) for text, number in pairs)

    def _begin(self) -> tuple[corpus.LineWriter, pq.ParquetWriter]:
        split, number = self._target.split, self._target.number
        enter = self._stack.enter_context
        names = (corpus.file_name(split, number), corpus.provenance_name(split, number))
        self.paths = tuple(self._folder / name for name in names)
        lines, provenance = (enter(store.publish(path)) for path in self.paths)
        self._open = (
            enter(corpus.LineWriter(lines)),
            enter(pq.ParquetWriter(provenance, corpus.PROVENANCE, compression="zstd")),
        )
        return self._open


def order_of(rows: pa.Table) -> NDArray[np.int64]:
    """Return the order of rows by key; equal keys go by id, source, copy and origin."""
    keys = rows.column("key").to_numpy()
    order = np.argsort(keys, kind="stable")
    if (np.diff(keys[order]) == 0).any():
        ties = [(name, "ascending") for name in ("key", "id", "run", "epoch", "origin", "digest")]
        order = pa.compute.sort_indices(rows, ties).to_numpy()
    return order.astype(np.int64)


def _provenance(
    rows: pa.Table, order: NDArray[np.int64], runs: Sequence[Run], names: Mapping[str, str]
) -> pa.Table:
    of, places = rows.column("run").to_numpy()[order], pa.array(order)
    columns = {
        "source": pa.array([run.source for run in runs], pa.string()).take(pa.array(of)),
        "pile_set_name": pa.array([names[run.source] for run in runs], pa.string()).take(
            pa.array(of)
        ),
        **{name: rows.column(name).take(places) for name in ("id", "origin", "licence", "epoch")},
    }
    schema = corpus.PROVENANCE
    return pa.table([columns[name] for name in schema.names], schema=schema)
