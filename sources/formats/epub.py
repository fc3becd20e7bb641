r"""EPUB books as text, the way ``epub2txt-all`` made it for the Pile's two collections of books.

An EPUB is a zip: ``META-INF/container.xml`` names the package file, whose manifest gives files ids
and whose spine their order. `published` puts the HTML files in the spine's order, then all others
that the archive holds, covers and titles first; writes each as Markdown (`html_markdown`); repairs
the whole with ftfy; takes images for a space and links for their text; and leaves at most one blank
line in a row. `corrected` takes the spine alone, in whatever charset its files are, and strips the
ends.

Where the original's patterns took time that grows with the square of a line's length, what they do
is done here in one pass.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

import ftfy
from lxml import etree

from sources.archives import members
from sources.formats.html_markdown import MarkupError, markdown
from sources.formats.xml_records import text_of, tree
from sources.source import UnreadableFile

MAX_BOOK = 32 << 20
"""Bytes of HTML of one book; the longest honest ones have less than half of that."""

CONTAINER = "META-INF/container.xml"

FIRST = (
    ("cover",),
    ("title",),
    ("copyright",),
    ("toc", "table.?of", "contents"),
    ("frontmatter", "acknowledge"),
    ("intro", "forward"),
)
"""Words in names of files outside the spine that come first, in this order."""

LAST = ("index", "outro", "epilogue")
"""Words in names of files that come behind all other HTML."""

_HTML_NAMES = ("[.]htm[l]?$",)
_NOT_IN_WORDS = re.compile(r"[^a-zA-Z_\-/.]")
_DIGITS = re.compile(r"(\d+)")
_DECLARED = re.compile(rb"""^[^>]{0,200}?encoding=["']([A-Za-z0-9._-]+)["']""")

_CODE = re.compile(r"[ ]{4,}(?![*]\s|[0-9]+[.]\s)\S")
_IMAGE, _NUMBERED, _LINK = map(re.compile, (r"!\s*\[", r"\[[0-9]+(?=\]\()", r"!?\["))
_ESCAPED_DOT = re.compile(r"(?<=[0-9])\\[.] ")
_WHITE = "\r\t "
_BEFORE_HEADING = re.compile(r"\n([^\n]+)\n#")


class BookError(Exception):
    """A book that gives no text; ``reason`` says of what kind the trouble is."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not_an_epub": "a zip without a package file, or with one that is no XML",
        "encrypted": "a book of which a file is encrypted",
        "not_utf8": "a file that is not UTF-8, as published; in no charset that it states, corrected",
        "too_large": f"a book of more than {MAX_BOOK >> 20} MiB",
        "broken_markup": "a file with HTML that is broken, large or nested out of bounds",
        "empty": "a book without text",
    }
)
"""Every reason of a `BookError`."""


@dataclass(frozen=True, slots=True)
class Book:
    """What a book's archive holds: the names of all its files, and what is needed of them.

    ``package`` is the name of the package file; ``spine`` has the names that it refers to, in order
    of reading, without repeats.
    """

    names: Sequence[str]
    files: Mapping[str, bytes]
    package: str
    spine: Sequence[str]
    title: str
    creators: tuple[str, ...]
    rights: str


def open_book(path: Path, name: str) -> Book:
    """Read a book's archive; raises `BookError`, and `UnreadableFile` if it is cut or damaged."""
    names, files = _contents(path)
    try:
        container = tree(files[CONTAINER], f"{name}:{CONTAINER}")
        (package, *_) = container.iter("{*}rootfile")
        package_name = package.get("full-path", "")
        opf = tree(files[package_name], f"{name}:{package_name}")
    except (KeyError, ValueError, UnreadableFile) as error:
        raise BookError("not_an_epub", f"{name}: {error}") from error
    hrefs = {item.get("id"): item.get("href", "") for item in opf.iterfind("{*}manifest/{*}item")}
    ordered = in_order(names)
    wanted = (hrefs.get(ref.get("idref")) for ref in opf.iterfind("{*}spine/{*}itemref"))
    found = (_member(href, ordered) for href in wanted if href)
    return Book(
        names=ordered,
        files=files,
        package=package_name,
        spine=tuple(dict.fromkeys(filter(None, found))),
        title=_first(opf, "title"),
        creators=tuple(text_of(creator) for creator in opf.iterfind("{*}metadata/{*}creator")),
        rights=_first(opf, "rights"),
    )


def _contents(path: Path) -> tuple[list[str], dict[str, bytes]]:
    names: list[str] = []
    files: dict[str, bytes] = {}
    room = MAX_BOOK
    for member, stream in members(path):
        if member.problem == "encrypted":
            raise BookError("encrypted", member.name)
        if member.problem:
            continue
        names.append(member.name)
        if is_html(member.name) or member.name.endswith((".opf", "container.xml")):
            files[member.name] = stream.read(room + 1)
            room -= len(files[member.name])
            if room < 0:
                raise BookError("too_large", member.name)
    return names, files


def _first(opf: etree._Element, name: str) -> str:
    element = opf.find(f"{{*}}metadata/{{*}}{name}")
    return "" if element is None else text_of(element)


def is_html(name: str) -> bool:
    """Tell by its end whether a name is one of HTML; also ``.xhtml``."""
    return name.endswith(("htm", "html"))


def in_order(names: Iterable[str]) -> list[str]:
    """Return names, once each, as files outside the spine come: by what they are, then naturally."""
    left = sorted(dict.fromkeys(names), key=_natural)
    buckets = []
    for patterns in (*FIRST, LAST, _HTML_NAMES):
        matching = (name for pattern in patterns for name in left if _is_named(pattern, name))
        buckets.append(list(dict.fromkeys(matching)))
        left = [name for name in left if name not in set(buckets[-1])]
    *front, last, chapters = buckets
    return [*(name for bucket in front for name in bucket), *chapters, *last, *left]


def _is_named(pattern: str, name: str) -> bool:
    return re.search(pattern, _NOT_IN_WORDS.sub("", name)) is not None


def _natural(name: str) -> list[str | int]:
    """Return a key that sorts numbers within names by their value, as natsort does."""
    parts = _DIGITS.split(unicodedata.normalize("NFD", name))
    return [int(part[:4000]) if place % 2 else part for place, part in enumerate(parts)]


def _member(href: str, names: Iterable[str]) -> str | None:
    href = unquote(href.split("#", 1)[0])
    return next((name for name in names if name == href or name.endswith("/" + href)), None)


def published(book: Book) -> str:
    """Return a book's text as the original made it; raises `BookError`."""
    _utf8(book.package, book.files[book.package])
    others = (name for name in book.names if name not in set(book.spine))
    order = [name for name in (*book.spine, *others) if is_html(name)]
    pages = (_utf8(name, book.files[name]) for name in order if name != "META-INF/nav.xhtml")
    return _as_text(pages)


def corrected(book: Book) -> str:
    """Return the text of a book's spine; raises `BookError`."""
    return _as_text(pages(book)).strip()


def pages(book: Book) -> Iterator[str]:
    """Yield the HTML of a book's spine, in order; raises `BookError`."""
    return (_decoded(name, book.files[name]) for name in book.spine if is_html(name))


def _utf8(name: str, page: bytes) -> str:
    try:
        return page.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BookError("not_utf8", f"{name}: {error}") from error


def _decoded(name: str, page: bytes) -> str:
    """Decode a file by its byte order mark, else as it states, else as UTF-8."""
    declared = _DECLARED.match(page)
    charset = declared[1].decode("ascii") if declared else "utf-8"
    if page.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    try:
        return page.decode(charset).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        raise BookError("not_utf8", f"{name}: {error}") from error


def _as_text(pages: Iterable[str]) -> str:
    try:
        text = "".join(map(markdown, pages))
    except MarkupError as error:
        raise BookError("broken_markup", str(error)) from error
    text = _repaired(text.replace("\n\n| \n\n", " | "))
    text = text.replace(" …", "...").replace("…", "...")
    text = "\n".join(_without_runs_of_blanks([_plain(line) for line in text.split("\n")]))
    text = _BEFORE_HEADING.sub(r"\n\1\n\n#", text)
    if not text.strip():
        raise BookError("empty", "no text comes out of it")
    return text


def _repaired(text: str) -> str:
    """Return what ``ftfy.fix_text`` makes of a text; on lines of plain ASCII it has nothing to do.

    As there, entities count as text from the first line with a "<" on.
    """
    config = ftfy.TextFixerConfig(explain=False)
    repaired = []
    for line in text.split("\n"):
        if "<" in line:
            config = config._replace(unescape_html=False)
        plain = line.isascii() and line.isprintable() and "&" not in line
        repaired.append(line if plain else ftfy.fix_text(line + "\n", config).removesuffix("\n"))
    return "\n".join(repaired)


def _plain(line: str) -> str:
    """Return a line of Markdown without images and links, unless it is code."""
    if _CODE.match(line):
        return line
    if "[" in line:
        line = _replaced(line, _IMAGE, lambda _: " ")
        line = _replaced(line, _NUMBERED, lambda _: "")
        line = _replaced(line, _LINK, lambda label: label)
    return _ESCAPED_DOT.sub(". ", line) if "\\" in line else line


def _replaced(line: str, opening: re.Pattern[str], become: Callable[[str], str]) -> str:
    """Replace each ``[label](target)`` that begins with ``opening``, the shortest that there are."""
    return "".join(_pieces(line, opening, become))


def _pieces(line: str, opening: re.Pattern[str], become: Callable[[str], str]) -> Iterator[str]:
    place = 0
    while (begins := opening.search(line, place)) is not None:
        middle = line.find("](", begins.end())
        end = line.find(")", middle + 2)
        if middle < 0 or end < 0:
            break
        yield line[place : begins.start()]
        yield become(line[begins.end() : middle])
        place = end + 1
    yield line[place:]


def _without_runs_of_blanks(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines with one blank line at most between any two; the last one stays as it is."""
    before = 0
    for place in range(1, len(lines)):
        if place < len(lines) - 1 and not lines[place].strip(_WHITE):
            continue
        if place - before > 1:
            yield lines[before].rstrip(_WHITE)
            yield ""
        else:
            yield lines[before]
        before = place
    yield lines[before]
