"""A forecast as text for a terminal."""

from pile.commands.render import size, table
from pile.forecast.assumptions import BYTES_A_TOKEN, PACKED
from pile.forecast.forecast import Forecast, SourceForecast
from pile.forecast.rates import REFERENCE

ASSUMED = (
    f"assumed: no document is refused or a duplicate, text packs to {PACKED:.0%}, a token is "
    f"{BYTES_A_TOKEN:g} bytes of it, and stages come one after the other"
)


def told(found: Forecast) -> str:
    """Return a table of sources, one of stages, and what they come to."""
    tables = [_sources(found), *([_stages(found)] if found.stages else [])]
    return "\n\n".join([*tables, _whole(found)])


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
        size(one.download) if one.sized else f"{size(one.download)} +" if one.download else "?",
        size(one.text) if one.text else "?",
        f"{one.documents:,}" if one.text else "?",
        f"{one.epochs:g}",
        f"{one.share:.2%}",
        f"{one.share_of_all:.2%}",
        core_hours(one.core_hours),
        size(one.disk),
        f"{one.usd:,.0f}" if one.usd else "",
        one.licence,
    )


def _stages(found: Forecast) -> str:
    rows = [
        (one.stage, size(one.bytes), core_hours(one.core_hours), hours(one.hours), size(one.disk))
        for one in found.stages
    ]
    header = ("STAGE", "READS", "CORE-HOURS", "TIME", "DISK")
    return table(header, rows, range(1, len(header)))


def _whole(found: Forecast) -> str:
    lines = [
        f"in all: {core_hours(found.core_hours)} core-hours; {hours(found.hours)} with "
        f"{found.workers} workers and a line of {found.line_mb_s:g} MB/s; {size(found.disk)} more on "
        f"the disk, most at the end; {_dollars(found)}"
        if found.stages
        else "in all: nothing is left to do"
    ]
    bases = sorted({one.basis for one in found.sources})
    lines += [
        f"{basis}: {', '.join(one.source for one in found.sources if one.basis == basis)}"
        for basis in bases
    ]
    if unsized := [one.source for one in found.sources if not one.sized]:
        lines.append(f"downloads of unknown size are not in it: {', '.join(unsized)}")
    if found.unknown:
        lines.append(f"not reckoned with, as nothing tells their size: {', '.join(found.unknown)}")
    if found.unreckoned:
        lines.append(f"not reckoned with, as not measured: {', '.join(found.unreckoned)}")
    lines.append(ASSUMED)
    advice = "; `pile bench` measures this machine" if found.rates_of == REFERENCE.machine else ""
    lines.append(f"rates: {found.rates_of}{advice}")
    return "\n".join(lines)


def _dollars(found: Forecast) -> str:
    told = f"{found.usd_downloads:,.0f} USD for downloads"
    if found.usd_cores:
        return f"{told}, {found.usd_cores:,.0f} USD for cores"
    return f"{told}, cores at no price ([run] usd_per_core_hour)"


def core_hours(count: float) -> str:
    """Return core-hours with three digits that count, however few they are."""
    return f"{count:,.0f}" if count >= 100 or not count else f"{count:.3g}"


def hours(count: float) -> str:
    """Return hours in the unit that one thinks in."""
    if count < 1 / 60:
        return f"{count * 3600:.0f} s"
    if count < 2:
        return f"{count * 60:.0f} min"
    return f"{count:,.0f} h" if count < 72 else f"{count / 24:,.0f} days"
