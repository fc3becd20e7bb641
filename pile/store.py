"""The only module that gives a file its final name: whole, or not at all.

Everything is written under an attempt's temporary name in the same folder, flushed to disk, and
renamed. If a file has its name, it is complete; a name that starts with a dot and ends in ``.tmp``
is what an interrupted attempt left behind.
"""

import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pile.rows import Rows
from sources.source import Json

CHUNK = 1 << 20

_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Give a temporary path to write a file (or folder) to, and its final name on a clean exit.

    Two attempts at the same file never share a temporary name; the last rename wins, which is
    harmless as long as both wrote the same bytes. On any exception the attempt is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    attempt = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        yield attempt
        _sync(attempt)
        if attempt.is_dir() and path.is_dir():
            _swap(attempt, path)
        else:
            attempt.replace(path)
        _sync(path.parent)
    except BaseException:
        discard(attempt)
        raise


def _swap(attempt: Path, path: Path) -> None:
    """Put a folder in the place of another, which a rename alone does only to an empty one."""
    old = path.with_name(f".{uuid.uuid4().hex}.tmp")
    path.replace(old)
    attempt.replace(path)
    discard(old)


def publish_bytes(path: Path, content: bytes) -> None:
    """Publish a small file that is in memory."""
    with publish(path) as attempt:
        attempt.write_bytes(content)


def publish_json(path: Path, value: Json) -> None:
    """Publish a JSON file with sorted keys, so that equal values give equal bytes."""
    publish_text(path, json_pieces(value))


def json_pieces(value: Json) -> Iterator[str]:
    """Yield the text that `publish_json` writes."""
    encoder = json.JSONEncoder(ensure_ascii=False, indent=1, sort_keys=True)
    yield from encoder.iterencode(value)
    yield "\n"


def json_bytes(value: Json) -> bytes:
    """Return what `publish_json` writes."""
    return "".join(json_pieces(value)).encode("utf-8", "backslashreplace")


def publish_lines(path: Path, values: Iterable[Json]) -> None:
    """Publish a file of JSON lines, each in the one form of its value; they are never all in memory."""
    publish_text(path, (f"{canonical(value)}\n" for value in values))


def publish_text(path: Path, pieces: Iterable[str]) -> None:
    """Publish text piece by piece; a name that is no text keeps its odd bytes as JSON escapes."""
    with (
        publish(path) as attempt,
        attempt.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        file.writelines(pieces)


def has_text(path: Path, pieces: Iterable[str]) -> bool:
    """Tell whether a file is there, and is byte for byte what `publish_text` would write."""
    try:
        with path.open("rb") as file:
            wanted = (piece.encode("utf-8", "backslashreplace") for piece in pieces)
            return all(file.read(len(piece)) == piece for piece in wanted) and not file.read(1)
    except FileNotFoundError:
        return False


def publish_link(path: Path, target: Path) -> None:
    """Point the symbolic link ``path`` at ``target``, replacing an older link at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    attempt = path.with_name(f".{uuid.uuid4().hex}.tmp")
    attempt.symlink_to(os.path.relpath(target, path.parent))
    attempt.replace(path)
    _sync(path.parent)


def publish_same(path: Path, source: Path) -> None:
    """Publish a file that is the same as one of ours: by a second name, or as a copy where none can be."""
    if path.exists() and path.samefile(source):
        return  # renaming one name of a file to another does nothing, and would leave the attempt
    with publish(path) as attempt:
        try:
            os.link(source, attempt)
        except OSError:
            shutil.copyfile(source, attempt)


def adopt(files: Iterable[tuple[Path, Path]]) -> None:
    """Give each file its final name: complete and verified ones, once they are all on disk.

    A disk takes hardly longer for many than for one. The names themselves are on disk once `settle`
    was called for their folders.
    """
    pairs = list(files)
    with ExitStack() as opened:
        descriptors = []
        for partial, _ in pairs:
            descriptors.append(os.open(partial, os.O_RDONLY))
            opened.callback(os.close, descriptors[-1])
        for descriptor in descriptors:
            _begin_to_write(descriptor)
        for descriptor in descriptors:
            os.fsync(descriptor)
    for partial, path in pairs:
        partial.replace(path)


def _begin_to_write(descriptor: int) -> None:
    """Ask the system to write a file soon, so that one flush serves all files that wait for it."""
    if sys.platform == "linux":
        # Linux begins to write what it cannot drop yet.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def settle(folders: Iterable[Path]) -> None:
    """Bring the names in folders to disk."""
    for folder in sorted(set(folders)):
        _sync_one(folder)


def append_line(path: Path, line: str) -> None:
    """Append one line to a log and flush it to disk; a torn last line is closed off first."""
    append_lines(path, (line,))


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Append lines to a log and flush them to disk together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    created = not path.exists()
    with path.open("a+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end and _byte_at(path, end - 1) != b"\n":
            file.write(b"\n")
        file.writelines(line.encode("utf-8", "backslashreplace") + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    if created:
        _sync(path.parent)


def discard(path: Path) -> None:
    """Remove a file or folder of ours, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove what interrupted attempts left below a folder; only its lock holder may call this."""
    leftovers = sorted(folder.rglob(".*.tmp")) if folder.exists() else []
    for path in leftovers:
        discard(path)
    return len(leftovers)


def has_size(folder: Path, name: str, size: int) -> bool:
    """Tell whether a file is there with its size; asked of millions, so no path is made of the name."""
    try:
        return os.stat(f"{folder}/{name}").st_size == size  # noqa: PTH116
    except FileNotFoundError:
        return False


def digest(path: Path) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of a file."""
    sha = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
            size += len(chunk)
    return size, sha.hexdigest()


def canonical(value: Json) -> str:
    """JSON with one form a value: sorted keys, no spaces; refuses NaN."""
    return _CANONICAL.encode(value)


def canonical_pieces(value: Json) -> Iterator[str]:
    """Yield `canonical` of a value in pieces, as the lists in it may be of a million parts."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        yield "{"
        for place, key in enumerate(sorted(value)):
            yield f"{',' if place else ''}{canonical(key)}:"
            yield from canonical_pieces(value[key])
        yield "}"
    elif isinstance(value, list | Rows):
        yield "["
        for number, one in enumerate(value):
            yield f"{',' if number else ''}{canonical(one)}"
        yield "]"
    else:
        yield canonical(value)


def _byte_at(path: Path, place: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        return file.read(1)


def _sync(path: Path) -> None:
    """Flush a file or a folder's entries to disk (a folder of files: the files too)."""
    if path.is_dir() and path.name.startswith("."):
        for inner in sorted(path.rglob("*")):
            _sync_one(inner)
    _sync_one(path)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
