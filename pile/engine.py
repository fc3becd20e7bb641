"""Run tasks on Ray or in this process. The only module that imports Ray.

A task is a module-level function with plain arguments; it reads and writes files and returns a
small receipt. No document passes through here. A task may run twice at once (a node thought dead
may still be alive): its outputs are deterministic and published by rename, so that does no harm.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pile.ledger import Receipt

ATTEMPTS = 3
"""How often a task is tried when the system fails it (disk, network, a killed worker)."""

WINDOW = 2
"""Tasks in flight per worker: enough to keep workers busy, few enough to stop soon."""

TASKS_PER_WORKER = 500
"""Tasks after which a worker is replaced: libraries leak, and a new one costs half a second."""

OBJECT_STORE_BYTES = 128 << 20
"""Ray's shared memory: receipts only, so the smallest that Ray takes comfortably."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "NUMBA_NUM_THREADS": "1",
}
"""Parallelism is by tasks; libraries that start threads of their own would fight over cores."""


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of a stage: ``function(**arguments)`` makes its parts and returns its receipt.

    ``weight`` is what the task has to read, in bytes; it orders and measures, and decides nothing.
    """

    stage: str
    name: str
    function: Callable[..., Receipt]
    arguments: Mapping[str, Any]
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """A task that could not be done; ``crashed`` when its worker died rather than raised."""

    error: BaseException
    crashed: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What tasks took where they ran: seconds on the wall and of processors, children's included."""

    tasks: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        """Return what both took together."""
        return Spent(
            self.tasks + other.tasks,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
        )


Outcome: TypeAlias = Receipt | Failed
OnSpent: TypeAlias = Callable[[Task, Spent], None]
"""Hears what each task that gave a receipt took, before its receipt is yielded."""
Run: TypeAlias = Callable[[Sequence[Task]], Iterator[tuple[Task, Outcome]]]
"""Runs tasks and yields each with its outcome, in the order they end."""


class NoProgressError(Exception):
    """Nothing finished for longer than the watchdog allows."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How to run: which engine, how many workers (0: one a core), where Ray is and may write."""

    engine: Literal["ray", "serial"] = "ray"
    count: int = 0
    ray_address: str = ""
    temp: str = ""
    stall_minutes: float = 60.0

    @property
    def number(self) -> int:
        """Workers on this machine."""
        return self.count or len(os.sched_getaffinity(0))


def no_sign() -> float:
    """No sign of life but the end of a task."""
    return 0.0


def unheard(task: Task, spent: Spent) -> None:
    """Take no note of what a task took."""
    del task, spent


@contextmanager
def open_engine(
    workers: Workers, last_sign: Callable[[], float] = no_sign, on_spent: OnSpent = unheard
) -> Iterator[Run]:
    """Give a function that runs tasks; Ray is started, and stopped again, around it.

    ``last_sign`` returns the time (`time.monotonic`) at which a task that has not ended yet last
    showed progress.
    """
    if workers.engine == "serial":
        yield lambda tasks: run_serially(tasks, on_spent)
        return
    with _ray(workers):
        yield lambda tasks: run_on_ray(tasks, workers, last_sign, on_spent)


def run_serially(
    tasks: Sequence[Task], on_spent: OnSpent = unheard
) -> Iterator[tuple[Task, Outcome]]:
    """Run tasks one after another in this process."""
    for task in tasks:
        yield task, _attempt(task, on_spent)


def _attempt(task: Task, on_spent: OnSpent) -> Outcome:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            receipt, spent = _timed(task.function, task.arguments)
        except OSError as error:
            if attempt == ATTEMPTS:
                return Failed(error)
        except Exception as error:  # noqa: BLE001 - the stage decides what a failure means
            return Failed(error)
        else:
            on_spent(task, spent)
            return receipt
    raise AssertionError("unreachable: the last attempt returns")


def call(function: Callable[..., Receipt], arguments: Mapping[str, Any]) -> tuple[Receipt, Spent]:
    """Run one task inside a worker."""
    os.environ.update(ONE_THREAD)
    return _timed(function, arguments)


def _timed(function: Callable[..., Receipt], arguments: Mapping[str, Any]) -> tuple[Receipt, Spent]:
    started, cpu = time.monotonic(), _cpu_seconds()
    receipt = function(**arguments)
    return receipt, Spent(1, time.monotonic() - started, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    """Return what this process and its ended children have used of processors."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextmanager
def _ray(workers: Workers) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray  # noqa: PLC0415 - half a second that `pile plan` and `pile status` need not pay

    if workers.ray_address:
        ray.init(address=workers.ray_address, log_to_driver=False)
    else:
        ray.init(
            num_cpus=workers.number,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE_BYTES,
            # Ray's sockets need a path below 107 bytes; the default /tmp/ray is short.
            _temp_dir=workers.temp or None,
        )
    try:
        yield
    finally:
        ray.shutdown()


def run_on_ray(
    tasks: Sequence[Task],
    workers: Workers,
    last_sign: Callable[[], float] = no_sign,
    on_spent: OnSpent = unheard,
) -> Iterator[tuple[Task, Outcome]]:
    """Keep a window of tasks in flight, the heaviest first, and yield them as they end."""
    import ray  # noqa: PLC0415

    remote = ray.remote(num_cpus=1, max_retries=0, max_calls=TASKS_PER_WORKER)(call)
    cores = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]
    slots = WINDOW * (workers.count or max(workers.number, int(cores)))
    waiting = sorted(tasks, key=lambda task: (-task.weight, task.stage, task.name), reverse=True)
    attempts: dict[tuple[str, str], int] = {}
    flying: dict[Any, Task] = {}
    while waiting or flying:
        while waiting and len(flying) < slots:
            task = waiting.pop()
            attempts[task.stage, task.name] = attempts.get((task.stage, task.name), 0) + 1
            flying[remote.remote(task.function, dict(task.arguments))] = task
        for reference in _wait(flying, workers.stall_minutes, last_sign):
            task = flying.pop(reference)
            outcome, spent = _outcome(reference)
            if _may_retry(outcome) and attempts[task.stage, task.name] < ATTEMPTS:
                waiting.append(task)
                continue
            if not isinstance(outcome, Failed):
                on_spent(task, spent)
            yield task, outcome


def _wait(
    flying: Mapping[Any, Task], stall_minutes: float, last_sign: Callable[[], float]
) -> list[Any]:
    import ray  # noqa: PLC0415

    started = time.monotonic()
    while time.monotonic() - max(started, last_sign()) < stall_minutes * 60:
        # A short wait, so that Ctrl-C is answered at once.
        ready, _ = ray.wait(list(flying), num_returns=1, timeout=1.0)
        if ready:
            return list(ready)
    running = ", ".join(sorted(f"{task.stage} {task.name}" for task in flying.values()))
    raise NoProgressError(
        f"no task finished for {stall_minutes:g} minutes; in flight: {running}. "
        "Raise [run] stall_minutes if this is expected, else look at these tasks' input."
    )


def _outcome(reference: Any) -> tuple[Outcome, Spent]:
    import ray  # noqa: PLC0415

    try:
        ended: tuple[Receipt, Spent] = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        return Failed(cause if isinstance(cause, BaseException) else error), Spent()
    except ray.exceptions.RayError as error:
        return Failed(error, crashed=True), Spent()
    return ended


def _may_retry(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and (outcome.crashed or isinstance(outcome.error, OSError))
