r"""OpenSubtitles: film subtitles of OPUS, each sentence in quotes, a film in one line.

Raw format: OPUS's untokenised corpus, one zip a language with
``OpenSubtitles/raw/en/YEAR/IMDB/ID.xml``; or such files by themselves, also compressed. A file is a
``document`` of sentences ``s``, in which lines of text stand between ``time`` elements; behind them
may come a ``meta`` block. A film has many versions, near duplicates all.

Published extraction: of each ``s`` all text, without its line feeds and tabs; then white space, then
dashes, then slashes are stripped from its ends and quotes put round it; all joined by spaces. The
traps are in the text: lines of a sentence are glued ("roomof"), or parted by the indentation of
what stands between them, "- Hello." becomes ``" Hello."``, and a sentence without words ``""``.

``fidelity = "corrected"`` parts lines by one space, strips dashes, slashes and spaces in any order,
and leaves out sentences without words. The layout is the same.

The tokenised corpus (``xml/en``, with ``w`` elements) is not what the Pile read. Published, its words
are glued; corrected, they are parted by spaces, punctuation too.

Known differences: the published reader took XML with errors, which is rejected here, and made an
empty document of a file without sentences.

Place in a file: the zip's member; none in a subtitle by itself. An id is ``opensubtitles/ID``, the
subtitle's number at opensubtitles.org, with ``/rN`` at its Nth occurrence in one file.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from lxml import etree

from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.formats.xml_records import text_of, tree
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Json,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
    nothing_to_download,
)

LICENCE = "unclear: subtitles derive from films; OPUS asks to link to opensubtitles.org"
MANUAL = (
    "Download the raw (untokenised) English OpenSubtitles of OPUS yourself, from"
    " https://opus.nlpl.eu/OpenSubtitles, where its terms stand; the Pile used v2018. Put the zip where you like, and name it in this source's table (files = [...]). Films' dialogue has no open substitute; nearest come"
    " transcripts under CC-BY, as in common-pile/youtube."
)
MAX_SUBTITLE = 8 << 20
"""Bytes of one subtitle; the longest honest ones have 2 MiB."""

_PLACE = re.compile(r"(?:^|/)(\d{1,4})/(\d{1,9})/[^/]*$")
_TEXT = re.compile(rb">[^<]+(?=<)")
_LINE_ENDS = str.maketrans("", "", "\n\t")
_ASCII_SPACE = " \n\t\f\r"


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every subtitle of a file; see the module."""
    sentence = by_fidelity(options, FIDELITIES)
    taken = Uses()
    for file, stream in files(path, raw):
        if file.problem:
            yield Rejected(file.origin, "unreadable_member", file.problem)
        elif not file.name.endswith(".xml"):
            yield Rejected(file.origin, "not_a_subtitle", excerpt(file.name))
        else:
            xml = stream.read(MAX_SUBTITLE + 1)
            yield _outcome(file, xml, sentence, taken)


def _outcome(
    file: PackedFile, xml: bytes, sentence: Callable[[etree._Element], str], taken: Uses
) -> Document | Rejected:
    if len(xml) > MAX_SUBTITLE:
        return Rejected(file.origin, "too_large", excerpt(file.name))
    try:
        root = tree(_with_returns(xml), file.origin)
    except UnreadableFile as error:
        if not file.packed:
            raise
        return Rejected(file.origin, "malformed", excerpt(str(error)))
    if root.tag != "document":
        return Rejected(file.origin, "not_a_subtitle", excerpt(str(root.tag)))
    sentences = [text for text in map(sentence, root.iter("s")) if text]
    if not sentences:
        return Rejected(file.origin, "no_sentences")
    return Document(
        id=numbered(f"opensubtitles/{PurePosixPath(file.name).stem}", taken),
        text=" ".join(sentences),
        origin=file.origin,
        licence=LICENCE,
        meta=_meta(file.name),
    )


def _with_returns(xml: bytes) -> bytes:
    """Write CR in text as references: XML would take them for line feeds, the Pile kept them."""
    if b"\r" not in xml:
        return xml
    start = max(xml.find(b"<document"), 0)
    content = _TEXT.sub(lambda text: text[0].replace(b"\r", b"&#13;"), xml[start:])
    return xml[:start] + content


def _published(sentence: etree._Element) -> str:
    nodes = (_text_node(str(text)) for text in sentence.itertext())
    text = "".join(nodes).translate(_LINE_ENDS)
    return f'"{text.strip().strip("-").strip("/")}"'


def _text_node(text: str) -> str:
    """Return a text node as Beautiful Soup keeps it: of nothing but white space, little."""
    if text.strip(_ASCII_SPACE):
        return text
    return "\n" if "\n" in text else " "


def _corrected(sentence: etree._Element) -> str:
    text = text_of(sentence).strip("-/ ")
    return f'"{text}"' if text else ""


FIDELITIES = {"published": _published, "corrected": _corrected}


def _meta(name: str) -> dict[str, Json]:
    """Return what the folders say: the film's year, and its number at IMDb."""
    place = _PLACE.search(name)
    return {"year": int(place[1]), "imdb": int(place[2])} if place else {}


SOURCE = Source(
    name="opensubtitles",
    pile_set_name=PILE_SET_NAMES["opensubtitles"],
    licence=LICENCE,
    access="local",
    version=1,
    read=read,
    plan=nothing_to_download,
    reasons={
        "unreadable_member": UNREADABLE,
        "not_a_subtitle": "a file of another kind, by its name or its root element",
        "too_large": f"more than {MAX_SUBTITLE >> 20} MiB",
        "malformed": "XML that is cut or not well-formed",
        "no_sentences": "no sentence, or none with words in it",
    },
    defaults={"fidelity": "published"},
    homepage="https://opus.nlpl.eu/OpenSubtitles",
    manual=MANUAL,
)
