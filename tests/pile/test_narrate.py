"""What a run shows on a terminal while it downloads: read from a real one."""

import codecs
import fcntl
import http.server
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pile.commands.narrate import Narrator
from pile.downloads.journals import Far
from pile.exit_codes import INTERRUPTED
from pile.run import Downloading, WaveStarted

COLUMNS = 100


class Screen:
    """The other end of a terminal: what a user sees, from the bytes that were written."""

    def __init__(self, rows: int, columns: int) -> None:
        self._end, self.terminal = pty.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._torn = ""
        self._lines: list[str] = [""]
        self._row = self._column = 0

    def close(self) -> None:
        """Hang up."""
        os.close(self._end)

    def seen(self) -> list[str]:
        """Take in what was written by now, and return the lines that are not blank."""
        os.set_blocking(self._end, False)
        written = b""
        try:
            while piece := os.read(self._end, 1 << 16):
                written += piece
        except (BlockingIOError, OSError):
            pass
        text = self._torn + self._decoder.decode(written)
        whole = re.sub(r"\x1b\[?\Z", "", text)  # what a full terminal has cut comes with its rest
        self._torn = text[len(whole) :]
        for token in re.findall(r"\x1b\[A|[\r\n]|[^\x1b\r\n]+", whole):
            self._take(token)
        return [line.rstrip() for line in self._lines if line.strip()]

    def _take(self, token: str) -> None:
        if token == "\r":
            self._column = 0
        elif token in {"\n", "\x1b[A"}:
            self._row = max(0, self._row + (1 if token == "\n" else -1))
            self._lines += [""] * (self._row + 1 - len(self._lines))
        else:
            before = self._lines[self._row].ljust(self._column)
            end = self._column + len(token)
            self._lines[self._row] = before[: self._column] + token + before[end:]
            self._column = end


@contextmanager
def narrating(
    rows: int, monkeypatch: pytest.MonkeyPatch, columns: int = COLUMNS
) -> Iterator[tuple[Narrator, Screen]]:
    """Tell a run to a terminal of so many rows."""
    screen = Screen(rows, columns)
    with os.fdopen(screen.terminal, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Narrator() as narrator:
            yield narrator, screen
        terminal.flush()
        assert screen.seen() == []
    screen.close()


def test_each_source_has_a_line_and_the_total_is_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, rate, time left, files; they are gone when the run is over."""
    sizes = (Far("arxiv", 4_000_000, 8), Far("github", 1_000_000, 5))
    with narrating(24, monkeypatch) as (narrator, screen):
        narrator.hear(WaveStarted(("fetch.arxiv",), 2, 5_000_000, sizes))
        narrator.hear(Downloading((Far("arxiv", 1, 0), Far("github", 1, 0))))
        time.sleep(0.2)
        narrator.hear(Downloading((Far("arxiv", 2_000_000, 4), Far("github", 250_000, 1))))
        time.sleep(0.2)
        narrator.hear(Downloading((Far("arxiv", 3_000_000, 6),)))
        lines = screen.seen()
    form = r"{}: +{}%\|.*\| {}/{} \[\d\d:\d\d<\d\d:\d\d, [\d.]+[kM]B/s, {} files\]"
    expected = [
        ("arxiv", 75, "3.00M", "4.00M", "6/8"),
        ("github", 25, "250k", "1.00M", "1/5"),
        ("total", 65, "3.25M", "5.00M", "7/13"),
    ]
    assert len(lines) == len(expected)
    for line, values in zip(lines, expected, strict=True):
        assert re.fullmatch(form.format(*values), line), line


def test_where_sizes_are_not_known_the_time_left_is_told_from_the_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No share of bytes is made up."""
    with narrating(24, monkeypatch) as (narrator, screen):
        narrator.hear(WaveStarted(("fetch.github",), 1, 0, (Far("github", 0, 4),)))
        narrator.hear(Downloading((Far("github", 1, 0),)))
        time.sleep(0.2)
        narrator.hear(Downloading((Far("github", 500_000, 1),)))
        lines = screen.seen()
    for line, name in zip(lines, ("github", "total"), strict=True):
        assert re.fullmatch(rf"{name}: 500kB \[00:00, [\d.]+MB/s, 1/4 files, 00:00 left\]", line), (
            line
        )


def test_on_a_low_terminal_sources_take_turns_and_the_total_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is whole makes room for what still moves; nothing is lost from the total."""
    names = [f"source{n}" for n in range(9)]
    with narrating(6, monkeypatch) as (narrator, screen):
        narrator.hear(WaveStarted((), 9, 900_000, tuple(Far(name, 100_000, 1) for name in names)))
        assert [line.split(":")[0] for line in screen.seen()] == [*names[:4], "total"]
        narrator.hear(Downloading((Far("source8", 1, 0),)))
        time.sleep(0.2)
        narrator.hear(Downloading((Far("source1", 100_000, 1), Far("source8", 50_000, 0))))
        lines = screen.seen()
    titles = [line.split(":")[0] for line in lines]
    assert titles == ["source0", "source8", "source2", "source3", "total"]
    assert "150k/900k" in lines[-1]
    assert "1/9 files" in lines[-1]


def test_a_terminal_without_a_size_shows_lines_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where one was made by a program that did not say how large it is."""
    with narrating(0, monkeypatch, columns=0) as (narrator, screen):
        narrator.hear(WaveStarted(("fetch.github",), 1, 10, (Far("github", 10, 4),)))
        assert [line.split(":")[0] for line in screen.seen()] == ["github", "total"]


class _Slow(http.server.BaseHTTPRequestHandler):
    """Sends what the end of the path says, at about a megabyte a second."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        left = int(self.path.rpartition("-")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left:
            piece = min(left, 50_000)
            try:
                self.wfile.write(b"x" * piece)
            except OSError:
                return
            left -= piece
            time.sleep(0.05)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[str]:
    """Run the slow upstream."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def answering_interrupts() -> Iterator[None]:
    """Let the processes that are started here answer Ctrl-C: a shell's background job ignores it.

    What is ignored stays so in all that the job starts, these tests and their runs included.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("ignored", [False, True], ids=["foreground", "background"])
def test_what_is_started_here_can_be_interrupted(ignored: bool) -> None:
    """Also where the tests run in the background, as a shell's job that ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    try:
        with answering_interrupts():
            told = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert told.stdout == b"True\n"


def test_a_run_shows_its_downloads_and_takes_them_away(tmp_path: Path, slow: str) -> None:
    """The command on a terminal, against a slow upstream, until it is interrupted."""
    tables = "".join(
        f"""
        [sources.{name}]
        reader = "local"
        pile_set_name = "{name}"
        licence = "CC0-1.0"
        files = ["{slow}/{name}-a-200000", "{slow}/{name}-b-90000000"]
        """
        for name in ("one", "two")
    )
    run = '[run]\nengine = "serial"\ncontact = "us@example.org"\n'
    config = tmp_path / "pipeline.toml"
    config.write_text(f"schema = 1\n{tables}\n{run}", encoding="utf-8")
    screen = Screen(24, COLUMNS)
    at = screen.terminal
    command = [sys.executable, "-m", "pile", "run", "-c", str(config)]
    moving = r"[\d.]+MB \[\d\d:\d\d, [\d.]+[kM]B/s, 1/{} files, \d\d:\d\d left\]"
    shown = re.compile(rf"one: {moving.format(2)}\ntwo: .*\ntotal: {moving.format(4)}")
    with ExitStack() as stack:
        stack.callback(screen.close)
        stack.enter_context(answering_interrupts())
        run_ = stack.enter_context(
            subprocess.Popen(command, stdin=at, stdout=at, stderr=at, start_new_session=True)
        )
        stack.callback(run_.kill)  # where it fails, nobody reads what the run would still write
        os.close(at)
        until(lambda: bool(shown.fullmatch("\n".join(screen.seen()[-3:]))))
        run_.send_signal(signal.SIGINT)
        until(lambda: any("stopped." in line for line in screen.seen()) and run_.poll() is not None)
        assert run_.returncode == INTERRUPTED
        assert not [line for line in screen.seen() if line.startswith(("one:", "two:", "total:"))]
