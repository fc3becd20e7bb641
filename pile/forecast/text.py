"""A forecast as text for a terminal."""

from pile.commands.render import size, table
from pile.forecast.forecast import Forecast, SourceForecast
from pile.forecast.rates import REFERENCE


def told(found: Forecast) -> str:
    """Return a table of sources, one of stages, and what they come to."""
    return "\n\n".join([_sources(found), _stages(found), _whole(found)])


def _sources(found: Forecast) -> str:
    header = (
        *("SOURCE", "DOWNLOAD", "TEXT", "DOCUMENTS", "EPOCHS", "SHARE", "OF ALL"),
        *("CORE-HOURS", "DISK", "USD", "LICENCE"),
    )
    rows = [_source_row(one) for one in found.sources]
    return table(header, rows, range(1, 10))


def _source_row(one: SourceForecast) -> tuple[str, ...]:
    return (
        one.source,
        size(one.download),
        size(one.text) if one.text else "?",
        f"{one.documents:,}" if one.text else "?",
        f"{one.epochs:g}",
        f"{one.share:.2%}",
        f"{one.share_of_all:.2%}",
        f"{one.core_hours:,.1f}",
        size(one.disk),
        f"{one.usd:,.0f}" if one.usd else "",
        one.licence,
    )


def _stages(found: Forecast) -> str:
    rows = [
        (one.stage, size(one.bytes), f"{one.core_hours:,.1f}", hours(one.hours), size(one.disk))
        for one in found.stages
    ]
    header = ("STAGE", "READS", "CORE-HOURS", "TIME", "DISK")
    return table(header, rows, range(1, len(header)))


def _whole(found: Forecast) -> str:
    lines = [
        f"in all: {found.core_hours:,.1f} core-hours; {hours(found.hours)} with {found.workers} workers "
        f"and a line of {found.line_mb_s:g} MB/s; {size(found.disk)} of disk at the end, the most"
        + (f"; {found.usd:,.0f} USD" if found.usd else ""),
    ]
    bases = sorted({one.basis for one in found.sources})
    lines += [
        f"{basis}: {', '.join(one.source for one in found.sources if one.basis == basis)}"
        for basis in bases
    ]
    if found.unknown:
        lines.append(f"not reckoned with, as nothing tells their size: {', '.join(found.unknown)}")
    advice = "; `pile bench` measures this machine" if found.rates_of == REFERENCE.machine else ""
    lines.append(f"rates: {found.rates_of}{advice}")
    return "\n".join(lines)


def hours(count: float) -> str:
    """Return hours in the unit that one thinks in."""
    if count < 1 / 60:
        return f"{count * 3600:.0f} s"
    if count < 2:
        return f"{count * 60:.0f} min"
    return f"{count:,.0f} h" if count < 72 else f"{count / 24:,.0f} days"
