"""Charts as inline SVG: bars, dots, histograms. Colours and lines are the style sheet's.

Bars and dots take their places in percent, so that they stretch with the column and nothing in them
is distorted; histograms keep their proportions. Every chart has a label that says what it shows, and
stands in or beside a table of the same figures.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pile.report.markup import Html, element, plain, text
from pile.report.numbers import grouped, human_bytes

TINTS = 5
"""Shades that parts of a stacked bar take in turn; the last is for all that follow."""

_PLOT, _AXIS = 56, 14
_KIBI = 10  # bins between labelled ticks: 2^10


def bar(share: float, label: str, mark: float | None = None) -> Html:
    """Return a bar of ``share`` (0 to 1) of the width, and a mark to compare it with."""
    parts = [_block(0, 1, "track"), _block(0, share, "fill")]
    if mark is not None:
        parts.append(_upright(mark))
    return _strip(label, parts)


def stacked(counts: Sequence[tuple[str, int]], label: str, whole: float) -> Html:
    """Return a bar divided in proportion to ``counts``; ``whole`` of them take all of the width."""
    parts = [_block(0, 1, "track")]
    left = 0.0
    for place, (name, number) in enumerate(counts):
        width = number / whole if whole else 0.0
        parts.append(_block(left, width, tint(place), f"{name}: {grouped(number)}"))
        left += width
    return _strip(label, parts)


def dots(before: float, after: float, label: str, mark: float | None = None) -> Html:
    """Return a ring where a value was, a disc where it is now, and a mark to compare it with."""
    parts = [_block(0, 1, "track thin"), _block(min(before, after), abs(after - before), "way")]
    if mark is not None:
        parts.append(_upright(mark))
    parts.append(element("circle", cx=_percent(before), cy="50%", r="4.5", class_="ring"))
    parts.append(element("circle", cx=_percent(after), cy="50%", r="4.5", class_="fill"))
    return _strip(label, parts)


def diverging(ratio: float, label: str, widest: float) -> Html:
    """Return a bar from the middle to how many times more or less a value is, on a scale of logs.

    ``widest`` is the ratio at either end.
    """
    reach = math.log(max(ratio, 1e-9)) / math.log(widest) / 2
    reach = max(-0.5, min(0.5, reach))
    parts = [
        _block(0, 1, "track thin"),
        _block(0.5 + min(reach, 0), abs(reach), "fill"),
        _upright(0.5),
    ]
    return _strip(label, parts)


def swatch(kind: str) -> Html:
    """Return a square in a colour of the style sheet."""
    square = element("rect", width="10", height="10", class_=kind)
    return element("svg", square, viewBox="0 0 10 10", class_="swatch", aria_hidden="true")


def tint(place: int) -> str:
    """Return the class of the shade of the part at this place."""
    return f"tint{min(place, TINTS - 1)}"


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of bins: how many, how wide, which carry a tick and its label, and what a bin spans."""

    bins: int
    width: float
    ticks: Sequence[tuple[int, str]]
    span: Callable[[int], str]


def sizes(bins: int) -> Axis:
    """Return the axis of sizes in bytes, a bin for each power of two."""
    ticks = [(power, human_bytes(1 << power).replace(".00", "")) for power in range(0, bins, _KIBI)]
    return Axis(bins, 6, ticks, size_span)


def size_span(power: int) -> str:
    """Return what a power of two of bytes spans: from it up to the next."""
    return f"{human_bytes(0 if power == 0 else 1 << power)} to {human_bytes(2 << power)}"


def histogram(
    counts: Sequence[int], axis: Axis, label: str, marks: Sequence[tuple[float, str]] = ()
) -> Html:
    """Return a histogram, drawn to its own peak.

    ``marks`` are places on the axis, in bins, with the class to draw them in.
    """
    highest = max(counts, default=0) or 1
    bars = (_column(axis, place, number, highest) for place, number in enumerate(counts) if number)
    ticks = (part for place, name in axis.ticks for part in _tick(place * axis.width, name))
    lines = (_line(place * axis.width, kind) for place, kind in marks)
    ground = element("path", d=f"M0 {_PLOT}H{_short(axis.bins * axis.width)}", class_="axis")
    return element(
        "svg",
        *bars,
        *lines,
        ground,
        *ticks,
        viewBox=f"0 0 {_short(axis.bins * axis.width)} {_PLOT + _AXIS}",
        class_="histogram",
        role="img",
        aria_label=label,
    )


def _column(axis: Axis, place: int, number: int, highest: int) -> Html:
    height = max(number / highest * (_PLOT - 4), 0.75)  # a single document must still be seen
    return element(
        "rect",
        element("title", plain(f"{axis.span(place)}: {grouped(number)}")),
        x=_short((place + 1 / 12) * axis.width),
        y=_short(_PLOT - height),
        width=_short(5 / 6 * axis.width),
        height=_short(height),
        class_="fill",
    )


def _tick(place: float, name: str) -> tuple[Html, Html]:
    anchor = "middle" if place else "start"
    return (
        element("path", d=f"M{_short(place)} {_PLOT}v3", class_="axis"),
        element("text", text(name), x=_short(place), y=str(_PLOT + _AXIS - 2), text_anchor=anchor),
    )


def _line(place: float, kind: str) -> Html:
    return element("path", d=f"M{_short(place)} 0v{_PLOT}", class_=kind)


def _strip(label: str, parts: Sequence[Html]) -> Html:
    return element("svg", *parts, class_="bar", role="img", aria_label=label)


def _block(left: float, width: float, kind: str, hint: str = "") -> Html:
    thin = "thin" in kind or kind == "way"
    return element(
        "rect",
        *([element("title", plain(hint))] if hint else []),
        x=_percent(left),
        y="44%" if thin else "18%",
        width=_percent(width),
        height="12%" if thin else "64%",
        class_=kind,
    )


def _upright(place: float) -> Html:
    at = _percent(place)
    return element("line", x1=at, x2=at, y1="0", y2="100%", class_="mark")


def _percent(part: float) -> str:
    return f"{_short(100 * part)}%"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
