"""``pile plan`` and ``pile bench``: what a run would do and take, before any of it is done."""

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from pile.commands import render
from pile.commands.options import DEFAULT_CONFIG, ConfigPath, plan_run, say_on_terminal
from pile.commands.why import why
from pile.config import Config, SourceTable, load
from pile.downloads.guests import unmet_by_host
from pile.downloads.raw_files import locate
from pile.forecast import bench, rates, text
from pile.forecast.amounts import Amount, of_files, planned, published
from pile.forecast.forecast import Forecast, Means, forecast
from pile.forecast.progress import left
from pile.graph import NO_FILES, Graph
from pile.preflight import downloads, unmet
from pile.states import states
from pile.terminal import AsJson, Debug, emit, errors, say

LINE_MB_S = 50.0
"""Megabytes a second that are downloaded where nobody says how many: a shared gigabit line's half."""

Workers = Annotated[
    int,
    typer.Option(min=0, help="Over all nodes; 0: run.workers of the config, or this machine's."),
]
Line = Annotated[float, typer.Option(min=0.1, help="Megabytes a second of the line.")]


def plan_command(
    config: ConfigPath = DEFAULT_CONFIG,
    workers: Workers = 0,
    line: Line = LINE_MB_S,
    by_published: Annotated[
        bool,
        typer.Option("--published", help="Ask no upstream: published sizes, and own files' sizes."),
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what a run would do, and why, and what it would take; nothing is run.

    By source: what is downloaded, text, documents, the share of the mix (of the sources that are
    there, and of all), core-hours, disk, dollars, licence. By stage: what it reads, core-hours, time,
    disk. What is done already is not counted. Estimates, from sizes of raw files or published ones,
    and from the rates of `pile bench`.

    Examples: pile plan -c examples/demo.toml;
    pile plan -c examples/pile-2020.toml --published --workers 256 --line 1000
    """
    with errors(debug):
        if by_published:
            settings = load(config)
            _emit_published(settings, _means(settings, workers, line), as_json=as_json)
            return
        settings, graph = plan_run(config)
        means = replace(_means(settings, workers, line), left=left(settings, graph))
        found = _forecast(settings, graph, means)
        _emit_planned(settings, graph, found, as_json=as_json)


def _means(config: Config, workers: int, line: float) -> Means:
    given = workers or config.run.workers or len(os.sched_getaffinity(0))
    return Means(rates.known(), given, line)


def _forecast(config: Config, graph: Graph, means: Means) -> Forecast:
    skipped = {one.source for one in graph.skipped}
    left_out = [published(table) for table in config.enabled if table.name in skipped]
    return forecast(config, planned(config, graph), left_out, means)


def _emit_published(config: Config, means: Means, *, as_json: bool) -> None:
    here: list[Amount] = []
    left_out: list[Amount] = []
    skipped: list[dict[str, str]] = []
    refused: list[tuple[str, str]] = []
    for table in config.enabled:
        source = table.source
        if table.files:
            here.append(_of_own_files(config, table))
        elif source.access == "local":
            left_out.append(published(table))
            skipped.append({"source": table.name, "why": source.manual or NO_FILES})
        else:
            here.append(published(table))
            why = unmet_by_host(config, source)
            refused.extend([(table.name, why)] if why else [])
    found = forecast(config, here, left_out, means)
    _say_left_out([(one["source"], one["why"]) for one in skipped])
    plan: dict[str, Any] = {
        "skipped": skipped,
        "refused": [{"source": name, "why": why} for name, why in refused],
        "forecast": asdict(found),
    }
    blocks = [text.told(found), render.unmet(refused)]
    emit(plan, "\n\n".join(filter(None, blocks)), as_json=as_json)


def _of_own_files(config: Config, table: SourceTable) -> Amount:
    """Return what the user's own files hold; as published where their sizes are not known."""
    files = locate(config, table, say_on_terminal)
    return of_files(table, files) or published(table)


def _emit_planned(config: Config, graph: Graph, expected: Forecast, *, as_json: bool) -> None:
    found = states(config, graph)
    reasons = {one.stage.name: why(config, one).reason for one in found}
    to_come = downloads(config, graph)
    wanted = unmet(config, graph)
    _say_left_out([(one.source, one.why) for one in graph.skipped if not one.refused])
    plan: dict[str, Any] = {
        "downloads": [asdict(one) for one in to_come],
        "stages": [
            {
                "stage": one.stage.name,
                "fingerprint": one.stage.fingerprint,
                "state": one.state,
                "why": reasons[one.stage.name],
            }
            for one in found
        ],
        "skipped": [asdict(one) for one in graph.skipped],
        "refused": [{"source": name, "why": why} for name, why in wanted],
        "forecast": asdict(expected),
    }
    blocks = [
        render.downloads(to_come),
        render.plan(found, reasons),
        text.told(expected) if expected.sources else "",
        render.unmet(wanted),
    ]
    emit(plan, "\n\n".join(filter(None, blocks)), as_json=as_json)


def _say_left_out(skipped: Sequence[tuple[str, str]]) -> None:
    for name, reason in skipped:
        say(f"left out: {name}: {reason}")
    if skipped:
        say("the mix is that of the others, in proportion: SHARE; OF ALL is with those left out")


def bench_command(as_json: AsJson = False, debug: Debug = False) -> None:
    """Measure how fast each stage runs on a core of this machine, in about a minute; `pile plan` reckons by it.

    The pipeline is run over texts made up for it, in a temporary folder. The rates are kept below
    XDG_CACHE_HOME, or ~/.cache.

    Example: pile bench
    """
    with errors(debug):
        found = bench.bench(say)
        place = rates.keep(found)
        rows = [
            (name, f"{rate / 1e6:,.1f}")
            for name, rate in (*found.stages.items(), (f"read {rates.YARDSTICK}", found.yardstick))
        ]
        shown = render.table(("STAGE", "MB/S A CORE"), rows, (1,))
        emit(rates.as_json(found), f"{shown}\nkept: {place}", as_json=as_json)
