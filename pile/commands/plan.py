"""``pile plan`` and ``pile bench``: what a run would do and take, before any of it is done."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from pile.commands import render
from pile.commands.options import DEFAULT_CONFIG, ConfigPath, plan_run
from pile.commands.why import why
from pile.config import Config, load
from pile.forecast import bench, rates, text
from pile.forecast.amounts import Amount, planned, published
from pile.forecast.forecast import Forecast, forecast
from pile.graph import Graph
from pile.preflight import downloads, unmet
from pile.states import states
from pile.terminal import AsJson, Debug, emit, errors, say

LINE_MB_S = 50.0
"""Megabytes a second that are downloaded where nobody says how many: a shared gigabit line's half."""

Workers = Annotated[int, typer.Option(min=0, help="Over all nodes; 0: as [run] says, or cores.")]
Line = Annotated[float, typer.Option(min=0.1, help="Megabytes a second of the line.")]


def plan_command(
    config: ConfigPath = DEFAULT_CONFIG,
    workers: Workers = 0,
    line: Line = LINE_MB_S,
    by_published: Annotated[
        bool, typer.Option("--published", help="Ask no upstream; reckon with published sizes.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what a run would do, and why, and what it would take; nothing is run.

    Examples: pile plan -c examples/demo.toml;
    pile plan -c examples/pile-2020.toml --published --workers 256 --line 1000

    By source: what is downloaded, text, documents, the share of the mix (of the sources that are
    there, and of all), core-hours, disk, dollars, licence. By stage: what it reads, core-hours, time,
    disk. Estimates, from sizes of raw files or published ones, and from the rates of `pile bench`.
    """
    with errors(debug):
        if by_published:
            settings = load(config)
            _emit_published(settings, workers or _workers(settings), line, as_json=as_json)
            return
        settings, graph = plan_run(config)
        found = _forecast(settings, graph, workers or _workers(settings), line)
        _emit_planned(settings, graph, found, as_json=as_json)


def _workers(config: Config) -> int:
    return config.run.workers or len(os.sched_getaffinity(0))


def _forecast(config: Config, graph: Graph, workers: int, line: float) -> Forecast:
    skipped = {one.source for one in graph.skipped}
    left_out = [published(table) for table in config.enabled if table.name in skipped]
    here = planned(config, graph)
    return forecast(config, here, left_out, rates.known(), workers, line)


def _emit_published(config: Config, workers: int, line: float, *, as_json: bool) -> None:
    here: list[Amount] = []
    left_out: list[Amount] = []
    skipped: list[dict[str, str]] = []
    for table in config.enabled:
        by_hand = table.source.manual if table.source.access == "local" and not table.files else ""
        (left_out if by_hand else here).append(published(table))
        if by_hand:
            skipped.append({"source": table.name, "why": by_hand})
    found = forecast(config, here, left_out, rates.known(), workers, line)
    _say_left_out([(one["source"], one["why"]) for one in skipped])
    emit({"skipped": skipped, "forecast": asdict(found)}, text.told(found), as_json=as_json)


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
    """Measure how fast each stage runs on a core of this machine, in a minute; `pile plan` reckons by it.

    Example: pile bench

    The pipeline is run over texts made up for it, in a temporary folder. The rates are kept below
    XDG_CACHE_HOME, or ~/.cache.
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
