"""Make anew what verification found wrong, and only that.

Damaged parts are removed, and the receipts of the tasks that made them: a run then does these tasks
again, which gives the same bytes, as every task does. What cannot be made from what is here, a raw
file of the user's own, is named and left alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pile import layout, ledger, store
from pile.checks.problems import Problem
from pile.checks.verify import verify
from pile.config import Config
from pile.graph import Graph, UpstreamsGoneError
from pile.run import Outcome, SourcesGoneError, Watch, run
from pile.states import read_manifest

DAMAGED = ".damaged"
"""Ending of a damaged download's name while it is downloaded anew."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    ``removed`` lists the files that were removed to be made anew, ``changed`` those whose bytes are
    other ones now than were published, ``left`` what is still wrong.
    """

    found: tuple[Problem, ...]
    removed: tuple[str, ...]
    made: tuple[str, ...]
    changed: tuple[str, ...]
    left: tuple[Problem, ...]


def repair(
    config: Config, graph: Graph, share: float, watch: Watch, say: Callable[[str], None]
) -> Repaired:
    """Verify, remove what is wrong, run, and verify what was made; the caller holds the lock.

    Whatever of the run was not finished is finished with it. A download that is made anew keeps its
    damaged predecessor beside it until all is well. Raises what `pile.run.run` raises, and
    `UpstreamsGoneError` where a download cannot be had again.
    """
    found = [problem for one in verify(config, graph, (), share) for problem in one.problems]
    mine = [problem for problem in found if not problem.is_users]
    if not mine:
        return Repaired(tuple(found), (), (), (), tuple(found))
    before = {stage.name: _digests(_folder(config, graph, stage.name)) for stage in graph.stages}
    removed = _remove(config, graph, mine, say)
    outcome = _run(config, graph, watch)
    changed = _changed(config, graph, before, outcome)
    made = outcome.made + (_follow(config, graph, changed, watch, say) if changed else [])
    left = [problem for one in verify(config, graph, (), share) for problem in one.problems]
    if not left:
        _forget(config, graph, mine)
    files = tuple(f"{stage}: {name}" for stage, names in changed.items() for name in names)
    return Repaired(tuple(found), tuple(removed), tuple(made), files, tuple(left))


def _run(config: Config, graph: Graph, watch: Watch) -> Outcome:
    """Run, but never without a source whose upstream is gone: that would be another corpus."""
    try:
        return run(config, graph, watch)
    except SourcesGoneError as error:
        raise UpstreamsGoneError(
            f"cannot be downloaded again: {error}; what was there is kept as *{DAMAGED}"
        ) from error


def _folder(config: Config, graph: Graph, name: str) -> Path:
    return layout.stage(config.work, name, graph.named(name).fingerprint)


def _digests(folder: Path) -> dict[str, str]:
    """Return by name the digest that each part of a stage was published with, from what is readable."""
    parts = [part for receipt in ledger.every(folder).values() for part in receipt.parts]
    finished = read_manifest(folder)
    listed = {part["name"]: part["sha256"] for part in finished["parts"]} if finished else {}
    return {**listed, **{part.name: part.sha256 for part in parts}}


def _remove(
    config: Config, graph: Graph, problems: Sequence[Problem], say: Callable[[str], None]
) -> list[str]:
    """Take what is wrong out of the way of a run; returns the files that are gone."""
    gone: list[str] = []
    wrong: dict[str, set[str]] = {}
    for problem in problems:
        wrong.setdefault(problem.stage, set()).add(problem.file)
    for stage, names in wrong.items():
        folder = _folder(config, graph, stage)
        if names == {""}:
            continue
        kept = ledger.every(folder)
        tasks = {task for task, one in kept.items() if names & {part.name for part in one.parts}}
        for name in sorted(names - {"", *_books(folder)}):
            gone.append(f"{stage}: {name}")
            _take_away(folder / name, is_download=name.startswith(".."))
        store.discard(layout.manifest(folder))
        ledger.rewrite(folder, (one for task, one in kept.items() if task not in tasks))
        say(f"{stage:<26} {', '.join(sorted(names))}: made anew")
    return gone


def _take_away(path: Path, *, is_download: bool) -> None:
    if is_download and path.exists():
        store.adopt([(path, path.with_name(path.name + DAMAGED))])
    else:
        store.discard(path)


def _forget(config: Config, graph: Graph, problems: Sequence[Problem]) -> None:
    """Remove the damaged downloads that were kept until there were whole ones."""
    for problem in problems:
        if problem.file.startswith(".."):
            path = _folder(config, graph, problem.stage) / problem.file
            store.discard(path.with_name(path.name + DAMAGED))


def _books(folder: Path) -> set[str]:
    """Return the names of a stage's own records: they are written again, not removed for good."""
    return {layout.recipe(folder).name, layout.receipts(folder).name, layout.manifest(folder).name}


def _changed(
    config: Config, graph: Graph, before: Mapping[str, Mapping[str, str]], outcome: Outcome
) -> dict[str, list[str]]:
    """Return by stage the parts that were made anew with other bytes than they had."""
    found: dict[str, list[str]] = {}
    for name in outcome.made:
        after = _digests(_folder(config, graph, name))
        earlier = before.get(name, {})
        names = [one for one in sorted(after) if earlier.get(one, after[one]) != after[one]]
        if names:
            found[name] = names
    return found


def _follow(
    config: Config,
    graph: Graph,
    changed: Iterable[str],
    watch: Watch,
    say: Callable[[str], None],
) -> list[str]:
    """Make anew whatever was made from parts that have other bytes now."""
    stale = set(changed)
    for stage in graph.stages:
        if stage.name not in stale and stale & {given.name for given in stage.inputs}:
            stale.add(stage.name)
            store.discard(layout.stage(config.work, stage.name, stage.fingerprint))
    say(f"other bytes came out of {', '.join(sorted(set(changed)))}: what follows is made anew")
    return _run(config, graph, watch).made
