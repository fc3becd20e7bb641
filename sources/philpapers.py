"""PhilPapers: open-access papers of philosophy, from the user's PDFs or texts of them.

Raw format: ``KEY.pdf``, or ``KEY.txt`` in UTF-8 with what a program took from one; by themselves or in
an archive. The key is a work's at philarchive.org. Nothing is downloaded: PhilArchive keeps robots
out, its robots.txt says ``ai-train=no``, and its terms forbid bulk queries.

Published extraction: PDFBox 2.0.21 took the text; of more than 1,000 characters, stripped, it went
through `sources.formats.pdf_filter`. Any language.

Traps: PDFBox leaves few blank lines, so most papers are one long line. References, headers and
footers stay in it, tables partly. Scans without a text layer give nothing.

``fidelity = "corrected"`` keeps accents that fonts put beside their letters, and hyphens that belong.

Known differences: PDFs are read by PDFium, whose words and their order differ from PDFBox's; for text
that PDFBox took, the outcome is the published one. Metadata came from the archive's OAI records and
works without one were dropped; here there is none, and no language is told.

Place in a file: the archive's member; none for a file by itself. The id is ``philpapers/KEY``, with
``/rN`` at its Nth occurrence in one archive.
"""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import BinaryIO

from sources.formats import pdf_filter
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.formats.pdf_text import REASONS, PdfError, Pdfs
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
    nothing_to_download,
)

LICENCE = "its authors' choice: open access, mostly without a licence to pass it on"
MANUAL = (
    "Put PDFs (or their texts as .txt) that you may use where you like, and name them in this source's table (files = [...]),"
    " named by their keys. Open substitutes: common-pile/doab, common-pile/peS2o and"
    " common-pile/arxiv_papers at huggingface.co."
)
MAX_FILE = 160 << 20
"""Bytes of one PDF; scans of books reach 128 MiB."""

MAX_TEXT = 16 << 20
"""Bytes of one text, characters of a PDF's; the longest books have a tenth of that."""

MIN_TEXT = 1000
"""Characters of text, stripped, that a paper must have more of."""

FIDELITIES = MappingProxyType(
    {"published": pdf_filter.published, "corrected": pdf_filter.corrected}
)


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every paper of a file; see the module."""
    chosen = by_fidelity(options, FIDELITIES)
    taken = Uses()
    with Pdfs() as pdfs:
        for file, stream in files(path, raw):
            if file.problem:
                yield Rejected(file.origin, "unreadable_member", file.problem)
            elif not file.name.endswith((".pdf", ".txt")):
                yield Rejected(file.origin, "not_a_paper", excerpt(file.name))
            else:
                text = _text_or_rejected(file, stream, pdfs)
                yield text if isinstance(text, Rejected) else _outcome(file, text, chosen, taken)


def _text_or_rejected(file: PackedFile, stream: BinaryIO, pdfs: Pdfs) -> str | Rejected:
    try:
        if file.name.endswith(".pdf"):
            return pdfs.text(stream, MAX_FILE, MAX_TEXT)
        content = stream.read(MAX_TEXT + 1)
        return _text(content) if len(content) <= MAX_TEXT else Rejected(file.origin, "too_large")
    except PdfError as error:
        if error.reason == "unreadable_pdf" and not file.packed:
            raise UnreadableFile(f"{file.origin}: {error}; get it again") from error
        return Rejected(file.origin, error.reason, excerpt(str(error)))
    except UnicodeDecodeError as error:
        return Rejected(file.origin, "not_utf8", excerpt(str(error)))


def _outcome(
    file: PackedFile, text: str, clean: Callable[[str], str], taken: Uses
) -> Document | Rejected:
    if len(text.strip()) <= MIN_TEXT:
        return Rejected(file.origin, "too_short", excerpt(text))
    cleaned = clean(text)
    if not cleaned:
        return Rejected(file.origin, "no_paragraphs", excerpt(text))
    key = PurePosixPath(file.name).stem
    return Document(numbered(f"philpapers/{key}", taken), cleaned, file.origin, LICENCE)


def _text(content: bytes) -> str:
    """Return a text with its line ends as newlines; raises UnicodeDecodeError."""
    return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


SOURCE = Source(
    name="philpapers",
    pile_set_name=PILE_SET_NAMES["philpapers"],
    licence=LICENCE,
    access="local",
    version=1,
    libraries=("pypdfium2",),
    read=read,
    plan=nothing_to_download,
    reasons={
        "unreadable_member": UNREADABLE,
        "not_a_paper": "a file that is neither .pdf nor .txt",
        "too_large": f"a PDF of more than {MAX_FILE >> 20} MiB, or a text of more than {MAX_TEXT >> 20} MiB",
        **REASONS,
        "not_utf8": "a text that is not UTF-8",
        "too_short": f"no more than {MIN_TEXT:,} characters of text; so are scans",
        "no_paragraphs": "no paragraph that is words for the greater part",
    },
    defaults={"fidelity": "published"},
    homepage="https://philarchive.org",
    manual=MANUAL,
)
