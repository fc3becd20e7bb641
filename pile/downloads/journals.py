"""What workers tell while they download, and how the run hears it.

A worker may be another process on another node, so it appends lines of JSON to a journal of its own
below the work directory; the run reads what is new in all of them, twice a second.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from pile import store
from sources.source import Json

PERIOD = 0.5
"""Seconds between two readings of the journals, and between two lines on how far a task is."""

FAR = "far"
"""A line on how far a task is; not for the log."""

END = "end"
"""The last line of a journal."""

Told: TypeAlias = Mapping[str, Any]


class Journal:
    """What one attempt at a task tells; for several threads; a context manager.

    Bytes and files count from the beginning of the task, what earlier attempts left included.
    """

    def __init__(self, folder: Path, source: str, task: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{uuid.uuid4().hex}.jsonl").open("ab", buffering=0)
        self._of = {"source": source, "task": task}
        self._lock = threading.Lock()
        self._said = 0.0
        self._bytes = self._files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._say_how_far()
        self.say(END)
        self._file.close()

    def say(self, event: str, **more: Json) -> None:
        """Tell an event of a file, at this time of day."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        line = store.canonical({"time": now, "event": event, **self._of, **more})
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def grew(self, count: int, files: int = 0) -> None:
        """Count bytes, and files that are finished, and tell it now and then."""
        with self._lock:
            self._bytes += count
            self._files += files
            if time.monotonic() - self._said < PERIOD:
                return
            self._said = time.monotonic()
        self._say_how_far()

    def _say_how_far(self) -> None:
        self.say(FAR, bytes=self._bytes, files=self._files)


@dataclass(frozen=True, slots=True)
class Far:
    """How far the download of a source is: bytes and files that are there."""

    source: str
    bytes: int
    files: int


class Listener:
    """Reads the journals below a folder in a thread, and hands on what is new; a context manager.

    ``hear`` gets the events for the log and how far the sources are that have moved. What an earlier
    run left there is handed on first.
    """

    def __init__(self, folder: Path, hear: Callable[[Sequence[Told], Sequence[Far]], None]) -> None:
        self._folder = folder
        self._hear = hear
        self._offsets: dict[Path, int] = {}
        self._tasks: dict[str, dict[str, tuple[int, int]]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.last_heard = time.monotonic()

    def __enter__(self) -> Self:
        self._read_all()
        store.discard(self._folder)
        self._offsets.clear()
        self._tasks.clear()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._read_all()

    def _listen(self) -> None:
        while not self._stop.wait(PERIOD):
            self._read_all()

    def _read_all(self) -> None:
        """Hand on all that is new."""
        events: list[Told] = []
        moved: set[str] = set()
        paths = sorted(self._folder.glob("*.jsonl")) if self._folder.exists() else []
        for path in paths:
            for line in self._new_lines(path):
                self._take(path, line, events, moved)
        if events or moved:
            self.last_heard = time.monotonic()
            self._hear(events, [self._far(source) for source in sorted(moved)])

    def _new_lines(self, path: Path) -> list[bytes]:
        """Return the whole lines that a journal has grown by."""
        with path.open("rb") as file:
            file.seek(self._offsets.get(path, 0))
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._offsets[path] = self._offsets.get(path, 0) + len(whole)
        return whole.splitlines()

    def _take(self, path: Path, line: bytes, events: list[Told], moved: set[str]) -> None:
        try:
            told: dict[str, Any] = json.loads(line)
            event, source = told["event"], told["source"]
        except (ValueError, KeyError, TypeError):  # torn by a crash: the next line is whole
            return
        if event == END:
            store.discard(path)
            self._offsets.pop(path, None)
        elif event == FAR:
            # By task, so that a second attempt does not count its bytes again.
            self._tasks.setdefault(source, {})[told["task"]] = (told["bytes"], told["files"])
            moved.add(source)
        else:
            events.append(told)

    def _far(self, source: str) -> Far:
        tasks = self._tasks[source].values()
        return Far(source, sum(size for size, _ in tasks), sum(files for _, files in tasks))
