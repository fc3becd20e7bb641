"""Charts as inline SVG: bars, stacked bars, histograms. Colours and lines are the style sheet's."""

from collections.abc import Sequence

from pile.report.markup import Html, element, plain, text
from pile.report.numbers import grouped, human_bytes

TINTS = 5
"""Shades that parts of a stacked bar take in turn; the last is for all that follow."""

_BAR_WIDTH, _BAR_HEIGHT = 100, 16
_INSET = 3  # a mark stands out above and below its bar
_BIN, _PLOT, _AXIS = 6, 56, 14
_KIBI = 10  # bins between labelled ticks: 2^10


def bar(share: float, label: str, mark: float | None = None) -> Html:
    """Return a bar of ``share`` (0 to 1) of the width, and a mark to compare it with."""
    parts = [_rectangle(0, _BAR_WIDTH, "track"), _rectangle(0, share * _BAR_WIDTH, "fill")]
    if mark is not None:
        parts.append(_upright(mark * _BAR_WIDTH, _BAR_HEIGHT, "mark"))
    return _stretched(label, parts)


def stacked(counts: Sequence[tuple[str, int]], label: str) -> Html:
    """Return a bar of the whole width, divided in proportion to ``counts``."""
    whole = sum(number for _, number in counts) or 1
    parts: list[Html] = []
    left = 0.0
    for place, (name, number) in enumerate(counts):
        width = number / whole * _BAR_WIDTH
        hint = element("title", plain(f"{name}: {grouped(number)}"))
        parts.append(_rectangle(left, width, tint(place), hint))
        left += width
    return _stretched(label, parts)


def swatch(place: int) -> Html:
    """Return a square in the shade of a stacked bar's part."""
    square = element("rect", width="10", height="10", class_=tint(place))
    return element("svg", square, viewBox="0 0 10 10", class_="swatch", aria_hidden="true")


def tint(place: int) -> str:
    """Return the class of the shade of the part at this place."""
    return f"tint{min(place, TINTS - 1)}"


def histogram(
    counts: Sequence[int], bins: int, label: str, marks: Sequence[tuple[float, str]] = ()
) -> Html:
    """Return a histogram over powers of two of bytes.

    ``bins`` is the number of powers on the axis, the same for charts that stand side by side.
    ``marks`` are places on that axis (log2 of bytes) with the class to draw them in.
    """
    highest = max(counts, default=0) or 1
    bars = (_column(power, number, highest) for power, number in enumerate(counts) if number)
    ticks = (tick for power in range(0, bins, _KIBI) for tick in _tick(power))
    lines = (_upright(place * _BIN, _PLOT, kind) for place, kind in marks)
    axis = element("path", d=f"M0 {_PLOT}H{bins * _BIN}", class_="axis")
    return element(
        "svg",
        *bars,
        *lines,
        axis,
        *ticks,
        viewBox=f"0 0 {bins * _BIN} {_PLOT + _AXIS}",
        class_="histogram",
        role="img",
        aria_label=label,
    )


def _column(power: int, number: int, highest: int) -> Html:
    height = max(number / highest * (_PLOT - 4), 0.75)  # a single document must still be seen
    low = 0 if power == 0 else 1 << power
    span = f"{human_bytes(low)} to {human_bytes(2 << power)}: {grouped(number)}"
    return element(
        "rect",
        element("title", plain(span)),
        x=_short(power * _BIN + 0.5),
        y=_short(_PLOT - height),
        width=_short(_BIN - 1),
        height=_short(height),
        class_="fill",
    )


def _tick(power: int) -> tuple[Html, Html]:
    place = power * _BIN
    label = text(human_bytes(1 << power).replace(".00", ""))
    anchor = "start" if power == 0 else "middle"
    return (
        element("path", d=f"M{place} {_PLOT}v3", class_="axis"),
        element("text", label, x=str(place), y=str(_PLOT + _AXIS - 2), text_anchor=anchor),
    )


def _stretched(label: str, parts: Sequence[Html]) -> Html:
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {_BAR_WIDTH} {_BAR_HEIGHT}",
        preserveAspectRatio="none",
        class_="bar",
        role="img",
        aria_label=label,
    )


def _rectangle(left: float, width: float, kind: str, *children: Html) -> Html:
    return element(
        "rect",
        *children,
        x=_short(left),
        y=str(_INSET),
        width=_short(width),
        height=str(_BAR_HEIGHT - 2 * _INSET),
        class_=kind,
    )


def _upright(place: float, height: float, kind: str) -> Html:
    return element("path", d=f"M{_short(place)} 0v{_short(height)}", class_=kind)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
