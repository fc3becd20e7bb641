"""A treemap: rectangles in proportion to values, grouped, as near to squares as they will go.

The layout is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): tiles are laid in
rows along the shorter side, and a row is closed when one more tile would make it less square.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from pile.report.markup import Html, element, plain, text


@dataclass(frozen=True, slots=True)
class Tile:
    """A value with its name, the label of its share, the group it belongs to, and its colour's class."""

    name: str
    share: str
    value: float
    group: str
    colour: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the drawing."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Canvas:
    """A size at which a treemap is laid out, at most that at which it is shown, and its class."""

    width: int
    height: int
    kind: str


CANVASES = (Canvas(1060, 420, "wide"), Canvas(580, 420, "middle"), Canvas(328, 560, "tall"))
"""Drawings stretch to the page's width; which of them is seen, the style sheet decides."""

_PAD, _LINE, _LETTER = 8, 17, 8.2
"""Pixels around a label, of a line, and of a letter at its widest average."""

_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where a name without spaces may be broken: YoutubeSubtitles."""


def treemap(tiles: Sequence[Tile], label: str) -> Html:
    """Draw tiles, for wide screens and for narrower ones."""
    return element(
        "div", *(_drawing(tiles, canvas, label) for canvas in CANVASES), class_="treemap"
    )


def layout(values: Sequence[float], box: Box) -> list[Box]:
    """Divide a box in proportion to positive values, given in falling order."""
    found: list[Box] = []
    rest = box
    while len(found) < len(values):
        left = values[len(found) :]
        row = _row(left, rest)
        boxes, rest = _lay(left[:row], sum(left), rest)
        found += boxes
    return found


def _row(values: Sequence[float], box: Box) -> int:
    """Return how many of the values make the most square row along the box's shorter side."""
    scale = box.width * box.height / sum(values)
    side = min(box.width, box.height)
    best = _worst(values[:1], side, scale)
    for count in range(2, len(values) + 1):
        worst = _worst(values[:count], side, scale)
        if worst > best:
            return count - 1
        best = worst
    return len(values)


def _worst(row: Sequence[float], side: float, scale: float) -> float:
    """Return how far from a square the worst tile of a row is."""
    whole = sum(row) * scale
    square = side * side / (whole * whole) * scale
    return max(square * max(row), 1 / (square * min(row)))


def _lay(row: Sequence[float], whole: float, box: Box) -> tuple[list[Box], Box]:
    """Return the boxes of a row along the shorter side, and what is left of the box."""
    share = sum(row) / whole
    found: list[Box] = []
    done = 0.0
    for value in row:
        part = value / sum(row)
        if box.width >= box.height:
            width = box.width * share
            top = box.top + done * box.height
            found.append(Box(box.left, top, width, box.height * part))
        else:
            left = box.left + done * box.width
            found.append(Box(left, box.top, box.width * part, box.height * share))
        done += part
    if box.width >= box.height:
        taken = box.width * share
        return found, Box(box.left + taken, box.top, box.width - taken, box.height)
    taken = box.height * share
    return found, Box(box.left, box.top + taken, box.width, box.height - taken)


def placed(tiles: Sequence[Tile], canvas: Canvas) -> list[tuple[Tile, Box]]:
    """Return each tile with its box: groups side by side, the largest first, tiles likewise inside."""
    groups: dict[str, list[Tile]] = {}
    for tile in sorted(tiles, key=lambda tile: (-tile.value, tile.name)):
        if tile.value > 0:
            groups.setdefault(tile.group, []).append(tile)
    sums = {name: sum(tile.value for tile in group) for name, group in groups.items()}
    ranked = sorted(groups, key=lambda name: (-sums[name], name))
    boxes = layout([sums[name] for name in ranked], Box(0, 0, canvas.width, canvas.height))
    return [
        pair
        for name, box in zip(ranked, boxes, strict=True)
        for pair in zip(
            groups[name], layout([tile.value for tile in groups[name]], box), strict=True
        )
    ]


def _drawing(tiles: Sequence[Tile], canvas: Canvas, label: str) -> Html:
    drawn = (_tile(tile, box, canvas) for tile, box in placed(tiles, canvas))
    return element("svg", *drawn, class_=canvas.kind, role="img", aria_label=label)


def _tile(tile: Tile, box: Box, canvas: Canvas) -> Html:
    """Draw a tile as a drawing of its own, so that nothing of its label leaves it."""
    hint = element("title", plain(f"{tile.name}: {tile.share}, {tile.group}"))
    ground = element("rect", width="100%", height="100%", class_=tile.colour)
    return element(
        "svg",
        hint,
        ground,
        *_labels(tile, box),
        x=_percent(box.left / canvas.width),
        y=_percent(box.top / canvas.height),
        width=_percent(box.width / canvas.width),
        height=_percent(box.height / canvas.height),
    )


def _labels(tile: Tile, box: Box) -> list[Html]:
    """Return the lines that fit into a box: the name, broken where it must be, and below it the share."""
    letters = int((box.width - 2 * _PAD) / _LETTER)
    room = int((box.height - _PAD) / _LINE)
    for name in (tile.name, _HUMPS.sub(" ", tile.name)):
        lines = textwrap.wrap(name, max(letters, 1), break_long_words=False)
        if lines and len(lines) <= room and max(map(len, lines)) <= letters:
            break
    else:
        return []
    drawn = [_line(line, number) for number, line in enumerate(lines, start=1)]
    if len(lines) < room and len(tile.share) <= letters:
        drawn.append(_line(tile.share, len(lines) + 1, class_="share"))
    return drawn


def _line(words: str, number: int, **attributes: str) -> Html:
    return element("text", text(words), x=str(_PAD), y=str(number * _LINE + 3), **attributes)


def _percent(part: float) -> str:
    return f"{100 * part:.3f}%"
