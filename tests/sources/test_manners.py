"""A host is asked at its pace, over all workers, and left alone when it says so."""

import json
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from sources.fetch import Patience, UpstreamError, get
from sources.source import Pace
from sources.upstream import bucket, manners
from sources.upstream.attempts import Interrupted
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import DATE, Reply, Upstream, serving, whole
from polite import ask_often, take_and_hang


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Give a server that is reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as server:
        server.otherwise = lambda _: whole(b"here\n")
        yield server


def paced(folder: Path, per_second: float, connections: int = 4) -> Guest:
    """Return a guest that asks this machine at a pace."""
    return Guest(Manners(folder, {"127.0.0.1": Pace(per_second, connections)}))


def gaps(moments: list[float]) -> list[float]:
    """Return the seconds between one moment and the next."""
    return [late - early for early, late in pairwise(sorted(moments))]


def most_within(moments: list[float], seconds: float) -> int:
    """Return the most moments that lie in any window of a length."""
    moments = sorted(moments)
    return max(sum(first <= at < first + seconds for at in moments) for first in moments)


def rewrite(path: Path, **fields: object) -> None:
    """Change what the file of a bucket says."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


# The pace


def test_four_processes_together_keep_the_pace_of_one_bucket(
    upstream: Upstream, tmp_path: Path
) -> None:
    """Measured at the server: in no window more requests than the bucket gives, and hardly fewer."""
    rate, requests = 40.0, 80
    context = multiprocessing.get_context("spawn")
    guest = paced(tmp_path, rate, 8)
    workers = [
        context.Process(target=ask_often, args=(upstream.url, requests // 4, guest))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    moments = [request.at for request in upstream.requests]
    assert len(moments) == requests
    # A request that is late on its way comes closer to the next one.
    assert most_within(moments, 1.0) <= rate + 1
    assert most_within(moments, 0.25) <= rate / 4 + 2
    assert max(moments) - min(moments) >= 0.99 * (requests - 1) / rate


def test_tokens_are_never_closer_than_a_gap(tmp_path: Path) -> None:
    """Threads of one process wait for each other as processes do."""
    manners = paced(tmp_path, 100.0, 8).manners
    moments: list[float] = []

    def ask() -> None:
        for _ in range(10):
            with manners.turn("127.0.0.1"):
                moments.append(time.monotonic())

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(ask) for _ in range(4)]:
            done.result()
    assert sum(gaps(moments)) >= 0.99 * 39 / 100
    assert most_within(moments, 0.1) <= 12


def test_time_without_requests_is_not_saved_up(tmp_path: Path) -> None:
    """After a rest the first request goes at once, and the second a gap later."""
    manners = paced(tmp_path, 20.0).manners
    moments = []
    for rest in (0.0, 0.3, 0.0):
        time.sleep(rest)
        with manners.turn("127.0.0.1"):
            moments.append(time.monotonic())
    first, second = gaps(moments)
    assert 0.3 <= first < 0.34 + 0.2
    assert second >= 0.05


def test_connections_are_limited(tmp_path: Path) -> None:
    """What holds a connection keeps others out; that they wait for our own is no failure."""
    manners = paced(tmp_path, 1000.0, 2).manners
    waiting = waiter(manners)
    with manners.turn("127.0.0.1"), manners.turn("127.0.0.1"):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(5)
    assert not waiting.is_alive()


def waiter(manners: Manners) -> threading.Thread:
    """Return a thread that takes a turn, though it would not be left alone by the host for long."""

    def take() -> None:
        with manners.turn("127.0.0.1", longest=0.01):
            pass

    return threading.Thread(target=take, daemon=True)


def test_a_killed_worker_frees_its_turn(tmp_path: Path) -> None:
    """The kernel drops the locks of the dead."""
    manners = paced(tmp_path, 1000.0, 1).manners
    context = multiprocessing.get_context("spawn")
    ready, worker_end = context.Pipe()
    worker = context.Process(target=take_and_hang, args=(manners, worker_end))
    worker.start()
    assert ready.recv() == "holding"
    waiting = waiter(manners)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    waiting.join(5)
    assert not waiting.is_alive()


@pytest.mark.parametrize(
    "change",
    [
        {"boot": "another node"},
        {"taken": time.monotonic() + 1e6},
        {"boot": "another node", "taken": 1e12},
    ],
)
def test_a_token_of_another_clock_costs_one_gap(
    tmp_path: Path, change: Mapping[str, object]
) -> None:
    """Another node, a boot before, a clock far ahead: neither faster than the pace, nor stuck."""
    manners = paced(tmp_path, 10.0).manners
    with manners.turn("127.0.0.1"):
        pass
    time.sleep(0.15)
    rewrite(manners.beside("127.0.0.1", "bucket"), **change)
    begun = time.monotonic()
    with manners.turn("127.0.0.1"):
        assert 0.1 <= time.monotonic() - begun < 0.5


@pytest.mark.parametrize("torn", [b"", b'{"boot": "x", "tak', b"\0" * 512, b"[1]", b'{"other": 1}'])
def test_a_torn_bucket_costs_one_gap(tmp_path: Path, torn: bytes) -> None:
    """What cannot be read tells nothing, and is written anew."""
    manners = paced(tmp_path, 10.0).manners
    manners.beside("127.0.0.1", "bucket").write_bytes(torn)
    for _ in range(2):
        begun = time.monotonic()
        with manners.turn("127.0.0.1"):
            assert 0.09 <= time.monotonic() - begun < 0.5


# Being told to wait


@pytest.mark.parametrize(
    "stated", [{"Retry-After": "1"}, {"Retry-After": "Tue, 21 Oct 2025 07:28:01 GMT", "Date": DATE}]
)
def test_what_one_worker_is_told_holds_for_all(
    upstream: Upstream, tmp_path: Path, stated: dict[str, str]
) -> None:
    """After a Retry-After, in seconds or as a date, nobody asks the host until then."""
    guest = paced(tmp_path, 1000.0)
    upstream.replies = [Reply("429 Slow", stated)]
    with pytest.raises(UpstreamError):
        get(upstream.url, guest=guest, patience=Patience(attempts=1))
    get(upstream.url, guest=guest)
    assert gaps([request.at for request in upstream.requests])[0] >= 1.0


def test_a_host_that_wants_hours_is_left_without_another_request(
    upstream: Upstream, tmp_path: Path
) -> None:
    """Every other file of the host fails at once, to be asked for in a later run."""
    guest = paced(tmp_path, 1000.0)
    upstream.replies = [Reply("503 Busy", {"Retry-After": "7200"})]
    for _ in range(3):
        with pytest.raises(UpstreamError, match=r"next try would be in 7[12]") as caught:
            get(upstream.url, guest=guest)
        assert caught.value.retry_later
    assert len(upstream.requests) == 1


def test_no_host_is_left_alone_for_more_than_a_day(tmp_path: Path) -> None:
    """A word of years, or a clock that jumped, does not stop next year's run."""
    manners = paced(tmp_path, 1000.0).manners
    manners.hold("127.0.0.1", 1e9)
    file = manners.beside("127.0.0.1", "bucket")
    token = bucket.Token(**json.loads(file.read_text()))
    assert bucket.LONGEST_HOLD - 10 < token.left_alone() <= bucket.LONGEST_HOLD
    rewrite(file, held_by="another node", free_wall=time.time() + 1e9, held=0.5)
    begun = time.monotonic()
    with pytest.raises(Interrupted, match="left alone"), manners.turn("127.0.0.1", longest=0.1):
        pass
    assert time.monotonic() - begun < 0.5


# Which bucket


def test_subdomains_share_the_bucket_of_the_domain_that_is_named() -> None:
    """The longest name that is stated counts; a name that only ends alike is another host."""
    manners = Manners(
        Path("/nowhere"),
        {"a.org": Pace(1.0), "files.a.org": Pace(2.0), "b.org:8080": Pace(3.0)},
        Pace(9.0),
    )
    hosts = {
        "a.org": 1.0,
        "WWW.A.org.": 1.0,
        "me:secret@deep.www.a.org:443": 1.0,
        "x.files.a.org": 2.0,
        "b.org:8080": 3.0,
        "b.org": 9.0,
        "nota.org": 9.0,
    }
    for host, rate in hosts.items():
        pace = manners.pace(host)
        assert pace is not None
        assert pace.per_second == rate


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000"])
def test_this_machine_is_asked_at_no_pace(host: str) -> None:
    """Nobody is bothered by it."""
    assert Manners().pace(host) is None


def test_without_a_folder_a_process_keeps_the_pace_by_itself() -> None:
    """Manners are a value: what is shared lies on disk, for this process alone if nowhere is named."""
    manners = pickle.loads(pickle.dumps(Manners(None, {"a.org": Pace(20.0)})))
    begun = time.monotonic()
    for _ in range(3):
        with manners.turn("a.org"):
            pass
    assert time.monotonic() - begun >= 0.1


def test_threads_that_ask_first_share_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once: a folder that nobody holds is removed, with the buckets in it."""
    made, begin = tempfile.TemporaryDirectory, threading.Barrier(8)

    def slowly(prefix: str) -> tempfile.TemporaryDirectory[str]:
        time.sleep(0.05)
        return made(prefix=prefix)

    def bucket_of(number: int) -> Path:
        begin.wait()
        return Manners().beside(f"{number}.example.org", "bucket")

    monkeypatch.setattr("sources.upstream.manners.tempfile.TemporaryDirectory", slowly)
    manners._made_folder.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        buckets = list(threads.map(bucket_of, range(8)))
    assert len({path.parents[2] for path in buckets}) == 1
    assert all(path.parent.is_dir() for path in buckets)
