"""DM Mathematics: generated questions and answers, in documents of 8 KiB.

Raw format: ``mathematics_dataset-v1.0.tar.gz`` of DeepMind (2.3 GB) with ``train-easy/``,
``train-medium/``, ``train-hard/``, ``interpolate/``, ``extrapolate/``, in each a text file a module,
``algebra__linear_1d.txt``: a line of question, a line of answer, 666,666 times in each training file,
ASCII. A new set of any size comes from the generator, PyPI ``mathematics-dataset``. Such files may
come by themselves too, below a folder of their level, also compressed.

Published extraction: the three training levels. Documents were meant to be of whole pairs, cut after
an answer once there were more than 8,192 characters, but the function went through characters
where it was to go through lines. So every document is a slice of 8,194 characters, which begins and
ends anywhere, and the last of a file is what remains. (The release also had a line feed between any
two characters, until it was taken out again.) This gives the release's 8.00 KiB and its number of
documents.

``fidelity = "corrected"`` cuts as it was meant: lines are joined by line feeds, and more than
8,192 characters without them, or the file's end, close a document behind an answer.

``levels`` names the folders to take. Place in a file: the archive's member, and the number of the
document in it, counted from 1. An id is ``dm_mathematics/LEVEL/MODULE/NUMBER``, the module with
``/rN`` at its Nth occurrence in one file. The published documents came level by level, files in the order of
their names' SHA-256; here they come as in the archive.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TextIO

from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.option_checks import each, every, not_empty, one_of
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

URL = "https://storage.googleapis.com/mathematics-dataset/mathematics_dataset-v1.0.tar.gz"
SIZE = 2_333_082_954
SHA256 = "def638343403cb9ed60437d6b684c859dd23b72779f5cc5661b0a31e67c58576"
LICENCE = "Apache-2.0"

LEVELS = ("train-easy", "train-medium", "train-hard", "interpolate", "extrapolate")
"""Folders of the archive."""

SLICE = 8194
"""Characters of a published document."""
ENOUGH = 8192
"""Characters, without line ends, of which a corrected document has more."""
LONGEST = 1 << 20
"""Characters of a line; the longest honest ones have some hundreds."""


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the one archive; the checksum is what the Pile's own code expects of it."""
    del options, get
    yield RawFile(URL, "mathematics_dataset-v1.0.tar.gz", SIZE, f"sha256:{SHA256}")


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield the documents of every training file, and rejections; see the module."""
    cut = by_fidelity(options, FIDELITIES)
    levels = _levels(options)
    taken = Uses()
    for file, stream in files(path, raw):
        name = PurePosixPath(file.name)
        if file.problem:
            yield Rejected(file.origin, "unreadable_member", file.problem)
        elif name.suffix != ".txt" or name.parent.name not in levels:
            yield Rejected(file.origin, "not_training", excerpt(file.name))
        else:
            module = numbered(f"dm_mathematics/{name.parent.name}/{name.stem}", taken)
            yield from _documents(file, stream, cut, module)


def _levels(options: Options) -> frozenset[str]:
    levels = options["levels"]
    if not isinstance(levels, tuple):
        raise TypeError(f"levels is {levels!r}, not a list of folder names")
    return frozenset(map(str, levels))


def _documents(
    file: PackedFile, stream: BinaryIO, cut: Callable[[TextIO], Iterator[str]], module: str
) -> Iterator[Document | Rejected]:
    number = 0
    text = io.TextIOWrapper(stream, encoding="utf-8")
    name = PurePosixPath(file.name)
    try:
        for number, part in enumerate(cut(text), 1):
            yield Document(
                id=f"{module}/{number}",
                text=part,
                origin=f"{file.origin}:{number}",
                licence=LICENCE,
                meta={"level": name.parent.name, "module": name.stem},
            )
    except UnicodeDecodeError as error:
        yield Rejected(f"{file.origin}:{number + 1}", "not_utf8", excerpt(str(error)))
    except _OverlongLineError as error:
        yield Rejected(f"{file.origin}:{number + 1}", "overlong_line", excerpt(str(error)))
    else:
        if not number:
            yield Rejected(file.origin, "empty", excerpt(file.name))
    finally:
        text.detach()


class _OverlongLineError(ValueError):
    """A line that no generator has written; its beginning is the message."""


def _slices(text: TextIO) -> Iterator[str]:
    while part := text.read(SLICE):
        yield part


def _pairs(text: TextIO) -> Iterator[str]:
    kept: list[str] = []
    characters = 0
    while question := _line(text):
        pair = [question.rstrip("\n"), _line(text).rstrip("\n")]
        kept += pair
        characters += sum(map(len, pair))
        if characters > ENOUGH:
            yield "\n".join(kept)
            kept, characters = [], 0
    if kept:
        yield "\n".join(kept)


def _line(text: TextIO) -> str:
    line = text.readline(LONGEST + 1)
    if len(line) > LONGEST:
        raise _OverlongLineError(line[:100])
    return line


FIDELITIES = {"published": _slices, "corrected": _pairs}


SOURCE = Source(
    name="dm_mathematics",
    pile_set_name=PILE_SET_NAMES["dm_mathematics"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unreadable_member": UNREADABLE,
        "not_training": "a file of another kind, or in a folder that `levels` does not name",
        "empty": "a training file without text",
        "not_utf8": "bytes that are no UTF-8; the file is left out from this document on",
        "overlong_line": f"a line of more than {LONGEST:,} characters; left out likewise",
    },
    defaults={"fidelity": "published", "levels": ("train-easy", "train-medium", "train-hard")},
    checks={"levels": every(not_empty, each(one_of(*LEVELS)))},
    homepage="https://github.com/google-deepmind/mathematics_dataset",
    raw_bytes=SIZE,
    # No limit is stated for the bucket: a guess, far below what it bears.
    paces={"storage.googleapis.com": Pace(20.0, 8)},
)
