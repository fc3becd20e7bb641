"""``[clean]``: which rules are applied to which sources, and their thresholds."""

from pydantic import Field, model_validator

from pile.cleaning.c4 import C4BadWords, C4Quality
from pile.cleaning.gopher import GopherQuality, GopherRepetition
from pile.cleaning.language import Language
from pile.cleaning.length import Overlong, Short
from pile.cleaning.personal import MaskPersonal
from pile.cleaning.rule import NoThresholds
from pile.cleaning.rules import Chosen, select
from pile.settings import Settings


class Rules(Settings):
    """Rules at choice, applied in their own order, and a table of thresholds for each that has some."""

    rules: tuple[str, ...] = ()
    language: Language = Language()
    gopher_repetition: GopherRepetition = GopherRepetition()
    gopher_quality: GopherQuality = GopherQuality()
    c4_quality: C4Quality = C4Quality()
    c4_bad_words: C4BadWords = C4BadWords()
    mask_personal: MaskPersonal = MaskPersonal()
    reject_short: Short = Short()
    reject_overlong: Overlong = Overlong()

    @property
    def chosen(self) -> Chosen:
        """The rules in their order, each with its thresholds."""
        return [(rule, getattr(self, rule.name, NoThresholds())) for rule in select(self.rules)]

    def check(self) -> None:
        """Raise ValueError for a rule that is none, and for thresholds that no text can meet."""
        select(self.rules)
        fewest, most = self.reject_short.min_characters, self.reject_overlong.max_characters
        if {"reject_short", "reject_overlong"} <= set(self.rules) and fewest > most:
            raise ValueError(
                f"min_characters = {fewest} and max_characters = {most} reject every text"
            )
        quality = self.gopher_quality
        if quality.min_words > quality.max_words:
            raise ValueError("gopher_quality: min_words is above max_words")
        if quality.min_mean_word_length > quality.max_mean_word_length:
            raise ValueError("gopher_quality: min_mean_word_length is above max_mean_word_length")
        if quality.min_stop_words > len(set(quality.stop_words)):
            raise ValueError("gopher_quality: min_stop_words is more than there are stop_words")


class Clean(Rules):
    """``[clean]``: none in the 2020 recipe; ``[clean.sources.<name>]`` says otherwise of a source."""

    sources: dict[str, Rules] = Field(default_factory=dict)

    def of(self, source: str) -> Rules:
        """Return the rules of a source: its own keys over those of all."""
        common = {name: getattr(self, name) for name in Rules.model_fields}
        own = self.sources.get(source, Rules())
        for name in own.model_fields_set:
            value = getattr(own, name)
            if isinstance(value, Settings):
                keys = {key: getattr(value, key) for key in value.model_fields_set}
                value = type(value).model_validate({**dict(getattr(self, name)), **keys})
            common[name] = value
        return Rules.model_validate(common)

    @model_validator(mode="after")
    def _rules_agree(self) -> "Clean":
        self.check()
        for source in self.sources:
            try:
                self.of(source).check()
            except ValueError as error:
                raise ValueError(f"of [clean.sources.{source}]: {error}") from error
        return self
