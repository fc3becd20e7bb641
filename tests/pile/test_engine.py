"""Tasks run, fail, are tried again, and never take the driver with them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pile.downloads.raw_files import Located
from pile.engine import (
    ATTEMPTS,
    Failed,
    NoProgressError,
    Run,
    Spent,
    Task,
    Workers,
    open_engine,
    run_on_ray,
    run_serially,
)
from pile.ledger import Receipt
from pile.stages.extract import Reading, Unit, extract, mend, set_aside
from sources.source import RawFile


@pytest.fixture(scope="module")
def on_ray() -> Iterator[Run]:
    """Two Ray workers."""
    with open_engine(Workers("ray", 2)) as run:
        yield run


@pytest.fixture(params=["serial", pytest.param("ray", marks=pytest.mark.ray)])
def engine(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Both engines."""
    if request.param == "ray":
        yield request.getfixturevalue("on_ray")
    else:
        with open_engine(Workers("serial")) as run:
            yield run


def test_every_task_gives_its_receipt(engine: Run) -> None:
    """Each task comes back once, with what its function returned."""
    tasks = [Task("s", f"{n}", Receipt, {"task": f"{n}", "given": n}, n) for n in range(20)]
    found = {task.name: outcome for task, outcome in engine(tasks)}
    assert found == {f"{n}": Receipt(f"{n}", given=n) for n in range(20)}


@pytest.mark.parametrize("kind", ["serial", pytest.param("ray", marks=pytest.mark.ray)])
def test_what_tasks_take_is_told(kind: str, request: pytest.FixtureRequest) -> None:
    """Wall and processor time of each task that gave a receipt, children's included."""

    def busy(task: str) -> Receipt:
        until = time.process_time() + 0.06
        while time.process_time() < until:
            pass
        subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
        return Receipt(task)

    heard: dict[str, Spent] = {}
    tasks = [Task("s", "busy", busy, {"task": "busy"}), Task("s", "bad", busy, {})]

    def hear(task: Task, spent: Spent) -> None:
        heard[task.name] = spent

    if kind == "ray":
        request.getfixturevalue("on_ray")
        ended = list(run_on_ray(tasks, Workers("ray", 2), on_spent=hear))
    else:
        ended = list(run_serially(tasks, hear))
    assert sorted(task.name for task, _ in ended) == ["bad", "busy"]
    assert list(heard) == ["busy"]
    assert heard["busy"].tasks == 1
    assert heard["busy"].cpu_seconds >= 0.05
    assert heard["busy"].seconds > 0
    assert Spent(1, 2.0, 3.0) + Spent(2, 1.0, 0.5) == Spent(3, 3.0, 3.5)


def test_a_failing_task_is_reported_and_the_others_go_on(engine: Run) -> None:
    """What a task raises comes back as its outcome."""
    tasks = [
        Task("s", "bad", Receipt, {"no_such_field": 1}),
        Task("s", "good", Receipt, {"task": "good"}),
    ]
    found = {task.name: outcome for task, outcome in engine(tasks)}
    assert found["good"] == Receipt("good")
    bad = found["bad"]
    assert isinstance(bad, Failed)
    assert isinstance(bad.error, TypeError)
    assert not bad.crashed


def test_a_failing_disk_is_tried_again(tmp_path: Path) -> None:
    """An OSError may pass: the task is tried three times before it counts as failed."""
    calls: list[int] = []

    def fails_twice() -> Receipt:
        calls.append(1)
        if len(calls) < ATTEMPTS:
            raise OSError("the disk went away for a moment")
        return Receipt("a")

    with open_engine(Workers("serial")) as run:
        assert [outcome for _, outcome in run([Task("s", "a", fails_twice, {})])] == [Receipt("a")]
    assert len(calls) == ATTEMPTS


@pytest.mark.ray
def test_a_dying_worker_is_no_end_of_the_run(on_ray: Run) -> None:
    """A task that kills its worker is tried again, then reported as crashed; others are done."""
    tasks = [
        Task("s", "deadly", os._exit, {"status": 1}),
        *(Task("s", f"{n}", Receipt, {"task": f"{n}"}) for n in range(10)),
    ]
    found = {task.name: outcome for task, outcome in on_ray(tasks)}
    deadly = found.pop("deadly")
    assert isinstance(deadly, Failed)
    assert deadly.crashed
    assert found == {f"{n}": Receipt(f"{n}") for n in range(10)}


@pytest.mark.ray
def test_no_progress_ends_the_run(on_ray: Run) -> None:
    """When nothing ends for longer than allowed, the tasks in flight are named."""
    del on_ray  # a Ray is running already; the watchdog's patience is another engine's setting
    workers = Workers("ray", 2, stall_minutes=0.05)
    with pytest.raises(NoProgressError, match="s sleeper"):
        list(run_on_ray([Task("s", "sleeper", subprocess.run, {"args": ["sleep", "20"]})], workers))


def located(path: Path, text: str) -> Located:
    """Write a raw file and return where it is."""
    path.write_text(text, encoding="utf-8")
    return Located(RawFile(path.as_uri(), path.name, len(text)), str(path), is_local=True)


def test_a_deadly_file_is_found_and_set_aside(tmp_path: Path) -> None:
    """The files of a task that killed its worker are read one by one; the deadly one is named."""
    reading = Reading("notes", "local", "", {"name": "notes"})
    units = [Unit((located(tmp_path / f"{name}.txt", name),)) for name in "ab"]
    arguments = {"task": "000000", "folder": tmp_path, "units": units, "reading": reading}
    task = Task("extract.notes", "000000", extract, arguments)
    died = Failed(RuntimeError("signal 11"), crashed=True)
    smaller = mend(task, died)
    assert isinstance(smaller, list)
    assert [one.name for one in smaller] == ["000000.000000", "000000.000001"]
    receipt = mend(smaller[1], died)
    assert isinstance(receipt, Receipt)
    assert [bad.file for bad in receipt.quarantined] == ["b.txt"]
    assert "signal 11" in receipt.quarantined[0].reason
    assert mend(task, Failed(ValueError("a defect"))) is None


def test_a_deadly_piece_takes_its_whole_file_along(tmp_path: Path) -> None:
    """The receipts of its other pieces are emptied; other files, and order, stay as they are."""
    reading = Reading("wikipedia_en", "wikipedia_en", "", {})
    unit = Unit((located(tmp_path / "a.bz2", "a"),), piece=0)
    arguments = {"task": "1", "folder": tmp_path, "units": [unit], "reading": reading}
    died = Failed(RuntimeError("signal 9"), crashed=True)
    deadly = mend(Task("extract.wikipedia_en", "1", extract, arguments), died)
    assert isinstance(deadly, Receipt)
    good = Receipt("0", taken=2, given=2, figures={"piece_of": "a.bz2", "raw_files": 1})
    other = Receipt("2", taken=1, given=1, figures={"piece_of": "b.bz2"})
    whole = Receipt("3", taken=1, given=1)
    settled = set_aside([good, deadly, other, whole])
    assert settled == [Receipt("0", figures={"piece_of": "a.bz2"}), deadly, other, whole]
    assert set_aside(settled) == settled
