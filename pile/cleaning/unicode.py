"""Rules on how text is encoded: mojibake and normal forms.

Normal forms come from the interpreter's Unicode tables (`unicodedata.unidata_version`). By Unicode's
stability policy they never change for characters assigned in that version; only text with younger
characters can differ between interpreters.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import ftfy

from pile.cleaning.rule import NoThresholds, Rule
from sources.source import Document

SEGMENT = 65_536
"""Characters of a line that are repaired together; a longer line is repaired in pieces."""

# Repair of wrongly decoded text alone. What else ftfy offers restyles text that is not broken:
# quotes, ligatures, character width, HTML entities, line breaks.
_REPAIR = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_encoding=True,
    restore_byte_a0=True,
    replace_lossy_sequences=True,
    decode_inconsistent_utf8=True,
    fix_c1_controls=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)

# Normalising takes quadratic time on long runs of combining marks out of order.
_LONG_RUN = re.compile(r"[^\x00-\x7f]{512,}")

_DECOMPOSED: dict[str, Literal["NFD", "NFKD"]] = {"NFC": "NFD", "NFKC": "NFKD"}


def repair_unicode(document: Document, table: NoThresholds) -> Document:
    """Undo mojibake, line by line, where ftfy finds it (``Ã©`` becomes ``é``).

    Applied twice it changes nothing more, for lines of up to `SEGMENT` characters.
    """
    del table
    if document.text.isascii():
        return document
    return _with_text(document, "".join(map(_repaired, _segments(document.text))))


def normalise_nfc(document: Document, table: NoThresholds) -> Document:
    """Compose characters canonically (``e`` and a combining acute become ``é``)."""
    del table
    return _with_text(document, _normalised("NFC", document.text))


def normalise_nfkc(document: Document, table: NoThresholds) -> Document:
    """Compose characters and replace compatibility forms (``ﬁ`` becomes ``fi``, ``²`` ``2``)."""
    del table
    return _with_text(document, _normalised("NFKC", document.text))


def _with_text(document: Document, text: str) -> Document:
    return document if text == document.text else replace(document, text=text)


def _segments(text: str) -> Iterator[str]:
    """Cut text after every line feed, and longer lines after every `SEGMENT` characters."""
    start = 0
    while start < len(text):
        end = text.find("\n", start, start + SEGMENT) + 1 or start + SEGMENT
        yield text[start:end]
        start = end


def _repaired(segment: str) -> str:
    if segment.isascii():
        return segment
    repaired: str = ftfy.fix_encoding(segment, _REPAIR)
    return repaired


def _normalised(form: Literal["NFC", "NFKC"], text: str) -> str:
    if text.isascii() or unicodedata.is_normalized(form, text):
        return text
    decomposed = _DECOMPOSED[form]
    ordered = _LONG_RUN.sub(lambda run: _in_canonical_order(decomposed, run[0]), text)
    return unicodedata.normalize(form, ordered)


def _in_canonical_order(form: Literal["NFD", "NFKD"], run: str) -> str:
    """Decompose a run of characters and sort each group of marks in n log n steps (UAX 15)."""
    ordered: list[str] = []
    marks: list[str] = []
    for decomposition in (unicodedata.normalize(form, character) for character in run):
        for character in decomposition:
            if unicodedata.combining(character):
                marks.append(character)
                continue
            ordered += sorted(marks, key=unicodedata.combining)
            ordered.append(character)
            marks.clear()
    return "".join(ordered + sorted(marks, key=unicodedata.combining))


REPAIR_UNICODE = Rule(
    name="repair_unicode",
    version=1,
    summary="Undo mojibake (text decoded with the wrong encoding); quotes and all else stay.",
    apply=repair_unicode,
    libraries=("ftfy",),
)
NORMALISE_NFC = Rule(
    name="normalise_nfc",
    version=1,
    summary="Unicode normal form C: one code for each way to write the same character.",
    apply=normalise_nfc,
)
NORMALISE_NFKC = Rule(
    name="normalise_nfkc",
    version=1,
    summary="Unicode normal form KC: ligatures, widths and superscripts lose their form as well.",
    apply=normalise_nfkc,
)
