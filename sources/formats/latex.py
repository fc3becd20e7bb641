r"""LaTeX sources as authors leave them: which file is TeX, which is the paper, what it says.

Whether a file is TeX is decided as libmagic decides (file 5.3x, ``Magdir/tex``): it holds no byte
that text never has, and within its first 4,096 bytes begins one of a few control words. Left out
are libmagic's other types that could have come first, such as a mail header before the TeX.
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from posixpath import normpath

import cchardet

_CONTROL_WORDS = (
    rb"\input",
    rb"\begin",
    rb"\section",
    rb"\setlength",
    rb"\documentstyle",
    rb"\chapter",
    rb"\documentclass",
    rb"\relax",
    rb"\contentsline",
    rb"% -*-latex-*-",
)
_TEX = re.compile(b"|".join(re.escape(word) for word in _CONTROL_WORDS))
_SEARCHED = 4096
_LOOKED_AT = 1 << 20  # bytes that libmagic takes of a file
_NEVER_IN_TEXT = bytes({*range(7), *range(0x0E, 0x20), 0x7F} - {0x1B})

_MAIN_NAMES = ("main.tex", "Main.tex", "MAIN.tex", "paper.tex", "Paper.tex")

_OTHER_SCRIPTS = (
    *("BIG5", "GB18030", "EUC-JP", "SHIFT_JIS", "EUC-KR", "UHC", "JOHAB"),
    *("KOI8-R", "WINDOWS-1251", "ISO-8859-5", "MACCYRILLIC", "IBM855", "IBM866"),
    *("WINDOWS-1253", "ISO-8859-7", "WINDOWS-1255", "ISO-8859-8", "WINDOWS-1256", "ISO-8859-6"),
    *("TIS-620", "ISO-8859-11"),
)
_THREE_LETTERS = re.compile(rb"[\x80-\xff]{3}")

# Escapes and comments are matched to be passed over.
_INPUT = re.compile(
    r"\\[^A-Za-z]|%[^\n]*"
    r"|\\(?:input|include)(?![A-Za-z@])\s*(?:\{([^{}\n]*)\}|([^\s{}\\%]+))"
)
_MAX_DEPTH = 10


class TooLongError(ValueError):
    """A document with all that it includes exceeds its limit."""


def is_tex(content: bytes) -> bool:
    """Tell whether a file is TeX to libmagic, which calls it ``text/x-tex``."""
    looked_at = content[:_LOOKED_AT]
    is_text = len(looked_at.translate(None, _NEVER_IN_TEXT)) == len(looked_at)
    found = _TEX.search(content, 0, _SEARCHED + max(map(len, _CONTROL_WORDS)))
    return is_text and found is not None and found.start() < _SEARCHED


def main_files(files: Mapping[str, bytes]) -> tuple[str, ...]:
    r"""Return the files of a paper's folder that are documents of their own, sorted.

    ``files`` maps paths to contents. Only ``.tex`` files at the top count, hidden ones left out: the
    first that exists of main.tex, Main.tex, MAIN.tex, paper.tex, Paper.tex; else the only one;
    else every one that holds ``\title``.
    """
    top = sorted(
        name for name in files if name.endswith(".tex") and "/" not in name and name[0] != "."
    )
    named = next((name for name in _MAIN_NAMES if name in top), None)
    if named is not None:
        return (named,)
    if len(top) == 1:
        return (top[0],)
    return tuple(name for name in top if rb"\title" in files[name])


def decode(content: bytes) -> str | None:
    """Return a file's text: Unicode, or in a script other than Latin if one shows, or Windows-1252.

    The charset detector alone takes Western names in English for Vietnamese, Polish or DOS, so its
    guess counts only for a charset of another script, and where three of its letters stand in a
    row. None if the bytes fit nothing.
    """
    return next((text for text in _decodings(content) if text is not None), None)


def _decodings(content: bytes) -> Iterator[str | None]:
    yield _decoded(content, "utf-8-sig")
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        yield _decoded(content, "utf-16")
    guess = cchardet.detect(content)["encoding"] or ""
    if guess.upper() in _OTHER_SCRIPTS and _THREE_LETTERS.search(content):
        yield _decoded(content, guess)
    yield _decoded(content, "windows-1252")


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return None


def with_inputs(main: str, files: Mapping[str, bytes], limit: int) -> str | None:
    r"""Return the text of a main file with the files it names by ``\input`` or ``\include`` in place.

    A file that is not among ``files``, cannot be decoded, or is being read already stays a command.
    None if the main file cannot be decoded. Raises `TooLongError` beyond ``limit`` characters.
    """
    text = decode(files[main])
    if text is None:
        return None
    pieces: list[str] = []
    size = 0
    for piece in _pieces(text, files, (main,)):
        size += len(piece) + 1  # nor can empty pieces go on for ever
        if size > limit:
            raise TooLongError(f"more than {limit:,} characters with all that it includes")
        pieces.append(piece)
    return "".join(pieces)


def _pieces(text: str, files: Mapping[str, bytes], reading: tuple[str, ...]) -> Iterator[str]:
    done = 0
    for match in _INPUT.finditer(text):
        name = _named(match[1] or match[2] or "", files)
        if name is None or name in reading or len(reading) > _MAX_DEPTH:
            continue
        included = decode(files[name])
        if included is not None:
            yield text[done : match.start()]
            yield from _pieces(included, files, (*reading, name))
            done = match.end()
    yield text[done:]


def _named(argument: str, files: Mapping[str, bytes]) -> str | None:
    name = normpath(argument.strip().strip('"'))
    return next((path for path in (f"{name}.tex", name) if path in files), None)
