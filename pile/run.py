"""Decide what to do, do it, and say why.

Stages run in waves: all stages whose inputs are done share the workers. A stage whose manifest and
parts are there is left alone; else the tasks without a receipt, or with a missing part, are run.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pile import layout, ledger, store
from pile.config import Config
from pile.engine import Failed, Run, Task, Workers, open_engine
from pile.graph import Graph
from pile.ledger import Receipt
from pile.raw_files import free_bytes
from pile.stages import mix, report, tokenize, train_tokenizer
from pile.stages.stage import Made, Stage
from sources.fetch import UpstreamError

SMALL_BYTES = 32 << 20
"""Raw bytes below which ``engine = "auto"`` stays in this process and does not pay for Ray."""

RESERVE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class State:
    """How far a stage is: ``done``, ``partial`` (some tasks or parts missing), or ``to do``."""

    stage: Stage
    folder: Path
    state: Literal["done", "partial", "to do"]


@dataclass(frozen=True, slots=True)
class WaveStarted:
    """Tasks are about to run; ``weight`` is what they read, in bytes."""

    stages: tuple[str, ...]
    tasks: int
    weight: int


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """One task is done and its receipt is in the ledger."""

    task: Task
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class StageMade:
    """A stage is finished and its manifest published."""

    stage: Stage
    manifest: Mapping[str, Any]
    seconds: float


Event: TypeAlias = WaveStarted | TaskEnded | StageMade
Watch: TypeAlias = Callable[[Event], None]


@dataclass(slots=True)
class Outcome:
    """What a run did: stages made, stages found done, and what was set aside."""

    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, str, str]] = field(default_factory=list)


class RunFailed(Exception):  # noqa: N818 - the name says what happened
    """Tasks failed; everything finished so far is kept."""


class SourcesGoneError(Exception):
    """Upstreams that could not be fetched from; the run can go on without these sources.

    ``gone`` says by source what happened.
    """

    def __init__(self, gone: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in gone.items()))
        self.gone = gone


class NoSpaceError(Exception):
    """The disk cannot hold what is planned; nothing was started."""


def states(config: Config, graph: Graph) -> list[State]:
    """Return how far each stage is."""
    return [_state(config, stage) for stage in graph.stages]


def _state(config: Config, stage: Stage) -> State:
    folder = layout.stage(config.work, stage.name, stage.fingerprint)
    found = read_manifest(folder)
    if found is not None and all(_is_whole(folder, part) for part in found["parts"]):
        return State(stage, folder, "done")
    return State(stage, folder, "partial" if layout.receipts(folder).exists() else "to do")


def _is_whole(folder: Path, part: Mapping[str, Any]) -> bool:
    path = folder / part["name"]
    return path.exists() and bool(path.stat().st_size == part["size"])


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a stage's manifest, or None while it has none."""
    path = layout.manifest(folder)
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def made(config: Config, stage: Stage) -> Made | None:
    """Return a finished stage, or None."""
    folder = layout.stage(config.work, stage.name, stage.fingerprint)
    found = read_manifest(folder)
    return Made(folder, found) if found is not None else None


def workers(config: Config, graph: Graph) -> Workers:
    """Choose the engine: what the config says, and for ``auto`` Ray unless the job is small."""
    table = config.run
    engine, address = table.engine, table.ray_address or os.environ.get("RAY_ADDRESS", "")
    if engine == "auto":
        weight = sum(
            file.raw.size or SMALL_BYTES for files in graph.files.values() for file in files
        )
        engine = "serial" if weight < SMALL_BYTES and not address else "ray"
    return Workers(engine, table.workers, address, table.temp, table.stall_minutes)


def check_space(config: Config, graph: Graph) -> None:
    """Refuse a run whose downloads and documents would not fit on the disk."""
    needed = RESERVE_BYTES
    for name, files in graph.files.items():
        if _state(config, graph.named(f"extract.{name}")).state == "done":
            continue
        raw = sum(file.raw.size or 0 for file in files)
        missing = sum(file.raw.size or 0 for file in files if not file.path.exists())
        needed += missing + raw
    free = free_bytes(config.work)
    if free < needed:
        raise NoSpaceError(
            f"{config.work}: about {needed / 1e9:,.1f} GB are needed to begin, "
            f"{free / 1e9:,.1f} GB are free; give [run] work a larger disk, or fewer sources"
        )


def run(config: Config, graph: Graph, watch: Watch) -> Outcome:
    """Run whatever is not done; the caller holds the lock.

    Raises `RunFailed`, `SourcesGoneError`, `NoSpaceError`, `pile.engine.NoProgressError`.
    """
    check_space(config, graph)
    store.sweep(config.work / "stages")
    outcome = Outcome()
    if any(state.state != "done" for state in states(config, graph)):
        with open_engine(workers(config, graph)) as engine:
            for wave in graph.waves():
                _run_wave(config, wave, engine, watch, outcome)
    else:
        outcome.kept.extend(stage.name for stage in graph.stages)
    for stage in graph.stages:
        finished = made(config, stage)
        if finished is not None:
            outcome.quarantined.extend(
                (stage.name, bad["file"], bad["reason"]) for bad in finished.manifest["quarantined"]
            )
    _link_latest(config, graph)
    return outcome


@dataclass(slots=True)
class _Running:
    """A stage in this wave: the receipts it has, and the tasks it still waits for."""

    stage: Stage
    folder: Path
    wanted: set[str]
    receipts: dict[str, Receipt]
    started: float
    failures: list[tuple[Task, BaseException]] = field(default_factory=list)


def _run_wave(
    config: Config, wave: Sequence[Stage], engine: Run, watch: Watch, outcome: Outcome
) -> None:
    running: dict[str, _Running] = {}
    tasks: list[Task] = []
    for state in (_state(config, stage) for stage in wave):
        if state.state == "done":
            outcome.kept.append(state.stage.name)
            continue
        one, missing = _prepare(config, state)
        running[state.stage.name] = one
        tasks.extend(missing)
    if not running:
        return
    watch(WaveStarted(tuple(running), len(tasks), sum(task.weight for task in tasks)))
    for name in [name for name, one in running.items() if not _waits(one)]:
        _complete(config, running[name], watch, outcome)
    while tasks:
        tasks = list(_run_tasks(config, engine(tasks), running, watch, outcome))
    _raise_failures(running)


def _prepare(config: Config, state: State) -> tuple[_Running, list[Task]]:
    stage, folder = state.stage, state.folder
    folder.mkdir(parents=True, exist_ok=True)
    store.publish_json(layout.recipe(folder), stage.recipe)
    inputs = {given.name: _must(made(config, given)) for given in stage.inputs}
    tasks = stage.tasks(folder, inputs)
    receipts = ledger.receipts(folder)
    missing = [task for task in tasks if task.name not in receipts]
    wanted = {task.name for task in tasks}
    return _Running(stage, folder, wanted, receipts, time.monotonic()), missing


def _must(found: Made | None) -> Made:
    if found is None:
        raise RunFailed("an input's manifest vanished while its user was about to start; run again")
    return found


def _waits(one: _Running) -> bool:
    return bool(one.failures) or not one.wanted <= one.receipts.keys()


def _run_tasks(
    config: Config,
    ended: Iterator[tuple[Task, Receipt | Failed]],
    running: Mapping[str, _Running],
    watch: Watch,
    outcome: Outcome,
) -> Iterator[Task]:
    """Take in finished tasks; yields tasks that take the place of failed ones."""
    for task, result in ended:
        one = running[task.stage]
        receipt = one.stage.mend(task, result) if isinstance(result, Failed) else result
        if isinstance(receipt, Receipt):
            ledger.check_conservation(task.stage, receipt)
            ledger.append(one.folder, receipt)
            one.receipts[task.name] = receipt
            watch(TaskEnded(task, receipt))
        elif receipt is None and isinstance(result, Failed):
            one.failures.append((task, result.error))
        elif receipt is not None:
            one.wanted.discard(task.name)
            one.wanted.update(smaller.name for smaller in receipt)
            yield from receipt
        if not _waits(one):
            _complete(config, one, watch, outcome)


def _complete(config: Config, one: _Running, watch: Watch, outcome: Outcome) -> None:
    receipts = [one.receipts[name] for name in sorted(one.wanted)]
    parts = one.stage.finish(one.folder, receipts)
    found = ledger.manifest(one.stage.recipe, receipts)
    found["parts"].extend(asdict(part) for part in parts)
    store.publish_json(layout.manifest(one.folder), found)
    seconds = time.monotonic() - one.started
    event = {"event": "stage made", "stage": one.stage.name, "fingerprint": one.stage.fingerprint}
    counts = {key: found[key] for key in ("taken", "given", "rejected", "quarantined")}
    log(config, {**event, **counts, "seconds": round(seconds, 3)})
    outcome.made.append(one.stage.name)
    watch(StageMade(one.stage, found, seconds))


def log(config: Config, event: Mapping[str, Any]) -> None:
    """Append an event to the machine-readable log, with the time of day."""
    stamped = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **event}
    store.append_line(layout.events(config.work), store.canonical(stamped))


def _raise_failures(running: Mapping[str, _Running]) -> None:
    failures = [(task, error) for one in running.values() for task, error in one.failures]
    gone = {
        task.stage.removeprefix("fetch."): str(error)
        for task, error in failures
        if isinstance(error, UpstreamError)
    }
    if gone and all(isinstance(error, UpstreamError) for _, error in failures):
        raise SourcesGoneError(gone)
    if failures:
        lines = [f"{task.stage}, task {task.name}: {type(e).__name__}: {e}" for task, e in failures]
        raise RunFailed("\n".join(lines)) from failures[0][1]


def _link_latest(config: Config, graph: Graph) -> None:
    """Point latest/ at the results of this configuration."""
    for what, stage, inner in (
        ("corpus", "mix", mix.FOLDER),
        ("tokenizer", train_tokenizer.NAME, train_tokenizer.FOLDER),
        ("shards", "tokenize", tokenize.FOLDER),
        ("report", "report", report.FOLDER),
    ):
        finished = made(config, graph.named(stage))
        if finished is not None:
            store.publish_link(layout.latest(config.work, what), finished.folder / inner)
