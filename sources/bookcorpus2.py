"""BookCorpus2: books by authors who publish themselves, as the user's own EPUBs and texts.

Raw format: ``.epub``, or ``.txt`` in UTF-8, one book a file; texts may lie in an archive of them. The
Pile's came from free books of Smashwords, whose terms forbid passing them on, so nothing is
downloaded.

Published extraction: ``epub2txt-all --ftfy --plain-text``, see `sources.formats.epub`: the spine's
pages, then all other HTML of the archive, as Markdown without links and images; ftfy; no more than
one blank line in a row. Front matter, tables of contents and licences stay. A text is kept as it is.

Traps: a text often begins with blank lines or a space, where the cover was. A book with a page that is
not UTF-8 gave none. A page that the spine leaves out comes last, or in front if its name says cover.

``fidelity = "corrected"`` reads pages in the charset they state, leaves out what is not in the spine,
and strips the ends.

Known differences: html2text is the Pile's 2020.1.16 in behaviour; ftfy is the one installed, which
differs from the Pile's 5.8 on none of the books compared. The package file is read as XML, where the
original searched it for patterns, so a package with prefixes on its names keeps its order here; an
entry of the spine without a file is passed over, where the original gave up.

Place in a file: none for an EPUB; an archive's member. The id is ``bookcorpus2/NAME``, the file's
name without its suffix.
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
    return books.read("bookcorpus2", path, raw, options)


SOURCE = Source(
    name="bookcorpus2",
    pile_set_name=PILE_SET_NAMES["bookcorpus2"],
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
        "Put EPUBs and UTF-8 texts that you may use where you like, and name them in this source's table (files = [...])."
        f" {books.OPEN_BOOKS}"
    ),
)
