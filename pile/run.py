"""Decide what to do, do it, and say why.

Stages run in waves: all stages whose inputs are done share the workers. A stage whose manifest and
parts are there is left alone; else the tasks without a receipt, or with a missing part, are run.
"""

import errno
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from pile import layout, ledger, store
from pile.config import Config
from pile.costs import MADE, publish_page, told
from pile.downloads.journals import Far, Listener, Told
from pile.downloads.transfers import download
from pile.engine import Failed, Run, Spent, Task, open_engine
from pile.graph import Graph, build
from pile.ledger import Receipt
from pile.preflight import NoSpaceError, check_leave, check_space, workers
from pile.stages import index, mix, report, shard, train_tokenizer
from pile.stages.stage import Made, Stage
from pile.states import State, made, state_of, states
from sources.fetch import UpstreamError
from sources.source import DAMAGE


@dataclass(frozen=True, slots=True)
class WaveStarted:
    """Tasks are about to run; ``weight`` is what they read, in bytes.

    ``downloads`` tells by source how much the tasks are to fetch.
    """

    stages: tuple[str, ...]
    tasks: int
    weight: int
    downloads: tuple[Far, ...] = ()


@dataclass(frozen=True, slots=True)
class Downloading:
    """How far the downloads are that have moved."""

    far: tuple[Far, ...]


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """One task is done and its receipt is in the ledger."""

    task: Task
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class StageMade:
    """A stage is finished and its manifest published.

    ``read_bytes`` is what its tasks had to read in this run, ``seconds`` how long they took together.
    """

    stage: Stage
    manifest: Mapping[str, Any]
    seconds: float
    read_bytes: int


SPLIT = "split"
"""Figure of a receipt that says: this task was replaced by smaller ones."""

SHOWN = 3
"""Failed tasks of a source that its message tells of."""

Event: TypeAlias = WaveStarted | Downloading | TaskEnded | StageMade
Watch: TypeAlias = Callable[[Event], None]


@dataclass(slots=True)
class Outcome:
    """What a run did: stages made, stages found done, and what was set aside.

    ``damaged`` counts by stage the rejected records that are broken, not merely unwanted; ``spent`` is
    what the tasks of each stage took.
    """

    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, str, str]] = field(default_factory=list)
    damaged: dict[str, int] = field(default_factory=dict)
    spent: dict[str, Spent] = field(default_factory=dict)

    def take_note(self, task: Task, spent: Spent) -> None:
        """Add what a task took to its stage."""
        self.spent[task.stage] = self.spent.get(task.stage, Spent()) + spent


class RunFailed(Exception):  # noqa: N818 - the name says what happened
    """Tasks failed; everything finished so far is kept."""


class SourcesGoneError(Exception):
    """Upstreams that could not be fetched from; the run can go on without these sources.

    ``gone`` says by source what happened, ``made`` which stages were made nevertheless.
    """

    def __init__(self, gone: Mapping[str, str], made: Sequence[str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in gone.items()))
        self.gone = gone
        self.made = made


def run(config: Config, graph: Graph, watch: Watch) -> Outcome:
    """Run whatever is not done; the caller holds the lock.

    Raises `pile.downloads.guests.Refused`, `RunFailed`, `SourcesGoneError`, `NoSpaceError`,
    `pile.engine.NoProgressError`.
    """
    check_leave(config, graph)
    _sweep(config, graph)
    outcome = Outcome()
    if any(state.state != "done" for state in states(config, graph)):
        check_space(config, graph)
        with (
            Listener(layout.journals(config.work), partial(_hear, config, watch)) as listener,
            open_engine(
                workers(config, graph), lambda: listener.last_heard, outcome.take_note
            ) as engine,
        ):
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
            rejected = finished.manifest["rejected"]
            broken = sum(count for reason, count in rejected.items() if reason in DAMAGE)
            if broken:
                outcome.damaged[stage.name] = broken
    _link_latest(config, graph)
    if outcome.made or not layout.latest_page(config.work).exists():
        publish_page(config, graph)
    return outcome


def _hear(config: Config, watch: Watch, events: Sequence[Told], far: Sequence[Far]) -> None:
    """Take in what workers tell of their downloads."""
    if events:
        store.append_lines(layout.events(config.work), map(store.canonical, events))
    if far:
        watch(Downloading(tuple(far)))


def run_all(
    config: Config, graph: Graph, watch: Watch, say: Callable[[str], None]
) -> tuple[Graph, Outcome]:
    """Run a graph as `run` does; without a source whose upstream is gone, if need be.

    Returns the graph that was run to its end. ``say`` hears which sources are left out.
    """
    gone: dict[str, str] = {}
    before: list[str] = []
    while True:
        try:
            outcome = run(config, graph, watch)
        except SourcesGoneError as error:
            gone.update(error.gone)
            before.extend(error.made)
            say(f"going on without {', '.join(error.gone)}")
            graph = build(config, lambda path: None, gone)
        else:
            outcome.made = before + outcome.made
            outcome.kept = [name for name in outcome.kept if name not in before]
            return graph, outcome


def _sweep(config: Config, graph: Graph) -> None:
    """Remove what interrupted attempts left where this run writes."""
    for stage in graph.stages:
        store.sweep(layout.stage(config.work, stage.name, stage.fingerprint))
    for folder in ("plans", "latest", "export", "verify"):
        store.sweep(config.work / folder)


@dataclass(slots=True)
class _Running:
    """A stage in this wave: the receipts it has, and the tasks it still waits for."""

    stage: Stage
    folder: Path
    wanted: set[str]
    receipts: dict[str, Receipt]
    read_bytes: int
    started: float
    failures: list[tuple[Task, BaseException]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)


def _run_wave(
    config: Config, wave: Sequence[Stage], engine: Run, watch: Watch, outcome: Outcome
) -> None:
    running: dict[str, _Running] = {}
    tasks: list[Task] = []
    for state in (state_of(config, stage) for stage in wave):
        if state.state == "done":
            outcome.kept.append(state.stage.name)
            continue
        one, missing = _prepare(config, state)
        running[state.stage.name] = one
        tasks.extend(missing)
    if not running:
        return
    weight = sum(task.weight for task in tasks)
    watch(WaveStarted(tuple(running), len(tasks), weight, tuple(_to_fetch(tasks))))
    for name in [name for name, one in running.items() if not _waits(one)]:
        _complete(config, running[name], watch, outcome)
    while tasks:
        tasks = list(_run_tasks(config, engine(tasks), running, watch, outcome))
    _raise_failures(running, outcome)


def _to_fetch(tasks: Iterable[Task]) -> Iterator[Far]:
    """Yield by source what tasks are to download: no bytes where the size of a file is not known."""
    orders: dict[str, list[Task]] = {}
    for task in tasks:
        if task.function is download:
            orders.setdefault(task.arguments["order"].source, []).append(task)
    for source, found in orders.items():
        groups = [task.arguments["order"].files for task in found]
        known = all(file.raw.size is not None for group in groups for file in group)
        size = sum(task.weight for task in found) if known else 0
        yield Far(source, size, sum(map(len, groups)))


def _prepare(config: Config, state: State) -> tuple[_Running, list[Task]]:
    stage, folder = state.stage, state.folder
    folder.mkdir(parents=True, exist_ok=True)
    store.publish_json(layout.recipe(folder), stage.recipe)
    inputs = {given.name: _must(made(config, given)) for given in stage.inputs}
    receipts = ledger.receipts(folder)
    tasks = [
        part
        for task in stage.tasks(folder, inputs)
        for part in _as_split_before(stage, task, receipts)
    ]
    missing = [task for task in tasks if task.name not in receipts]
    wanted = {task.name for task in tasks}
    waiting = {task.name for task in missing}
    weight = sum(task.weight for task in missing)
    running = _Running(stage, folder, wanted, receipts, weight, time.monotonic(), waiting=waiting)
    return running, missing


def _as_split_before(stage: Stage, task: Task, receipts: Mapping[str, Receipt]) -> Sequence[Task]:
    """Return the smaller tasks that took a deadly task's place in an earlier run, or the task."""
    receipt = receipts.get(task.name)
    if receipt is None or not receipt.figures.get(SPLIT):
        return [task]
    smaller = stage.mend(task, Failed(RuntimeError("it killed its worker before"), crashed=True))
    return [task] if smaller is None or isinstance(smaller, Receipt) else smaller


def _must(found: Made | None) -> Made:
    if found is None:
        raise RunFailed("an input's manifest vanished while its user was about to start; run again")
    return found


def _waits(one: _Running) -> bool:
    return bool(one.failures or one.waiting)


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
            one.waiting.discard(task.name)
            watch(TaskEnded(task, receipt))
        elif receipt is None and isinstance(result, Failed):
            one.failures.append((task, result.error))
        elif receipt is not None:
            ledger.append(one.folder, Receipt(task.name, figures={SPLIT: True}))
            for names in (one.wanted, one.waiting):
                names.discard(task.name)
                names.update(smaller.name for smaller in receipt)
            yield from receipt
        if not _waits(one):
            _complete(config, one, watch, outcome)


def _complete(config: Config, one: _Running, watch: Watch, outcome: Outcome) -> None:
    receipts = _settled(one)
    parts = one.stage.finish(one.folder, receipts)
    found = ledger.manifest(one.stage.recipe, receipts)
    found["parts"].extend(map(ledger.plain, parts))
    ledger.rewrite(one.folder, ledger.receipts(one.folder).values())
    store.publish_json(layout.manifest(one.folder), ledger.sealed(found))
    _remove_orphans(one.folder, found)
    seconds = time.monotonic() - one.started
    event = {"event": MADE, "stage": one.stage.name, "fingerprint": one.stage.fingerprint}
    counts = {key: found[key] for key in ("taken", "given", "rejected", "quarantined")}
    took = told(outcome.spent.get(one.stage.name, Spent()), seconds)
    log(config, {**event, **counts, **took, "read_bytes": one.read_bytes})
    outcome.made.append(one.stage.name)
    watch(StageMade(one.stage, found, seconds, one.read_bytes))


def _settled(one: _Running) -> Sequence[Receipt]:
    """Return what the receipts come to now that all are there; the ledger then says so too."""
    found = [one.receipts[name] for name in sorted(one.wanted)]
    settled = one.stage.settle(found)
    for before, after in zip(found, settled, strict=True):
        if after != before:
            ledger.append(one.folder, after)
    return settled


def _remove_orphans(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Remove parts that a failed attempt published before it failed, and no receipt lists."""
    # By name: what was downloaded lies elsewhere, and may be a million files.
    known = {part["name"] for part in manifest["parts"] if not part["name"].startswith("../")}
    ours = {layout.recipe(folder), layout.receipts(folder), layout.manifest(folder)}
    for path in sorted(folder.rglob("*")):
        known_name = path.relative_to(folder).as_posix() in known
        if path.is_file() and not known_name and path not in ours:
            store.discard(path)


def log(config: Config, event: Mapping[str, Any]) -> None:
    """Append an event to the machine-readable log, with the time of day."""
    stamped = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **event}
    store.append_line(layout.events(config.work), store.canonical(stamped))


def _raise_failures(running: Mapping[str, _Running], outcome: Outcome) -> None:
    failures = [(task, error) for one in running.values() for task, error in one.failures]
    gone: dict[str, list[str]] = {}
    for task, error in failures:
        if isinstance(error, UpstreamError):
            gone.setdefault(task.stage.removeprefix("fetch."), []).append(str(error))
    if gone and all(isinstance(error, UpstreamError) for _, error in failures):
        raise SourcesGoneError({name: _first_few(why) for name, why in gone.items()}, outcome.made)
    for task, error in failures:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            where = error.filename or running[task.stage].folder
            raise NoSpaceError(
                f"{task.stage}, task {task.name}: no space left on {where}; make room, and run again"
            )
    if failures:
        lines = [f"{task.stage}, task {task.name}: {type(e).__name__}: {e}" for task, e in failures]
        raise RunFailed("\n".join(lines)) from failures[0][1]


def _first_few(whys: Sequence[str]) -> str:
    """Join what happened to a source's tasks; the log tells of each file."""
    shown = "; ".join(sorted(whys)[:SHOWN])
    more = len(whys) - SHOWN
    return f"{shown}; and {more:,} tasks more, see logs/events.jsonl" if more > 0 else shown


def _link_latest(config: Config, graph: Graph) -> None:
    """Point latest/ at the results of this configuration."""
    for what, stage, inner in (
        ("corpus", "mix", mix.FOLDER),
        ("tokenizer", train_tokenizer.NAME, train_tokenizer.FOLDER),
        ("shards", "shard", shard.FOLDER),
        ("report", "report", report.FOLDER),
    ):
        _link(config, graph.named(stage), what, inner)
    for saved in graph.stages:
        if saved.name.startswith("index."):
            _link(config, saved, saved.name.replace(".", "/", 1), index.FOLDER)


def _link(config: Config, stage: Stage, what: str, inner: str) -> None:
    finished = made(config, stage)
    if finished is not None:
        store.publish_link(layout.latest(config.work, what), finished.folder / inner)
