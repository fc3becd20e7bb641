"""What the options of sources may be, told before anything is asked of an upstream.

A check is a function of an option's value and of all options; it raises `OptionError` for a value
that cannot be meant. A source names those of its options in ``Source.checks``.
"""

import re
from collections.abc import Iterable
from datetime import date

from sources.source import Check, Option, Options


class OptionError(ValueError):
    """An option's value that does not fit: what is wrong with it, and what was perhaps meant.

    ``word`` is what may be misspelt, of the words in ``valid``; these are empty where anything of
    a form is valid.
    """

    def __init__(self, problem: str, word: str = "", valid: Iterable[str] = ()) -> None:
        super().__init__(problem)
        self.word = word
        self.valid = tuple(valid)


def one_of(*valid: str) -> Check:
    """Return a check for one of a closed list of texts."""

    def check(value: Option, options: Options) -> None:
        del options
        if value not in valid:
            raise OptionError(f"{value!r} is none of its values", str(value), valid)

    return check


def within(least: float, most: float | None = None) -> Check:
    """Return a check for a number of at least ``least``, and at most ``most`` if that is given."""

    def check(value: Option, options: Options) -> None:
        del options
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise OptionError(f"{value!r} is no number")
        if value < least:
            raise OptionError(f"{value!r} is less than {least!r}, the least")
        if most is not None and value > most:
            raise OptionError(f"{value!r} is more than {most!r}, the most")

    return check


def of_form(pattern: str, form: str) -> Check:
    """Return a check for a text that a regular expression matches as a whole; ``form`` tells which."""
    whole = re.compile(pattern, re.ASCII)

    def check(value: Option, options: Options) -> None:
        del options
        if not isinstance(value, str) or not whole.fullmatch(value):
            raise OptionError(f"{value!r} is not of the form {form}")

    return check


def each(*checks: Check) -> Check:
    """Return a check that holds if all ``checks`` do for each element of a list."""

    def check(value: Option, options: Options) -> None:
        for element in value if isinstance(value, tuple) else (value,):
            for one in checks:
                one(element, options)

    return check


def every(*checks: Check) -> Check:
    """Return a check that holds if all ``checks`` do."""

    def check(value: Option, options: Options) -> None:
        for one in checks:
            one(value, options)

    return check


def not_empty(value: Option, options: Options) -> None:
    """Check that a list, or a text, has something in it."""
    del options
    if not value:
        raise OptionError("it is empty")


def distinct(value: Option, options: Options) -> None:
    """Check that nothing is twice in a list."""
    del options
    if isinstance(value, tuple) and len(set(value)) < len(value):
        raise OptionError(f"{next(one for one in value if value.count(one) > 1)!r} is in it twice")


def a_day(value: Option, options: Options) -> None:
    """Check for a day of the calendar, as YYYY-MM-DD."""
    of_form(r"\d{4}-\d\d-\d\d", "YYYY-MM-DD")(value, options)
    try:
        date.fromisoformat(str(value))
    except ValueError as error:
        raise OptionError(f"{value!r} is no day of the calendar: {error}") from error


def not_after(other: str) -> Check:
    """Return a check that a value does not lie behind that of another option of the same kind."""

    def check(value: Option, options: Options) -> None:
        if value > options[other]:  # type: ignore[operator] # both are of one kind
            raise OptionError(f"it lies behind {other} = {options[other]!r}")

    return check
