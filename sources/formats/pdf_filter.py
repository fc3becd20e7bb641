r"""Text of papers, rid of what PDFs leave in it, as the Pile cleaned PhilPapers.

`published` joins words broken at line ends, makes one line of each paragraph, drops paragraphs that are
notices of copyright, codes of missing fonts or not letters for the greater part, takes page numbers
from their ends, and brings characters to plain forms. Its quirks stay: a hyphen that belongs at the
end of a line goes too; NFKC comes before lone accents are combined, so "a\u00b4" leaves a space.

`corrected` combines accents first, and joins only words that go on in lower case.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

MIN_LETTERS = 0.40
"""Share of A-Z and a-z below which a paragraph is dropped."""

MAX_CODES = 0.1
"""Share of a paragraph, at eight characters a code, over which ``(cid:n)`` makes it rubbish."""

NOTICE = 50
"""Characters from which a paragraph is no notice of copyright."""

LIGATURES: Mapping[str, str] = MappingProxyType(
    {
        "\ua732": "AA",
        "\ua733": "aa",
        "\u00c6": "AE",
        "\u00e6": "ae",
        "\ua734": "AO",
        "\ua735": "ao",
        "\ua736": "AU",
        "\ua737": "au",
        "\ua738": "AV",
        "\ua739": "av",
        "\ua73a": "AV",
        "\ua73b": "av",
        "\ua73c": "AY",
        "\ua73d": "ay",
        "\ufb00": "ff",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\u0152": "OE",
        "\u0153": "oe",
        "\ua74e": "OO",
        "\ua74f": "oo",
        "\ufb06": "st",
        "\ufb05": "st",
        "\ua728": "TZ",
        "\ua729": "tz",
        "\u1d6b": "ue",
        "\ua760": "VY",
        "\ua761": "vy",
        "\u0238": "db",
        "\u02a3": "dz",
        "\u02a5": "d\u0291",
        "\u02a4": "d\u0292",
        "\u02a9": "f\u014b",
        "\u0132": "IJ",
        "\u0133": "ij",
        "\u02aa": "ls",
        "\u02ab": "lz",
        "\u026e": "l\u0292",
        "\u0239": "qp",
        "\u02a8": "t\u0255",
        "\u02a6": "ts",
        "\u02a7": "t\u0283",
        "\uab50": "ui",
        "\uab51": "ui",
    }
)
"""Letters written as one, and what they are."""

_LIGATURES = str.maketrans(dict(LIGATURES))
_PLAIN = str.maketrans(
    {
        "\u00a0": " ",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u00ad": "-",
        "\u2014": "-",
        "\u00b7": "*",
    }
)
_ACCENTS = {"\u00b4": "\u0301", "\u00a8": "\u0308", "^": "\u0302", "`": "\u0300"}
_ACCENTED = {
    letter + accent: unicodedata.normalize("NFC", letter + combining)
    for accent, combining in _ACCENTS.items()
    for letter in "aeiouAEIOU"
} | {letter + "~": unicodedata.normalize("NFC", letter + "\u0303") for letter in "aonAON"}
_LONE_ACCENT = re.compile("[aeionuAEIONU][\u00b4\u00a8^`~]")
_MARKS = re.compile("[\u0300-\u036f\u00a8\u02c0-\u02df]")
_SHARP_S = re.compile("\\B\u00df")
_CODE = re.compile(r"\(cid:[0-9]+\)")
_LETTERS = re.compile("[A-Za-z]+")
_YEAR = re.compile(r".*[1-3][0-9]{3}")
_SPACES = re.compile(r"\s\s+")
_BROKEN_BEFORE_BLANK = re.compile(r"-[?\s]\n{1,2}(\w+ *)")
_BROKEN = re.compile(r"-\s{1,2}(\w+ *)")
_BROKEN_IN_LOWER_CASE = re.compile(r"(?<=[^\W\d_])-\s{1,2}(?=[^\W\d_A-Z])(\w+ *)")


def published(text: str) -> str:
    """Return a paper's text as the Pile has it; empty if no paragraph is kept."""
    text = _BROKEN_BEFORE_BLANK.sub(r"\1\n", text)
    return _cleaned(_BROKEN.sub(r"\1", text), _plain)


def corrected(text: str) -> str:
    """Return a paper's text with its accents and its own hyphens; empty if no paragraph is kept."""
    return _cleaned(_BROKEN_IN_LOWER_CASE.sub(r"\1", text), _accented_and_plain)


def _cleaned(text: str, plain: Callable[[str], str]) -> str:
    kept = filter(None, map(_kept, text.split("\n\n")))
    cleaned = (plain(_CODE.sub("", _without_page_numbers(paragraph))) for paragraph in kept)
    return "\n\n".join(filter(None, cleaned))


def _kept(paragraph: str) -> str:
    """Return a paragraph as a line, or nothing if it is none."""
    line = paragraph.replace("\n", " ")
    if len(line) < NOTICE and _is_notice(line.strip()):
        return ""
    line = _SPACES.sub(" ", line)
    if len(line) < 2 or len(_CODE.findall(line)) * 8 / len(line) > MAX_CODES:
        return ""
    letters = sum(map(len, _LETTERS.findall(line)))
    return line if letters / len(line) >= MIN_LETTERS else ""


def _is_notice(line: str) -> bool:
    """Tell notices of copyright: by the sign, or by "r" for it, or the word, and a year."""
    words = line.split(" ")
    dated = len(words) > 1 and _YEAR.match(words[1]) is not None
    return line.startswith("\u00a9") or (dated and (line[0] == "r" or words[0] == "copyright"))


def _without_page_numbers(line: str) -> str:
    line = line.strip()
    begins, ends = 0, len(line)
    while begins < ends and line[begins].isdecimal():
        begins += 1
    while ends > begins and line[ends - 1].isdecimal():
        ends -= 1
    return line[begins:ends].strip()


def _plain(text: str) -> str:
    text = _SHARP_S.sub("ss", text.translate(_LIGATURES)).translate(_PLAIN)
    return _MARKS.sub("", _with_accents(unicodedata.normalize("NFKC", text)))


def _accented_and_plain(text: str) -> str:
    text = _with_accents(text).translate(_LIGATURES).translate(_PLAIN)
    return unicodedata.normalize("NFKC", text)


def _with_accents(text: str) -> str:
    return _LONE_ACCENT.sub(lambda pair: _ACCENTED.get(pair[0], pair[0]), text)
