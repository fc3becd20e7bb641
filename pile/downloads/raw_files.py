"""Which raw files a source is read from: the user's own, or the upstream's plan.

The user's files are known by content, lists of web pages too, whose pages are downloads: their
digests are computed once and remembered by size and time of change. A download plan is remembered as first made, so that a listing that changes
upstream does not change a run half way.
"""

import glob
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from pile import layout, ledger
from pile.config import Config, ConfigError, SourceTable, expand
from pile.downloads.addresses import without_password
from pile.downloads.entries import REMOTE, require_one, require_sound
from pile.downloads.guests import Refused, guest, unmet
from pile.downloads.remembered import Hashes, Plan, publish_plan, read_plan
from sources.fetch import UpstreamError, get
from sources.source import Json, Options, RawFile
from sources.upstream.attempts import PATIENT, Patience

NOT_AS_EXPECTED: tuple[type[Exception], ...] = (
    *(ValueError, LookupError, TypeError, AttributeError, SyntaxError),
    *(EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError),
)
"""What reading a listing raises that no longer has the form it had; SyntaxError is that of XML."""


@dataclass(frozen=True, slots=True)
class Located:
    """A raw file and where it is, or will be once it is fetched."""

    raw: RawFile
    place: str
    is_local: bool

    @property
    def path(self) -> Path:
        """Where it is; kept as text, which takes a third of the memory: there may be a million."""
        return Path(self.place)


def locate(
    config: Config, table: SourceTable, hear: Callable[[str], None], patience: Patience = PATIENT
) -> Collection[Located]:
    """Return a source's raw files by name: ``files`` if the table has any, else the plan.

    ``hear`` hears of each file that must be read to know it, and of an upstream that is asked, for
    which ``patience`` waits. Raises `ConfigError` for a pattern that matches nothing, and
    `sources.fetch.UpstreamError` when a listing cannot be had.
    """
    if not table.files:
        return _downloads(config, table, hear, patience)
    entries = [expand(entry, config.path) for entry in table.files]
    given = list(_to_download(config, table, remote(config, table)))
    patterns = [
        os.path.normpath(config.path.parent / entry)
        for entry in entries
        if not entry.startswith(REMOTE)
    ]
    given.extend(_local(config, table, patterns, hear))
    found: dict[str, Located] = {}
    for located in given:
        other = found.setdefault(located.raw.name, located)
        if other.path != located.path or other.raw.url != located.raw.url:
            raise ConfigError(
                f"{config.path}: [sources.{table.name}] files: {located.raw.url} and "
                f"{other.raw.url} would both be called {located.raw.name!r}"
            )
    return tuple(found[name] for name in sorted(found))


def identity(located: Located) -> dict[str, str | int | None]:
    """Return what of a raw file decides bytes: a local one's content, a remote one's address.

    Pages are known by the content of their list, wherever it lies.
    """
    raw = located.raw
    entry: dict[str, str | int | None] = {"name": raw.name, "checksum": raw.checksum}
    if located.is_local:
        return entry
    made_of = {} if raw.form == "file" else {"form": raw.form}
    url = f"#{urlsplit(raw.url).fragment}" if raw.form == "pages" else raw.url
    return {**entry, **made_of, "url": url, "size": raw.size}


def remote(config: Config, table: SourceTable) -> list[RawFile]:
    """Return the files of the table that are addresses."""
    entries = [expand(entry, config.path) for entry in table.files]
    return [_remote(config, table, entry) for entry in entries if entry.startswith(REMOTE)]


def _remote(config: Config, table: SourceTable, address: str) -> RawFile:
    """Return a file to download; a checksum may follow its address: ``….gz#sha256=…``."""
    try:
        url, _, checksum = without_password(address).partition("#")
    except ValueError as error:
        raise ConfigError(
            f"{config.path}: [sources.{table.name}] files: an address {error}"
        ) from None
    name = unquote(PurePosixPath(urlsplit(url).path).name)
    raw = RawFile(url, name, checksum=checksum.replace("=", ":") or None)
    try:
        require_one(table.name, raw)
    except ValueError as error:
        raise ConfigError(
            f"{config.path}: [sources.{table.name}] files: {url}: {error}; give the address of a file,"
            " as https://host/name.txt#sha256=…"
        ) from None
    return raw


def _local(
    config: Config, table: SourceTable, patterns: Sequence[str], hear: Callable[[str], None]
) -> Iterator[Located]:
    """Yield the files that patterns match, named from the deepest folder that holds them all."""
    if not patterns:
        return
    base = Path(os.path.commonpath([_fixed_folder(pattern) for pattern in patterns]))
    known = Hashes(layout.hashes(config.work))
    for pattern in patterns:
        matched = map(Path, glob.iglob(pattern, recursive=True))  # noqa: PTH207 - absolute
        paths = sorted(path for path in matched if _is_given(config, table, path))
        if not paths:
            raise ConfigError(
                f"{config.path}: [sources.{table.name}] files: {pattern!r} matches no file"
            )
        for path in paths:
            size, sha256 = known.of(path, hear)
            name = path.relative_to(base).as_posix()
            ending = next(filter(name.endswith, table.source.page_lists), None)
            if ending:
                raw = _pages(path, name.removesuffix(ending), sha256)
                yield from _to_download(config, table, [raw])
            else:
                raw = RawFile(path.as_uri(), name, size, f"sha256:{sha256}")
                yield Located(raw, str(path), is_local=True)


def _pages(path: Path, name: str, sha256: str) -> RawFile:
    """Return the download of a list's pages; the list is known by its content."""
    return RawFile(f"{path.as_uri()}#sha256={sha256}", f"{name}.warc.gz", form="pages")


def _is_given(config: Config, table: SourceTable, path: Path) -> bool:
    if path.is_symlink() and not path.exists():
        raise ConfigError(
            f"{config.path}: [sources.{table.name}] files: {path} is a link to nothing"
        )
    return path.is_file()


def _fixed_folder(pattern: str) -> Path:
    """Return the deepest folder of a pattern that holds no wildcard."""
    if not glob.has_magic(pattern):
        return Path(pattern).parent
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


class _Downloads(Collection[Located]):
    """The downloads of a plan, which are not kept in memory."""

    def __init__(self, config: Config, table: SourceTable, raws: Collection[RawFile]) -> None:
        self._raws = raws
        self._all = partial(_to_download, config, table, raws)

    def __len__(self) -> int:
        return len(self._raws)

    def __iter__(self) -> Iterator[Located]:
        return self._all()

    def __contains__(self, located: object) -> bool:
        return any(one == located for one in self)


def _downloads(
    config: Config, table: SourceTable, hear: Callable[[str], None], patience: Patience
) -> Collection[Located]:
    key = ledger.fingerprint({"version": table.source.version, "options": plain(table.all_options)})
    remembered = layout.plan(config.work, table.name, key)
    plan = read_plan(remembered)
    if plan is None:
        if table.source.access != "local":
            hear(f"asking what there is of {table.name}")
        raws = planned(config, table, patience)
        publish_plan(remembered, raws)
        plan = Plan(remembered)
    return _Downloads(config, table, plan)


def _to_download(config: Config, table: SourceTable, raws: Iterable[RawFile]) -> Iterator[Located]:
    folder = str(layout.raw_folder(config.work, table.name))
    for raw in raws:
        yield Located(raw, f"{folder}/{layout.inside(table.name, raw.name)}", is_local=False)


def planned(config: Config, table: SourceTable, patience: Patience) -> list[RawFile]:
    """Ask an upstream what there is to download, and return it by name.

    Raises `Refused` before anything is asked of an upstream that wants a key or money and is given
    none, and `sources.fetch.UpstreamError`.
    """
    source = table.source
    asked = guest(config, source)

    def ask(url: str) -> bytes:
        if why := unmet(config, source, [url]):
            raise Refused(why)
        return get(url, guest=asked, patience=patience)

    try:
        raws = sorted(source.plan(table.all_options, ask), key=lambda raw: raw.name)
        require_sound(source.name, raws)
    except NOT_AS_EXPECTED as error:
        raise UpstreamError(
            source.homepage,
            f"its listing cannot be read, and may have another form now ({type(error).__name__}: {error})",
            "bring the files by hand, or see whether a newer version of this program reads it",
        ) from error
    return raws


def plain(options: Options) -> dict[str, Json]:
    """Return a source's options as JSON, in order of their names."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in sorted(options.items())
    }


def free_bytes(folder: Path) -> int:
    """Free disk space where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
