"""Tables in Markdown, whatever the names in them hold."""

from collections.abc import Collection, Iterable, Sequence


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()
) -> str:
    """Return a table; the columns ``numbers`` are set to the right."""
    rule = ["---:" if place in numbers else "---" for place in range(len(header))]
    lines = [header, rule, *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Return text as it can stand in a table, or any other line: in one line, its bars escaped."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
