"""What each stage took: time on the wall, of processors, bytes read and written, and its price.

These figures are of one machine and one day, so they are no part of the run's reproducible figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from pile.report import numbers
from pile.report.charts import bar
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, paragraph
from pile.report.tables import (
    Cell,
    Column,
    Row,
    chart,
    count,
    nothing,
    number,
    ratio,
    share,
    size,
    table,
    words,
)


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a stage took when it was made.

    ``task_seconds`` are those of its ``tasks`` together, ``cpu_seconds`` what they used of
    processors. ``all_tasks`` counts those of earlier, interrupted runs too, of which no times are
    known. ``records`` are those that it took in.
    """

    name: str
    tasks: int = 0
    all_tasks: int = 0
    task_seconds: float = 0.0
    cpu_seconds: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """What all stages took, and the price of a core for an hour in US dollars, if it is known."""

    stages: tuple[StageCost, ...]
    usd_per_core_hour: float = 0.0


def costs(found: Costs) -> Section:
    """Return what the stages took, by kind of stage and one by one."""
    if not found.stages:
        return _section(paragraph("The log of this work directory tells of no stage."))
    lead = paragraph(
        "What each stage took when it was made on this machine, which need not have been in the last "
        "run. Tasks run side by side, so their seconds add up to more than passed on the wall.",
        "lead",
    )
    kinds = _by_kind(found.stages)
    total = _sum("All stages", found.stages)
    price = found.usd_per_core_hour
    said = [lead, paragraph(_summary(total, price)), _table("Stages by kind", kinds, total, price)]
    every = element(
        "details",
        element("summary", text("Every stage")),
        _table("Every stage", found.stages, total, price),
        class_="aside",
    )
    return _section(join(*said, every, *_unknown(total)))


def _section(body: Html) -> Section:
    return Section("costs", "Time and cost", body)


def _summary(total: StageCost, price: float) -> str:
    hours = total.cpu_seconds / 3600
    said = f"{duration(total.cpu_seconds)} of processor time, {hours:,.3g} core-hours"
    dollars = f", {hours * price:,.2f} USD at {price:g} USD a core-hour" if price else ""
    hint = "" if price else " With [run] usd_per_core_hour set, dollars stand here too."
    return (
        f"In all {said}{dollars}; {numbers.human_bytes(total.written_bytes)} written. "
        f"What is read is known of the stages that read raw files, documents or corpus files.{hint}"
    )


def _by_kind(stages: Sequence[StageCost]) -> list[StageCost]:
    """Return the sums of the stages of each kind, in the order in which kinds first come."""
    kinds: dict[str, list[StageCost]] = {}
    for stage in stages:
        kinds.setdefault(stage.name.partition(".")[0], []).append(stage)
    return [_sum(kind, members) for kind, members in kinds.items()]


def _sum(name: str, stages: Sequence[StageCost]) -> StageCost:
    return replace(reduce(_added, stages), name=name)


def _added(one: StageCost, other: StageCost) -> StageCost:
    return StageCost(
        one.name,
        one.tasks + other.tasks,
        one.all_tasks + other.all_tasks,
        one.task_seconds + other.task_seconds,
        one.cpu_seconds + other.cpu_seconds,
        one.read_bytes + other.read_bytes,
        one.written_bytes + other.written_bytes,
        one.records + other.records,
    )


def _table(caption: str, stages: Sequence[StageCost], total: StageCost, price: float) -> Html:
    columns = (
        Column("Stage", kind="text"),
        Column("Processor time", kind="chart"),
        Column("CPU"),
        Column("of all"),
        Column("In tasks", "Seconds of all tasks together, waiting included"),
        Column("Tasks"),
        Column("Records"),
        Column("Read", "Of raw files, documents and corpus files as they lie on the disk"),
        Column("Written"),
        Column("MB/s CPU", "Bytes read, in MB, for each second of processor time"),
        *([Column("USD")] if price else []),
    )
    most = max(stage.cpu_seconds for stage in stages) or 1.0
    rows = [_row(stage, total, most, price) for stage in stages]
    sums = [*_row(total, total, 0.0, price)]
    sums[1] = words("")
    # Not all stages tell what they read: a sum would be of some, a rate of none.
    sums[7] = sums[9] = nothing()
    return table(caption, columns, rows, sums)


def _row(stage: StageCost, total: StageCost, most: float, price: float) -> Row:
    label = f"{stage.name}: {duration(stage.cpu_seconds)} of processor time"
    drawn = bar(stage.cpu_seconds / most, label) if most else text("")
    known = stage.tasks > 0
    return (
        words(stage.name, "code"),
        chart(drawn, stage.cpu_seconds),
        _time(stage.cpu_seconds) if known else nothing(),
        share(stage.cpu_seconds, total.cpu_seconds),
        _time(stage.task_seconds) if known else nothing(),
        count(stage.all_tasks),
        count(stage.records),
        size(stage.read_bytes) if stage.read_bytes else nothing(),
        size(stage.written_bytes),
        ratio(stage.read_bytes / 1e6, stage.cpu_seconds)
        if stage.read_bytes and stage.cpu_seconds
        else nothing(),
        *([number(_usd(stage, price), f"{_usd(stage, price):,.2f}")] if price else []),
    )


def _time(seconds: float) -> Cell:
    return number(seconds, duration(seconds))


def _usd(stage: StageCost, price: float) -> float:
    return stage.cpu_seconds / 3600 * price


def _unknown(total: StageCost) -> list[Html]:
    lost = total.all_tasks - total.tasks
    if lost <= 0:
        return []
    return [
        paragraph(
            f"Of {numbers.grouped(lost)} of {numbers.grouped(total.all_tasks)} tasks no times are "
            "known: they were done in a run that was interrupted, or by an earlier version.",
            "note",
        )
    ]


def duration(seconds: float) -> str:
    """Return seconds as a reader wants them: ``0.42 s``, ``12.3 s``, ``3 min 20 s``, ``5 h 10 min``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"
