"""The quality and repetition rules of MassiveText (Rae et al. 2021, arXiv 2112.11446, section A1.1).

The paper says what is counted, not how. Where it leaves that open, counting is datatrove's, but for words:
they are what stands between white space, in any language, where datatrove has spaCy take them apart.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pile.cleaning.rule import Rule, above, below
from pile.cleaning.words.measures import (
    DUPLICATE_GRAMS,
    LONGEST_TOP_GRAM,
    Repetition,
    Shape,
    repetition,
    shape,
    warm,
)
from pile.settings import Settings
from sources.source import Document, Rejected

Ratio = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=0)]
Word = Annotated[str, Field(pattern=r"^\S+$")]
ThreeRatios = tuple[Ratio, Ratio, Ratio]
SixRatios = tuple[Ratio, Ratio, Ratio, Ratio, Ratio, Ratio]


class GopherQuality(Settings):
    """``[clean.gopher_quality]``: as published; words of symbols alone have no part in number and length."""

    min_words: Count = 50
    max_words: Count = 100_000
    min_mean_word_length: Ratio = 3.0
    max_mean_word_length: Ratio = 10.0
    max_hashes: Ratio = 0.1
    max_ellipses: Ratio = 0.1
    max_bullet_lines: Ratio = 0.9
    max_ellipsis_lines: Ratio = 0.3
    min_alphabetic_words: Ratio = 0.8
    min_stop_words: Count = 2
    stop_words: tuple[Word, ...] = ("the", "be", "to", "of", "and", "that", "have", "with")


class GopherRepetition(Settings):
    """``[clean.gopher_repetition]``: Table A1. ``top_grams`` are for n = 2 to 4, ``duplicate_grams`` 5 to 10."""

    max_repeated_paragraphs: Ratio = 0.30
    max_repeated_paragraph_characters: Ratio = 0.20
    max_repeated_lines: Ratio = 0.30
    max_repeated_line_characters: Ratio = 0.20
    max_top_grams: ThreeRatios = (0.20, 0.18, 0.16)
    max_duplicate_grams: SixRatios = (0.15, 0.14, 0.13, 0.12, 0.11, 0.10)


def gopher_quality(document: Document, table: GopherQuality) -> Document | Rejected:
    """Reject a text by the first measure that is out of bounds, in the order of the paper."""
    for reason, value, name in _measured(shape(document.text, table.stop_words)):
        bound = getattr(table, name)
        if name.startswith("min_") and value < bound:
            return below(document, reason, value, (name, bound))
        if name.startswith("max_") and value > bound:
            return above(document, reason, value, (name, bound))
    return document


def _measured(found: Shape) -> Iterator[tuple[str, float, str]]:
    yield "few_words", found.plain, "min_words"
    yield "many_words", found.plain, "max_words"
    if found.plain:
        mean = found.plain_characters / found.plain
        yield "short_words", mean, "min_mean_word_length"
        yield "long_words", mean, "max_mean_word_length"
    if found.words:
        yield "hash_signs", found.hashes / found.words, "max_hashes"
        yield "ellipses", found.ellipses / found.words, "max_ellipses"
    if found.lines:
        yield "bullet_lines", found.bullet_lines / found.lines, "max_bullet_lines"
        yield "ellipsis_lines", found.ellipsis_lines / found.lines, "max_ellipsis_lines"
    if found.words:
        yield "few_alphabetic_words", found.alphabetic / found.words, "min_alphabetic_words"
    yield "few_stop_words", found.stop_words, "min_stop_words"


def gopher_repetition(document: Document, table: GopherRepetition) -> Document | Rejected:
    """Reject a text of which too much repeats."""
    found = repetition(document.text)
    for reason, value, (name, bound) in _repeats(found, table):
        if value > bound:
            return above(document, reason, value, (name, bound))
    return document


def _repeats(
    found: Repetition, table: GopherRepetition
) -> Iterator[tuple[str, float, tuple[str, float]]]:
    characters = max(found.characters, 1)
    for reason, value in (
        ("repeated_paragraphs", found.paragraphs.repeated / found.paragraphs.number),
        ("repeated_paragraph_characters", found.paragraphs.repeated_characters / characters),
        ("repeated_lines", found.lines.repeated / found.lines.number),
        ("repeated_line_characters", found.lines.repeated_characters / characters),
    ):
        name = f"max_{reason}"
        yield reason, value, (name, getattr(table, name))
    sizes = range(2, LONGEST_TOP_GRAM + 1)
    for n, size, bound in zip(sizes, found.top, table.max_top_grams, strict=True):
        yield f"top_{n}_gram", size / characters, ("max_top_grams", bound)
    for n, size, bound in zip(
        DUPLICATE_GRAMS, found.duplicate, table.max_duplicate_grams, strict=True
    ):
        yield f"duplicate_{n}_grams", size / characters, ("max_duplicate_grams", bound)


GOPHER_QUALITY = Rule(
    name="gopher_quality",
    version=1,
    summary="MassiveText's rules on words, symbols, bullets, ellipses and stop words.",
    apply=gopher_quality,
    reasons={
        "few_words": "Fewer words than min_words, words of symbols alone not counted.",
        "many_words": "More words than max_words.",
        "short_words": "The mean length of words is below min_mean_word_length.",
        "long_words": "The mean length of words is above max_mean_word_length.",
        "few_alphabetic_words": "Too small a share of the words has an alphabetic character.",
        "few_stop_words": "Fewer of the stop words than min_stop_words occur.",
        "hash_signs": "Too many hash signs for the number of words.",
        "ellipses": "Too many ellipses for the number of words.",
        "bullet_lines": "Too large a share of the lines begins with a bullet.",
        "ellipsis_lines": "Too large a share of the lines ends with an ellipsis.",
    },
    table=GopherQuality,
    warm=warm,
)
GOPHER_REPETITION = Rule(
    name="gopher_repetition",
    version=1,
    summary="MassiveText's rules on repeated lines, paragraphs and n-grams.",
    apply=gopher_repetition,
    reasons={
        "repeated_paragraphs": "Too large a share of the paragraphs came before.",
        "repeated_paragraph_characters": "Paragraphs that came before hold too much of the text.",
        "repeated_lines": "Too large a share of the lines came before.",
        "repeated_line_characters": "Lines that came before hold too much of the text.",
        **{
            f"top_{n}_gram": f"The commonest {n} words in a row hold too much of the text."
            for n in range(2, LONGEST_TOP_GRAM + 1)
        },
        **{
            f"duplicate_{n}_grams": f"Runs of {n} words that came before hold too much of the text."
            for n in DUPLICATE_GRAMS
        },
    },
    table=GopherRepetition,
    warm=warm,
)
