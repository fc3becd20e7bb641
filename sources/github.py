"""Github: the text files of repositories.

Raw format: one archive a repository, ``OWNER/NAME.tar.gz`` (or zip, or another compression), with one
folder at its top, as GitHub's API serves it and ``git archive --prefix=NAME/`` writes it. Arbitrary
bytes. The Pile cloned about 192,000 repositories with more than 100 stars, in 2020; that set cannot
be had again.

Published extraction: of each file, rules on its base name (ending, ".git", "LICENSE", "node_modules",
".min.", a dot in front), then libmagic must call it text, then it is decoded from UTF-8 or as chardet
guesses, then dropped if over 80 % digits or if lines have over 200 characters on average. A last
step, for all repositories together, kept documents of fewer than 100,000 characters, and of those
each with a probability of 0.16, at random. That is what Table 1 counts: 95.16 GiB of 630.64. Here
``max_characters`` and ``keep`` say so, and the draw is a keyed hash of the document's id, so that the
same documents are kept in every run; ``keep = 1.0`` keeps all.

Traps: names of folders do not count, so ``node_modules/`` is read. A file without a newline is
dropped. A byte order mark of UTF-8 stays.

Known differences: what is text is told by its bytes, as `sources.formats.file_kinds` says: JSON is
none, as with libmagic since 2018, but JavaScript is, as it mostly was in 2020; newer libmagic takes it,
and some Python, for "application/javascript". Charsets other than UTF-8 are told as in
`sources.formats.latex.decode`. Metadata named the last file of a repository for all; here it is each
file's own.

There is no corrected fidelity; options make up for it. ``licences``, SPDX identifiers, keeps files of
repositories under these alone; a repository's licence is told from texts at its top, exactly or not
at all. It is off by default, as the Pile kept what was under any licence and under none: who may
not do the same names those that will do, ``licences = ["MIT", "Apache-2.0"]``. Each document has its
repository's licence either way.

Place in a file: the archive's member. The id is ``github/OWNER/NAME/PATH``, with ``/rN`` at its Nth
occurrence.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from sources.archives import Member, members
from sources.formats import file_kinds, licence_texts
from sources.formats.latex import decode
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, uncompressed_name
from sources.formats.repository_search import all_found, most_starred
from sources.option_checks import each, not_empty, of_form, within
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Key,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    excerpt,
)

API = "https://api.github.com/"
MAX_FILE = 16 << 20
"""Bytes of one file. What is longer has too many characters however it is decoded."""

KEEP = 0.16
"""Probability with which the Pile kept a document (``github_reduce.py``)."""

DRAW_KEY = b"github sample"
"""Key of the draws; another draws another sample."""

MAX_DIGITS = 0.8
MAX_LINE = 200
"""Characters that lines may have on average."""

MANUAL = (
    "Get a token of GitHub's. Or put archives of repositories, OWNER/NAME.tar.gz, where you like, and"
    " name them in this source's table (files = [...]). Open substitute:"
    " common-pile/stackv2_edu at huggingface.co."
)

_DROPPED_ENDINGS = frozenset(
    """
    app bin bmp bz2 class csv dat db dll dylib egg eot exe gif gitignore glif gradle gz ico jar jpeg
    jpg lo lock log mp3 mp4 nar o ogg otf p pdf png pickle pkl pyc pyd pyo rkt so ss svg tar tsv ttf
    war webm woff woff2 xz zip zst
    """.split()  # noqa: SIM905 - a table
)
_DROPPED_WORDS = (".git", "LICENSE", "node_modules", ".min.")
_LICENCE_NAME = re.compile(r"(?i)(?:un)?licen[sc]e|copying")
_DIGITS = re.compile("[0-9]+")
_NAME = re.compile(r"([A-Za-z0-9-]+/[A-Za-z0-9._-]+)(?:@(.+))?")


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield an archive of each repository in ``repositories``, or else of what ``search`` finds.

    ``repositories`` are OWNER/NAME, or OWNER/NAME@REF; otherwise the first ``count`` results of the
    search, most stars first, sorted by name; ``count = 0`` takes all (192,000 in 2020, at the pace
    of searches an hour or two). Raises ValueError for a name of another form, for a count that
    GitHub does not give, or an answer that it does not document.
    """
    names = options["repositories"]
    if not isinstance(names, tuple):
        raise ValueError(f"repositories is {names!r}, not a list of OWNER/NAME")  # noqa: TRY004
    for name in (
        map(str, names)
        if names
        else sorted(set(_found(str(options["search"]), int(str(options["count"])), get)))
    ):
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is no repository: OWNER/NAME, or OWNER/NAME@REF")
        reference = f"/{quote(match[2], safe='')}" if match[2] else ""
        yield RawFile(f"{API}repos/{match[1]}/tarball{reference}", f"{match[1]}.tar.gz")


def _found(search: str, count: int, get: Get) -> Iterator[str]:
    return most_starred(search, count, get) if count else all_found(search, get)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository's name, the folder at the top of its archive, and its licence."""

    name: str
    top: str
    licence: str

    def path(self, member: str) -> str:
        """Return a member's path within the repository."""
        return member.removeprefix(self.top)


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every file of an archive; see the module."""
    repository = _repository(path, raw)
    allowed = options["licences"]
    refused = isinstance(allowed, tuple) and allowed and repository.licence not in allowed
    limit, keep = int(str(options["max_characters"])), float(str(options["keep"]))
    taken = Uses()
    for member, stream in members(path):
        inside = repository.path(member.name)
        origin = f"{raw.name}:{member.name}"
        reason = "licence" if refused else _reason_by_name(member, inside)
        if reason:
            yield Rejected(origin, reason, excerpt(member.problem or inside))
            continue
        text = _text(stream.read(MAX_FILE + 1), limit)
        if isinstance(text, Reason):
            yield Rejected(origin, text.name, excerpt(inside))
            continue
        identity = numbered(f"github/{repository.name}/{inside}", taken)
        if draw(identity) >= keep:
            yield Rejected(origin, "not_sampled", excerpt(inside))
            continue
        yield Document(
            id=identity,
            text=text,
            origin=origin,
            licence=repository.licence,
            meta={"repository": repository.name, "path": inside},
        )


def draw(identity: str) -> float:
    """Return a document's own number from 0 to below 1, the same in every run."""
    digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8, key=DRAW_KEY)
    return (int.from_bytes(digest.digest()) >> 11) / (1 << 53)


def _repository(path: Path, raw: RawFile) -> Repository:
    """Go through an archive for its top folder and the licences in there."""
    top = None
    found: set[str] = set()
    for member, stream in members(path):
        if top is None and member.problem is None:
            folder, slash, _ = member.name.partition("/")
            top = folder + slash if slash else ""
        inside = member.name.removeprefix(top or "")
        if member.problem is None and "/" not in inside and _LICENCE_NAME.match(inside):
            text = stream.read(1 << 20).decode("utf-8", "replace")
            found.add(licence_texts.identifier(text))
    name = uncompressed_name(raw.name).removesuffix(".tar").removesuffix(".zip")
    return Repository(name, top or "", licence_texts.joint(found))


def _reason_by_name(member: Member, inside: str) -> str:
    """Return why a file is not even looked into; nothing if it is."""
    if member.problem:
        return "unreadable_member"
    if inside.startswith(".git/"):
        return "git_folder"
    name = PurePosixPath(inside).name
    dropped = (
        name.startswith(".")
        or any(word in name for word in _DROPPED_WORDS)
        or name.rsplit(".", 1)[-1] in _DROPPED_ENDINGS
    )
    return "file_name" if dropped else ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why content gives no text."""

    name: str


def _text(content: bytes, limit: int) -> str | Reason:
    kind = "too_long" if len(content) > MAX_FILE else file_kinds.kind(content)
    if kind != "text":
        return Reason(kind)
    text = _decoded(content)
    if text is None:
        return Reason("unknown_encoding")
    reason = _reason_by_text(text, limit)
    return Reason(reason) if reason else text


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return decode(content)


def _reason_by_text(text: str, limit: int) -> str:
    """Return why a text is not kept; nothing if it is."""
    digits = sum(map(len, _DIGITS.findall(text)))
    if digits / len(text) > MAX_DIGITS:
        return "digits"
    if len(text) / (text.count("\n") + 0.001) > MAX_LINE:
        return "long_lines"
    return "too_long" if limit and len(text) >= limit else ""


SOURCE = Source(
    name="github",
    pile_set_name=PILE_SET_NAMES["github"],
    licence="each repository's own; unknown where no licence is told",
    access="key",
    version=2,
    read=read,
    plan=plan,
    reasons={
        "unreadable_member": UNREADABLE,
        "licence": "a repository under a licence that is not among those allowed",
        "git_folder": "a file of git's own",
        "file_name": "a name that begins with a dot, or of a kind that is no text to train on",
        **file_kinds.REASONS,
        "unknown_encoding": "a charset that cannot be told",
        "digits": f"more than {MAX_DIGITS:.0%} digits",
        "long_lines": f"lines of more than {MAX_LINE} characters on average, or no line end",
        "too_long": "as many characters as max_characters, or more",
        "not_sampled": "a document that is not among the part that `keep` draws",
    },
    defaults={
        "repositories": (),
        "search": "stars:>100",
        "count": 100,
        "max_characters": 100_000,
        "keep": KEEP,
        "licences": (),
    },
    checks={
        "repositories": each(of_form(_NAME.pattern, "OWNER/NAME, or OWNER/NAME@REF")),
        "search": not_empty,
        "count": within(0),
        "max_characters": within(0),
        "keep": within(0.0, 1.0),
        "licences": each(of_form(r"[A-Za-z0-9.+-]+(?: AND [A-Za-z0-9.+-]+)*", "MIT, by SPDX")),
    },
    homepage="https://docs.github.com/rest",
    partly="100 repositories of the 192,000 with more than 100 stars in 2020; the Pile took all, and 16 % of"
    " their files",
    # How large the archives of all repositories are is not known.
    raw_bytes=0,
    keys=(
        Key(
            "GITHUB_TOKEN",
            ("api.github.com",),
            "Authorization",
            "https://github.com/settings/tokens; it needs no permissions",
            prefix="Bearer ",
        ),
    ),
    # A search may be made 30 times a minute; archives come from another host, whose pace is a guess.
    paces={"api.github.com": Pace(0.5, 2), "codeload.github.com": Pace(2.0, 4)},
    manual=MANUAL,
)
