"""Books3: books, as the user's own EPUBs and texts.

Raw format: ``.epub``, or ``.txt`` in UTF-8, one book a file; texts may lie in an archive of them. The
Pile's books came from a collection without permission of their authors and have been withdrawn. No
lawful copy exists, so nothing is downloaded and nothing is linked to; a recipe without this source,
or with open books in its place, is the thing to build.

Published extraction, traps, ``fidelity = "corrected"`` and known differences are those of
`sources.bookcorpus2`: the same program made both. The Pile's paper gives no further detail, and no
step of cleaning or deduplication is known.

Place in a file: none for an EPUB; an archive's member. The id is ``books3/NAME``, the file's name
without its suffix.
"""

from collections.abc import Iterator
from pathlib import Path

from sources.formats import books
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Options,
    RawFile,
    Rejected,
    Source,
    nothing_to_download,
)


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every book of a file; see the module."""
    return books.read("books3", path, raw, options)


SOURCE = Source(
    name="books3",
    pile_set_name=PILE_SET_NAMES["books3"],
    licence=books.LICENCE,
    access="local",
    version=1,
    libraries=("ftfy",),
    read=read,
    plan=nothing_to_download,
    reasons=dict(books.REASONS),
    defaults={"fidelity": "published"},
    homepage="https://arxiv.org/abs/2101.00027",
    manual=(
        "The original has been withdrawn and has no lawful source. Put EPUBs and UTF-8 texts that you"
        " may use where you like, and name them in this source's table (files = [...]), or leave it out."
        f" {books.OPEN_BOOKS}"
    ),
)
