"""Signatures of documents as flat arrays, and as the Arrow table that keeps them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.exact import DIGEST_BYTES
from dedup.scheme import Scheme, require_same, scheme_of

UNSIGNED = np.uint32(0xFFFFFFFF)
"""What the numbers of a document without a signature are."""


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """What deduplication knows of some documents, in their order.

    ``ids`` is an Arrow array of strings. ``digests`` (documents, 16) holds bytes. ``values``
    (documents, permutations) holds the signatures; where ``signed`` is false the document has
    fewer words than a shingle, no signature, and can only be an exact duplicate.
    """

    scheme: Scheme
    ids: pa.Array
    digests: NDArray[np.uint8]
    signed: NDArray[np.bool_]
    values: NDArray[np.uint32]

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.signed)

    def to_table(self) -> pa.Table:
        """Return the Arrow table, with the scheme in the metadata of its schema."""
        digests = pa.py_buffer(np.ascontiguousarray(self.digests))
        values = pa.array(np.ascontiguousarray(self.values).reshape(-1))
        return pa.Table.from_arrays(
            [
                self.ids,
                pa.FixedSizeBinaryArray.from_buffers(
                    pa.binary(DIGEST_BYTES), len(self), [None, digests]
                ),
                pa.array(self.signed),
                pa.FixedSizeListArray.from_arrays(values, self.scheme.permutations),
            ],
            schema=_schema(self.scheme),
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> "Signatures":
        """Read what `to_table` gave, whole or in slices.

        Raises SchemeMismatch for a table that names no known scheme, ValueError for one whose
        columns are others.
        """
        scheme = scheme_of(table.schema.metadata)
        if not table.schema.equals(_schema(scheme)):
            raise ValueError(f"not the columns of signatures:\n{table.schema.to_string()}")
        table = table.combine_chunks()
        ids, digests, signed, values = (_whole(column) for column in table.columns)
        return cls(
            scheme=scheme,
            ids=ids,
            digests=_bytes(digests),
            signed=signed.to_numpy(zero_copy_only=False),
            values=values.flatten().to_numpy().reshape(-1, scheme.permutations),
        )


def concatenate(parts: Iterable[Signatures]) -> Signatures:
    """Return parts in their order as one; raise SchemeMismatch unless they share a scheme.

    Raises ValueError if there are no parts.
    """
    found = list(parts)
    if not found:
        raise ValueError("no parts of signatures")
    for part in found:
        require_same(found[0].scheme, part.scheme)
    return Signatures(
        scheme=found[0].scheme,
        ids=pa.concat_arrays([part.ids for part in found]),
        digests=np.concatenate([part.digests for part in found]),
        signed=np.concatenate([part.signed for part in found]),
        values=np.concatenate([part.values for part in found]),
    )


def _schema(scheme: Scheme) -> pa.Schema:
    """Return the schema of a table of signatures."""
    numbers = pa.list_(pa.field("item", pa.uint32(), nullable=False), scheme.permutations)
    return pa.schema(
        [
            pa.field("id", pa.large_string(), nullable=False),
            pa.field("digest", pa.binary(DIGEST_BYTES), nullable=False),
            pa.field("signed", pa.bool_(), nullable=False),
            pa.field("signature", numbers, nullable=False),
        ],
        metadata=scheme.metadata(),
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column that has at most one chunk as an array."""
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _bytes(digests: pa.FixedSizeBinaryArray) -> NDArray[np.uint8]:
    """Return an Arrow array of digests as rows of bytes."""
    if not len(digests):
        return np.empty((0, DIGEST_BYTES), np.uint8)
    rows = np.frombuffer(digests.buffers()[1], np.uint8).reshape(-1, DIGEST_BYTES)
    return rows[digests.offset : digests.offset + len(digests)]
