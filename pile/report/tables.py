"""Tables: cells that carry an exact value, a header that stays, a box that scrolls."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from pile.report import numbers
from pile.report.markup import Html, element, join, text

# A short table stands free on a screen wide enough: it scrolls with the page, not in a box.
_SHORT, _WIDE, _LONG = 60, 10, 80

MOST_ROWS = 500
"""Rows of a table that are shown; the figures beside the page hold all."""

MOST_LETTERS = 160
"""Characters of a cell's text that are shown."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, what it says at length, and the heading it shares with neighbours."""

    heading: str
    hint: str = ""
    group: str = ""
    kind: Literal["number", "text", "chart"] = "number"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell; ``title`` is the exact value behind a rounded one.

    ``value`` is the number it sorts by; a cell without one sorts by its text.
    """

    content: Html
    value: str = ""
    title: str = ""
    kind: str = ""


Row: TypeAlias = Sequence[Cell]


def words(value: str, kind: str = "") -> Cell:
    """Return a cell of text, cut where it is very long."""
    shown = value if len(value) <= MOST_LETTERS else f"{value[: MOST_LETTERS - 1]}…"
    return Cell(text(shown), kind=kind)


def chart(drawing: Html, value: float) -> Cell:
    """Return a cell that holds a drawing, sorted by what it draws."""
    return Cell(drawing, repr(value), kind="chart")


def count(value: int) -> Cell:
    """Return a whole number with thousands separators."""
    return Cell(text(numbers.grouped(value)), str(value), kind="number" if value else "number zero")


def size(value: int) -> Cell:
    """Return a size in binary units, exact in its title."""
    kind = "number" if value else "number zero"
    return Cell(text(numbers.human_bytes(value)), str(value), numbers.exact_bytes(value), kind)


def share(part: float, whole: float) -> Cell:
    """Return ``part`` as a percentage of ``whole``."""
    value = part / whole if whole else -1.0
    return Cell(text(numbers.percent(part, whole)), repr(value), kind="number")


def ratio(part: float, whole: float, digits: int = 2) -> Cell:
    """Return ``part / whole``."""
    value = part / whole if whole else -1.0
    return Cell(text(numbers.ratio(part, whole, digits)), repr(value), kind="number")


def number(value: float, shown: str) -> Cell:
    """Return any other number as ``shown``."""
    return Cell(text(shown), repr(value), kind="number")


def nothing() -> Cell:
    """Return the cell of a value there is not; it sorts below all others."""
    return Cell(text(numbers.DASH), "-1", kind="number zero")


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Row], total: Row | None = None
) -> Html:
    """Return a table in a box that scrolls; the first cell of each row is its heading.

    A total is of all rows, also of those beyond `MOST_ROWS`, which are left out.
    """
    if len(rows) > MOST_ROWS:
        caption += f": the first {MOST_ROWS} of {numbers.grouped(len(rows))}, figures.json has all"
    foot = element("tfoot", _row(total)) if total else Html("")
    grid = element(
        "table",
        element("caption", element("span", text(caption))),
        element("thead", *_headings(columns)),
        element("tbody", *map(_row, rows[:MOST_ROWS])),
        foot,
    )
    kind = "box"
    kind += " free" if len(rows) <= _SHORT and _is_narrow(columns, rows) else ""
    kind += " wide" if len(columns) >= _WIDE else ""
    return element("div", grid, class_=kind, role="region", aria_label=caption, tabindex="0")


def _is_narrow(columns: Sequence[Column], rows: Sequence[Row]) -> bool:
    """Tell whether no cell that does not wrap could be as wide as the page."""
    headings = all(len(column.heading) <= _LONG for column in columns)
    cells = (cell for row in rows for cell in row if "long" not in cell.kind)
    return headings and all(len(cell.content) <= _LONG or "<svg" in cell.content for cell in cells)


def _row(cells: Row) -> Html:
    first, *rest = cells
    return element("tr", _cell("th", first, scope="row"), *(_cell("td", cell) for cell in rest))


def _cell(name: str, cell: Cell, **attributes: str) -> Html:
    if cell.kind:
        attributes["class_"] = cell.kind
    if cell.title:
        attributes["title"] = cell.title
    if cell.value:
        attributes["data_value"] = cell.value
    return element(name, cell.content, **attributes)


def _headings(columns: Sequence[Column]) -> tuple[Html, ...]:
    """Return one row of headings, or two where columns share one."""
    numbered = tuple(enumerate(columns))
    if not any(column.group for column in columns):
        return (element("tr", *(_heading(place, column) for place, column in numbered)),)
    upper: list[Html] = []
    for group, members in groupby(numbered, key=lambda pair: pair[1].group):
        span = tuple(members)
        if group:
            width = str(len(span))
            upper.append(
                element("th", text(group), scope="colgroup", colspan=width, class_="group")
            )
        else:
            upper += (_heading(place, column, rowspan="2") for place, column in span)
    lower = (_heading(place, column) for place, column in numbered if column.group)
    return element("tr", *upper), element("tr", *lower)


def _heading(place: int, column: Column, **attributes: str) -> Html:
    attributes |= {"scope": "col", "class_": column.kind, "data_column": str(place)}
    attributes["data_order"] = "text" if column.kind == "text" else "number"
    if column.hint:
        attributes["title"] = column.hint
    return element("th", text(column.heading), **attributes)


def facts(pairs: Sequence[tuple[str, Cell]], kind: str = "facts") -> Html:
    """Return a list of terms with one value each."""
    return element("dl", *(_fact(term, cell) for term, cell in pairs), class_=kind)


def _fact(term: str, cell: Cell) -> Html:
    value = element("dd", cell.content, **({"title": cell.title} if cell.title else {}))
    return element("div", join(element("dt", text(term)), value))
