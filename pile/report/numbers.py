"""Numbers as a reader wants them: grouped, scaled, rounded; exact values stand beside."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")

DASH = "\N{EN DASH}"
"""Stands for a value there is not."""


MINUS = "\N{MINUS SIGN}"


def grouped(value: int) -> str:
    """Return ``1,234,567``."""
    return f"{value:,}"


def exact_bytes(value: int) -> str:
    """Return ``1,234 bytes``."""
    return f"{value:,} byte{'' if value == 1 else 's'}"


def human_bytes(value: int) -> str:
    """Return three significant digits and a binary unit: ``1.21 KiB``."""
    amount = float(value)
    for unit in _UNITS[:-1]:
        if amount < 999.5:
            return f"{value} B" if unit == "B" else f"{_three_digits(amount)} {unit}"
        amount /= 1024
    return f"{_three_digits(amount)} {_UNITS[-1]}"


def human_count(value: int) -> str:
    """Return three significant digits and a word: ``1.23 million``."""
    for scale, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if value >= scale * 0.9995:
            return f"{_three_digits(value / scale)} {word}"
    return grouped(value)


def percent(part: float, whole: float) -> str:
    """Return ``12.3 %``; a share too small to print is ``< 0.1 %``, one of nothing a dash."""
    if whole <= 0:
        return DASH
    share = 100 * part / whole
    return "< 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def ratio(part: float, whole: float, digits: int = 2) -> str:
    """Return ``part / whole`` with a fixed number of digits, a dash where ``whole`` is 0."""
    return f"{part / whole:,.{digits}f}" if whole else DASH


def deviation(ours: float, theirs: float) -> str:
    """Return by how much ours is more or less than theirs: ``+1.2 %``; a dash where theirs is 0."""
    if not theirs:
        return DASH
    off = 100 * (ours - theirs) / theirs
    if abs(off) < 0.05:
        return "0.0 %"
    if -100 < off < -99.9:
        return f"< {MINUS}99.9 %"
    return f"{'+' if off > 0 else MINUS}{abs(off):,.{1 if abs(off) < 1000 else 0}f} %"


def epochs(value: float) -> str:
    """Return ``1.5``, and ``2`` for 2.0."""
    return f"{value:,.6g}"


def _three_digits(amount: float) -> str:
    digits = 2 if amount < 9.995 else 1 if amount < 99.95 else 0
    return f"{amount:,.{digits}f}"
