"""EuroParl: proceedings of the European Parliament 1996-2011, a sitting or an agenda item a document.

Raw format: ``europarl.tgz`` of Europarl v7 (https://www.statmt.org/europarl/, 1.5 GB) with
``txt/LANGUAGE/ep-YY-MM-DD[-NNN].txt`` in 21 languages; or such files by themselves, also compressed.
UTF-8, a paragraph or sentence a line, between lines of mark-up: ``<CHAPTER ID=1>``, ``<P>``,
``<BRK>``, ``<SPEAKER ID=2 LANGUAGE="NL" NAME="Pronk">`` (no closing tags).

Published extraction: all languages. A file that is not UTF-8 (``pl/ep-09-10-22-009.txt``) or has
fewer than 200 characters is skipped. Of the lines that begin with ``<`` and end with ``>``, a speaker
becomes their name, and mark-up of other kinds goes. All else stays as it is.

Traps: a line counts as mark-up only if ``>`` is its very last character, and then all of it does, so
that text between two tags of one line is lost; tags elsewhere, also behind a space, stay in the text.

``fidelity = "corrected"`` finds those five tags wherever they stand, keeps text beside them, and
drops lines that are empty without them.

Known differences: mark-up that the published reader did not know, or a speaker without a name, ended
its run; here such a file is rejected (``corrected`` keeps an unknown tag as text).

``languages`` takes only some folders, ``("en",)`` say; empty takes all. Place in a file: the archive's
member; none in a file by itself. An id is ``europarl/LANGUAGE/STEM``, with ``/rN`` at its Nth
occurrence in one file. The language is the name of the folder.
"""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.option_checks import each, one_of
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    by_fidelity,
    excerpt,
)

URL = "https://www.statmt.org/europarl/v7/europarl.tgz"
LICENCE = "European Parliament: reproduction authorised if the source is acknowledged"
LANGUAGES = tuple("bg cs da de el en es et fi fr hu it lt lv nl pl pt ro sk sl sv".split())  # noqa: SIM905
"""The folders of the archive."""

SHORTEST = 200
"""Characters of a raw file, mark-up included, below which it holds no debate."""
LONGEST = 8 << 20
"""Bytes of one raw file; the longest honest ones have 1 MiB."""

DROPPED = frozenset({"P", "/P", "BRK", "CHAPTER"})

_PLAIN_SPEAKER = re.compile(r'<SPEAKER ID=\w+(?: LANGUAGE="\w*")? NAME="([^"&<>]*)">')
_TAG = re.compile(r"[ \t]*<(?:/?P|BRK|CHAPTER\b[^<>]*|SPEAKER\b[^<>]*)>[ \t]*")


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the one archive of release v7; no checksum is published."""
    del options, get
    yield RawFile(URL, "europarl.tgz")


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every file of an archive, or the one file; see the module."""
    text_of = by_fidelity(options, FIDELITIES)
    languages = _languages(options)
    taken = Uses()
    for file, stream in files(path, raw):
        name = PurePosixPath(file.name)
        reason = _unread(file, name, languages)
        if reason:
            yield Rejected(file.origin, reason, excerpt(file.problem or file.name))
            continue
        try:
            text = text_of(_marked_up(stream.read(LONGEST + 1)))
        except _Unusable as unusable:
            yield Rejected(file.origin, unusable.reason, excerpt(unusable.shown))
        else:
            yield _document(file.origin, name, text, taken)


def _languages(options: Options) -> frozenset[str]:
    languages = options["languages"]
    if not isinstance(languages, tuple):
        raise TypeError(f"languages is {languages!r}, not a list of folder names")
    return frozenset(map(str, languages))


def _unread(file: PackedFile, name: PurePosixPath, languages: frozenset[str]) -> str:
    """Return why a file is rejected without a look into it; nothing if it is not."""
    if file.problem:
        return "unreadable_member"
    if name.suffix != ".txt":
        return "not_proceedings"
    return "other_language" if languages and name.parent.name not in languages else ""


class _Unusable(Exception):  # noqa: N818 - says what the file is
    """A file that gives no document: the reason, and what to show of it."""

    def __init__(self, reason: str, shown: str = "") -> None:
        super().__init__(reason, shown)
        self.reason = reason
        self.shown = shown


def _marked_up(content: bytes) -> str:
    """Return a raw file's characters, with line feeds for line ends of any kind."""
    if len(content) > LONGEST:
        raise _Unusable("too_large")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Unusable("not_utf8", str(error)) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) < SHORTEST:
        raise _Unusable("too_short", text)
    return text


def _document(origin: str, name: PurePosixPath, text: str, taken: Uses) -> Document:
    language = name.parent.name
    return Document(
        id=numbered(str(PurePosixPath("europarl", language, name.stem)), taken),
        text=text,
        origin=origin,
        licence=LICENCE,
        meta={"language": language or None},
    )


def _published(marked_up: str) -> str:
    kept: list[str] = []
    for line in marked_up.split("\n"):
        if not (line.startswith("<") and line.endswith(">")):
            kept.append(line)
        elif (speaker := _published_tag(line)) is not None:
            kept.append(speaker)
    return "\n".join(kept)


def _published_tag(line: str) -> str | None:
    """Return the speaker that a line of mark-up names, or None if it has nothing to say."""
    tag = line.strip(">").strip("<")
    kind = next(iter(tag.split()), "")
    if not tag or kind in DROPPED:
        return None
    speaker = _speaker(line) if kind == "SPEAKER" else None
    if speaker is None:
        raise _Unusable("unknown_markup", line)
    return speaker


def _corrected(marked_up: str) -> str:
    kept: list[str] = []
    for line in marked_up.split("\n"):
        if "<" not in line:
            kept.append(line)
        else:
            kept.extend(part for part in _TAG.sub(_in_line, line).split("\n") if part)
    text = "\n".join(kept)
    if not text.strip():
        raise _Unusable("no_text", marked_up)
    return text


def _in_line(tag: re.Match[str]) -> str:
    """Return what stands for a tag: a break, or a line with the speaker's name."""
    speaker = _speaker(tag[0].strip()) if "<SPEAKER" in tag[0] else None
    return f"\n{speaker}\n" if speaker else "\n"


def _speaker(line: str) -> str | None:
    plain = _PLAIN_SPEAKER.fullmatch(line)
    return plain[1] if plain else _SpeakerTag().name_in(line)


class _SpeakerTag(HTMLParser):
    """The name in the first SPEAKER tag of a line, by the rules of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, str | None] | None = None

    def name_in(self, line: str) -> str | None:
        self.feed(line)
        self.close()
        if self._first is None or "name" not in self._first:
            return None
        return self._first["name"] or ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "speaker" and self._first is None:
            self._first = dict(attrs)


FIDELITIES = {"published": _published, "corrected": _corrected}


SOURCE = Source(
    name="europarl",
    pile_set_name=PILE_SET_NAMES["europarl"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unreadable_member": UNREADABLE,
        "not_proceedings": "a file of another kind: its name does not end in .txt",
        "other_language": "a language that the option `languages` leaves out",
        "too_large": f"more than {LONGEST >> 20} MiB",
        "not_utf8": "bytes that are no UTF-8",
        "too_short": f"fewer than {SHORTEST} characters, mark-up included",
        "no_text": "nothing but mark-up (`corrected` alone; the published document is empty)",
        "unknown_markup": "a line of mark-up of another kind, or a speaker without a name",
    },
    defaults={"fidelity": "published", "languages": ()},
    checks={"languages": each(one_of(*LANGUAGES))},
    homepage="https://www.statmt.org/europarl/",
    raw_bytes=1_500_000_000,
    # No limit is stated: a guess, for a server known to be slow.
    paces={"www.statmt.org": Pace(1.0, 1)},
)
