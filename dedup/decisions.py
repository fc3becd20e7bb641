"""Decisions: which documents are duplicates, of what, and how sure that is."""

import json
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.bands import Bands
from dedup.scheme import Scheme

Keep: TypeAlias = Literal["first", "last"]
"""Which document of a cluster stays, in the order given."""

SURVIVOR, EXACT, NEAR = 0, 1, 2
"""The values of `Decisions.kind`."""

NONE = -1
"""The position of no document."""

METADATA_KEY = b"dedup.decisions"


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """One decision a document, in the documents' order; positions count from 0.

    ``kind`` is `SURVIVOR`, `EXACT` (equal digests) or `NEAR` (a band in common). ``matched`` is
    the position of the document it was found to duplicate, -1 for a survivor; ``kept`` that of
    the survivor it leads to from match to match, its own for a survivor: one value a cluster.
    ``similarity`` estimates the Jaccard similarity with the match from the signatures: 1 for an
    exact duplicate, NaN for a survivor. ``signed`` is false for a document without a signature,
    which was compared by its digest alone.
    """

    scheme: Scheme
    bands: Bands
    keep: Keep
    ids: pa.Array
    signed: NDArray[np.bool_]
    kind: NDArray[np.uint8]
    matched: NDArray[np.int64]
    kept: NDArray[np.int64]
    similarity: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.kind)

    def counts(self) -> dict[str, int]:
        """Return how many documents there are, of each kind, and without a signature."""
        survivors, exact, near = np.bincount(self.kind, minlength=3).tolist()
        return {
            "documents": len(self),
            "survivors": survivors,
            "exact": exact,
            "near": near,
            "unsigned": int(np.count_nonzero(~self.signed)),
        }

    def to_table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """Return decisions as an Arrow table, all or those from ``start`` up to ``stop``.

        Columns: id; duplicate; kind ("exact", "near", null for a survivor); matched and kept
        (document ids; matched is null for a survivor); similarity (null for a survivor).
        """
        part = slice(start, len(self) if stop is None else stop)
        kind = self.kind[part]
        return decision_table(
            decision_schema(self.scheme, self.bands, self.keep),
            self.ids[part],
            kind,
            self.ids.take(pa.array(self.matched[part], mask=kind == SURVIVOR)),
            self.ids.take(pa.array(self.kept[part])),
            self.similarity[part],
        )


def decision_table(
    schema: pa.Schema,
    ids: pa.Array,
    kind: NDArray[np.uint8],
    matched: pa.Array,
    kept: pa.Array,
    similarity: NDArray[np.float32],
) -> pa.Table:
    """Return decisions as an Arrow table, from the ids of documents, matches and kept ones."""
    survives = kind == SURVIVOR
    named = pa.DictionaryArray.from_arrays(
        pa.array(kind.astype(np.int8) - 1, mask=survives), pa.array(["exact", "near"])
    )
    columns = [
        ids,
        pa.array(~survives),
        named.cast(pa.string()),
        matched,
        kept,
        pa.array(similarity, mask=survives),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def decision_schema(scheme: Scheme, bands: Bands, keep: Keep) -> pa.Schema:
    """Return the schema of a table of decisions, which names what they were made by."""
    rule = {"bands": bands.bands, "rows": bands.rows, "keep": keep}
    encoded = json.dumps(rule, sort_keys=True).encode("ascii")
    return pa.schema(
        [
            pa.field("id", pa.large_string(), nullable=False),
            pa.field("duplicate", pa.bool_(), nullable=False),
            pa.field("kind", pa.string()),
            pa.field("matched", pa.large_string()),
            pa.field("kept", pa.large_string(), nullable=False),
            pa.field("similarity", pa.float32()),
        ],
        metadata={**scheme.metadata(), METADATA_KEY: encoded},
    )
