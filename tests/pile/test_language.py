"""Languages are identified without a network, and documents in others rejected."""

import pytest
from pydantic import ValidationError

from pile.cleaning.language import Language, identify, keep_languages
from sources.source import Document, Rejected

ENGLISH = "The river runs slowly past the old mill, and nobody has seen the miller for many years. "
GERMAN = "Der Fluss fließt langsam an der alten Mühle vorbei, und niemand hat den Müller gesehen. "
FRENCH = "La rivière coule lentement devant le vieux moulin, et personne n'a revu le meunier. "


def verdict(text: str, **table: object) -> Document | Rejected:
    """Apply the rule."""
    return keep_languages(Document("a", text, "a.txt:0", "", {"n": 1}), Language(**table))  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "code"), [(ENGLISH, "en"), (GERMAN, "de"), (FRENCH, "fr")])
def test_languages_are_told_apart(text: str, code: str) -> None:
    """A document of a wanted language stays, and says which it is."""
    kept = verdict(text, languages=("en", "de", "fr"))
    assert isinstance(kept, Document)
    assert kept.text == text
    assert kept.meta == {"n": 1, "detected_language": code}


def test_what_is_measured_is_told() -> None:
    """Another language, too little of one, or none at all."""
    other = verdict(GERMAN)
    assert isinstance(other, Rejected)
    assert other.reason == "other_language"
    assert other.detail == "de 98%; languages = ['en']"
    mixed = verdict(ENGLISH * 2 + GERMAN * 3)
    assert isinstance(mixed, Rejected)
    assert mixed.reason == "mixed_languages"
    assert mixed.detail.endswith(" < min_share = 0.65")
    assert isinstance(verdict(ENGLISH * 2 + GERMAN * 3, min_share=0.3), Document)
    none = verdict("12 34 56")
    assert isinstance(none, Rejected)
    assert none.reason == "unknown_language"


@pytest.mark.parametrize("odd", ["\0", "\x01", "\ufdd0", "\U0010ffff", "<b>", "\u200b"])
def test_characters_that_cld2_refuses_do_not_matter(odd: str) -> None:
    """Control characters and code points that are none leave the language as it is."""
    assert identify(odd + ENGLISH + odd)[0].code == "en"


def test_a_language_that_is_none_is_refused() -> None:
    """The nearest code is named."""
    with pytest.raises(
        ValidationError, match="no language is called 'english' by CLD2; did you mean 'en'"
    ):
        Language(languages=("english",))
