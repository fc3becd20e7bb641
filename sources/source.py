"""The contract between a source and whoever runs it.

A source is a value: facts, plus two functions. ``plan`` says which raw files to download, ``read``
turns one raw file into documents. Nothing here knows where files lie or how work is spread.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

Access: TypeAlias = Literal["open", "key", "pays", "local"]
"""How raw files can be had: anonymously, with a free key, paid for, or only from the user."""

Option: TypeAlias = str | int | float | bool | tuple[str, ...] | tuple[int, ...]
Options: TypeAlias = Mapping[str, Option]
"""A source's own settings, as its table in pipeline.toml gives them over the source's defaults."""

Check: TypeAlias = Callable[[Option, Options], None]
"""Raises `sources.option_checks.OptionError` for an option's value, of all options, that cannot be meant."""

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None

Get: TypeAlias = Callable[[str], bytes]
"""Fetch a small listing or index by URL; raises `sources.fetch.UpstreamError`."""

EXCERPT = 200
"""Characters of a rejected record that are kept to look at."""


Form: TypeAlias = Literal["file", "items", "oai", "pages", "objects"]
"""What a raw file is made of: the bytes at its address, or the answers to many requests.

``items``: the address holds a range of numbers, as ``…/item/{1..1000}.json``; the file has one line
of JSON for each, in their order. ``oai``: the address is the first request of an OAI-PMH harvest; the
file has one line for each answer, ``{"url": …, "answer": …}``. ``pages``: the address is that of a list
of web pages; the file is a WARC of them, in their order. ``objects``: the address is a bucket's, as
``https://bucket/?prefix=a&prefix=b#.xml,.json``; the file is a tar of the objects below these prefixes
whose keys end so, in order of their names.
"""


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file of an upstream: where it comes from and what is known of it beforehand.

    ``name`` is its path below the source's folder of raw files, with ``/`` between the parts; it is
    unique within the plan, and part of the identity of what is read from it.
    ``checksum`` is ``algorithm:hexdigest`` with md5, sha1 or sha256, or ``md5:etag`` where upstream
    documents that the ETag of a file is its MD5.
    """

    url: str
    name: str
    size: int | None = None
    checksum: str | None = None
    form: Form = "file"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a host may be asked: requests a second, over all workers, and connections at a time."""

    per_second: float
    connections: int = 4


@dataclass(frozen=True, slots=True)
class Key:
    """A key that an upstream wants or rewards: from the environment or the keyring, never a config.

    ``name`` is the variable, ``hosts`` are those it is sent to, as ``header: prefix + key``. ``where``
    tells how to get one. An upstream that can do without gives ``required=False``.
    """

    name: str
    hosts: tuple[str, ...]
    header: str
    where: str
    prefix: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the corpus.

    ``id`` is stable: source and upstream id, the same in every run. ``origin`` is the raw file's
    name and the place in it. ``licence`` is the document's own where upstream states one, else the
    source's.
    """

    id: str
    text: str
    origin: str
    licence: str
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A raw record that gave no document, and why.

    ``reason`` is one of the source's ``reasons``; ``excerpt`` holds at most `EXCERPT` characters.
    ``detail`` says what was measured and which bound it broke, where something was.
    """

    origin: str
    reason: str
    excerpt: str = ""
    detail: str = ""


DAMAGE = frozenset(
    {
        "block_digest",
        "damaged",
        "invalid_json",
        "invalid_utf8",
        "malformed",
        "malformed_json",
        "malformed_row",
        "not_json",
        "not_utf8",
        "overlong",
        "overlong_line",
        "pandoc_failed",
        "parser_error",
        "unreadable_file",
        "unreadable_member",
        "unreadable_pdf",
    }
)
"""Reasons that mean a broken record, where others mean one that is not wanted."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the Pile's paper and code state of a component (arXiv 2101.00027, Table 1).

    ``text_bytes`` counts UTF-8 bytes of text before epochs; ``epochs`` is how often it is seen.
    ``measured_bytes`` is about what the release really holds where the printed size is known to be
    wrong, 0 elsewhere; ``remark`` tells errors of the publication.
    """

    documents: int
    text_bytes: int
    mean_kib: float
    epochs: float
    remark: str = ""
    measured_bytes: int = 0

    @property
    def true_bytes(self) -> int:
        """What a rebuild is to be compared with."""
        return self.measured_bytes or self.text_bytes


Plan: TypeAlias = Callable[[Options, Get], Iterable[RawFile]]
Read: TypeAlias = Callable[[Path, RawFile, Options], Iterator[Document | Rejected]]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How raw files are read together, where one document is made of several of them.

    Files for which ``key`` gives the same text are read by one call of ``read``, in order of their
    names. A file of the group that cannot be read is yielded as `Rejected`, and the others still
    count; ``read`` raises only when nothing of the group can be kept.
    """

    key: Callable[[RawFile, Options], str]
    read: Callable[[Sequence[tuple[Path, RawFile]], Options], Iterator[Document | Rejected]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """How one large raw file is read by several workers.

    Piece ``n`` of a file is what begins in its bytes from ``n * size`` to ``(n + 1) * size``; the
    pieces of a file, read in order, give what ``Source.read`` gives. ``suits`` tells by its name
    whether a file can be cut.
    """

    size: int
    suits: Callable[[RawFile], bool]
    read: Callable[[Path, RawFile, Options, int], Iterator[Document | Rejected]]


class UnreadableFile(Exception):  # noqa: N818 - the name says what is wrong with the file
    """A raw file that cannot be read further; nothing read from it so far is to be kept."""


@dataclass(frozen=True, slots=True)
class Source:
    """A component of the corpus.

    ``version`` is raised by hand whenever the documents read from the same raw file change.
    ``reasons`` is the closed list of reasons that ``read`` rejects records for, each explained.
    ``defaults`` names every option the source takes. They read as the Pile of 2020 was read, but
    where it took more than a first trial should, they take a small part; ``partly`` says then how much,
    of how much, and what the Pile took. ``checks`` tell which values of an option can be meant.
    ``manual`` tells a user what to do by hand where nothing may be downloaded.
    ``grouping`` is for a source whose documents are made of several raw files each; its ``read``
    then reads a group of one. ``libraries`` names the distributions whose version decides the text;
    other versions make what was read with these stale. ``fidelities`` are the values of the option
    ``fidelity``, where the source has it.
    ``raw_bytes`` is about how much the recipe of 2020 downloads today (0: not known, or nothing),
    ``usd_per_gb`` what an upstream charges who fetches. ``keys`` and ``paces`` (by host) are what its
    hosts want of a guest. ``pieces`` is there if large raw files can be read by several workers.
    ``page_lists`` are the ends of names of the user's files that are lists of web pages: not these
    are read, but WARCs of their pages, of the form ``pages``.
    ``read`` yields a `Document` or a `Rejected` for every raw record, in file order, and raises
    `UnreadableFile` (or OSError) for a file that cannot be read further.
    """

    name: str
    pile_set_name: str
    licence: str
    access: Access
    version: int
    read: Read
    plan: Plan
    reasons: Mapping[str, str] = field(default_factory=dict)
    defaults: Options = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    partly: str = ""
    homepage: str = ""
    manual: str = ""
    grouping: Grouping | None = None
    libraries: tuple[str, ...] = ()
    fidelities: tuple[str, ...] = ("published", "corrected")
    raw_bytes: int = 0
    usd_per_gb: float = 0.0
    keys: tuple[Key, ...] = ()
    paces: Mapping[str, Pace] = field(default_factory=dict)
    pieces: Pieces | None = None
    page_lists: tuple[str, ...] = ()


def nothing_to_download(options: Options, get: Get) -> Iterable[RawFile]:
    """Plan of a source whose raw files only the user can provide."""
    del options, get
    return ()


Chosen = TypeVar("Chosen")


def by_fidelity(options: Options, choices: Mapping[str, Chosen]) -> Chosen:
    """Return what the option ``fidelity`` chooses; raises ValueError for a value without a choice."""
    fidelity = str(options["fidelity"])
    if fidelity not in choices:
        raise ValueError(f"fidelity is {fidelity!r}, not one of {', '.join(choices)}")
    return choices[fidelity]


def excerpt(text: str) -> str:
    """Return the beginning of a rejected record, short enough to keep."""
    return text[:EXCERPT]
