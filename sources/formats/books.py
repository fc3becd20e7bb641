"""What the Pile's two collections of books share: EPUBs and plain texts from the user's own folder.

A file is one book, or an archive of texts. Both collections were made by one converter, and neither
was ever cleaned.
"""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from sources.formats import creative_commons, epub
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files, is_archive
from sources.source import Document, Json, Options, RawFile, Rejected, UnreadableFile, excerpt

LICENCE = "unknown: what the user's own copy comes under"
EPUB, TEXT = ".epub", ".txt"

REASONS = MappingProxyType(
    {
        **epub.REASONS,
        "unreadable_member": UNREADABLE,
        "not_a_book": "a file that is neither .epub nor .txt",
        "packed_epub": "an EPUB within an archive; unpack it",
    }
)

OPEN_BOOKS = (
    "Open substitutes: common-pile/pre_1929_books, common-pile/library_of_congress,"
    " common-pile/biodiversity_heritage_library, common-pile/doab and"
    " common-pile/project_gutenberg at huggingface.co."
)

FIDELITIES = MappingProxyType({"published": epub.published, "corrected": epub.corrected})


def read(source: str, path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every book of a file.

    Ids are the source's name and the book's file name without its suffix. Raises `UnreadableFile`
    for a file that is cut, and ValueError for an unknown fidelity.
    """
    fidelity = str(options["fidelity"])
    if fidelity not in FIDELITIES:
        raise ValueError(f"fidelity is {fidelity!r}, not one of {', '.join(FIDELITIES)}")
    if raw.name.endswith(EPUB):
        yield _epub(source, path, raw, fidelity)
        return
    taken = Uses()
    for file, stream in files(path, raw):
        outcome = _reason(file) or _text(file, stream)
        if isinstance(outcome, Rejected):
            yield outcome
            continue
        text = outcome if fidelity == "published" else outcome.removeprefix("\ufeff").strip()
        identifier = numbered(f"{source}/{file.name.removesuffix(TEXT)}", taken)
        yield Document(identifier, text, file.origin, LICENCE)


def _reason(file: PackedFile) -> Rejected | None:
    """Return why a file is not even opened, if so."""
    if file.problem:
        return Rejected(file.origin, "unreadable_member", file.problem)
    if file.name.endswith(EPUB):
        return Rejected(file.origin, "packed_epub")
    if not file.name.endswith(TEXT):
        return Rejected(file.origin, "not_a_book", excerpt(file.name))
    return None


def _text(file: PackedFile, stream: BinaryIO) -> str | Rejected:
    content = stream.read(epub.MAX_BOOK + 1)
    if len(content) > epub.MAX_BOOK:
        return Rejected(file.origin, "too_large")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Rejected(file.origin, "not_utf8", excerpt(str(error)))
    return text if text.strip() else Rejected(file.origin, "empty")


def _epub(source: str, path: Path, raw: RawFile, fidelity: str) -> Document | Rejected:
    if not is_archive(path):
        raise UnreadableFile(f"{raw.name}: byte 0: no zip archive, so no EPUB; get it again")
    try:
        book = epub.open_book(path, raw.name)
        text = FIDELITIES[fidelity](book)
    except epub.BookError as error:
        return Rejected(raw.name, error.reason, excerpt(str(error)))
    meta: dict[str, Json] = {"title": book.title, "creators": list(book.creators)}
    return Document(
        id=f"{source}/{raw.name.removesuffix(EPUB)}",
        text=text,
        origin=raw.name,
        licence=creative_commons.identifier(book.rights) or book.rights[:200] or LICENCE,
        meta={name: value for name, value in meta.items() if value},
    )
