"""The conductor's side of downloading: what is refused, what is kept, what is told."""

import dataclasses
import hashlib
import http.server
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pile import preflight
from pile.config import load
from pile.downloads import names
from pile.downloads import transfers as downloads
from pile.downloads.guests import Refused, guest
from pile.downloads.journals import Far, Journal, Listener, Told
from pile.downloads.raw_files import Located
from pile.graph import build
from pile.stages.fetch import groups
from sources.registry import SOURCES
from sources.source import Document, Get, Key, Options, Pace, RawFile, Rejected
from sources.upstream import s3
from sources.upstream.attempts import Patience
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners
from sources.upstream.public_address import ALLOW_PRIVATE

Pile = Callable[..., tuple[int, str, str]]
SECRET = "s3cr3t-9f1e77c0"
KEY = Key("PILE_TEST_KEY", ("127.0.0.1",), "X-Key", "https://example.org/keys")


class Upstream(http.server.ThreadingHTTPServer):
    """Serves texts by path; ``answers`` gives a status and headers instead."""

    daemon_threads = True

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.keys: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        upstream = self.server
        assert isinstance(upstream, Upstream)
        upstream.asked.append(self.path)
        upstream.keys.add(self.headers["X-Key"])
        body = upstream.texts.get(self.path, "").encode()
        found = (200, {}) if self.path in upstream.texts else (404, {})
        status, headers = upstream.answers.get(self.path, found)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Serve twenty letters and an index of them."""
    with Upstream() as found:
        for number in range(20):
            found.texts[f"/letters/{number:03d}.txt"] = f"Letter {number}: " + "word " * 50
        found.texts["/letters/index"] = "\n".join(f"{number:03d}.txt" for number in range(20))
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Patience(attempts=2, first_wait=0.01, longest_wait=0.01)
    monkeypatch.setattr(downloads, "PATIENT", quick)


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch, upstream: Upstream) -> Callable[..., None]:
    """Make a source of the upstream's letters, in one task; arguments overrule its facts."""
    monkeypatch.setattr("pile.stages.fetch.FEW_TASKS", 1)

    def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
        del options
        text = path.read_text(encoding="utf-8")
        yield Document(f"letters/{raw.name}", text, f"{raw.name}:0", "CC0-1.0")

    def plan(options: Options, get: Get) -> Iterable[RawFile]:
        del options
        for name in get("https://letters.example.org/letters/index").decode().split("\n"):
            yield RawFile(f"https://letters.example.org/letters/{name}", name)

    def make(**facts: Any) -> None:
        source = dataclasses.replace(
            SOURCES["europarl"],
            name="europarl",
            access="open",
            defaults={},
            read=read,
            **{"plan": plan, "keys": (), "paces": {}, **facts},
        )
        changed = {**SOURCES, "europarl": source}
        for name in (
            "pile.config",
            "pile.downloads.guests",
            "pile.stages.extract",
            "pile.downloads.upstreams",
        ):
            monkeypatch.setattr(f"{name}.SOURCES", changed)

    make()
    return make


def write(folder: Path, upstream: Upstream, run: str = "", more: str = "", mirror: str = "") -> str:
    """Write a config that reads the letters, by way of the upstream on this machine."""
    path = folder / "pipeline.toml"
    path.write_text(
        f"""
        schema = 1
        [sources.europarl]
        pile_set_name = "Letters"
        {more}
        [mix]
        val = 0.0
        test = 0.0
        [tokenizer]
        vocabulary = 300
        [run]
        engine = "serial"
        {run}
        [run.mirrors]
        "https://letters.example.org/" = "{mirror or upstream.url}"
        """,
        encoding="utf-8",
    )
    return str(path)


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the log's events of files."""
    lines = (folder / "work/logs/events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"].startswith("file ")]


def located(name: str, size: int | None) -> Located:
    """Return a file to download."""
    return Located(RawFile(f"https://x.org/{name}", name, size), f"raw/{name}", is_local=False)


def test_small_files_share_a_task_and_large_ones_have_their_own() -> None:
    """A million small files are four thousand tasks; the cut depends on the files alone."""
    small = [located(f"{number:06d}", 1000) for number in range(1000)]
    assert [len(group) for group in groups(small)] == [256, 256, 256, 232]
    mixed = [located("a", 1 << 30), located("b", 10), located("c", 10), located("d", 1 << 30)]
    assert [[file.raw.name for file in group] for group in groups(mixed)] == [
        ["a"],
        ["b", "c"],
        ["d"],
    ]


def test_files_of_unknown_size_are_together_only_where_they_are_many() -> None:
    """They may be large: a few hundred have a task each, a hundred thousand do not."""
    assert [len(group) for group in groups([located(f"{n:03d}", None) for n in range(300)])] == (
        [1] * 300
    )
    many = [len(group) for group in groups([located(f"{n:06d}", None) for n in range(100_000)])]
    assert set(many[:-1]) == {98}


def test_a_mirror_changes_where_is_asked_and_nothing_else(
    tmp_path: Path, upstream: Upstream, letters: Callable[..., None], pile: Pile
) -> None:
    """Same fingerprints with an address, a folder or nothing as mirror; upstream's names are kept."""
    config = write(tmp_path, upstream)
    assert pile("run", "-c", config)[0] == 0
    listing = next((tmp_path / "work/stages/fetch.europarl").rglob("raw_files.jsonl"))
    found = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    assert found[7]["url"] == "https://letters.example.org/letters/007.txt"
    folder = tmp_path / "mirror"
    for path, text in upstream.texts.items():
        (folder / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (folder / path[1:]).write_text(text, encoding="utf-8")
    upstream.asked.clear()
    code, _, _ = pile("run", "-c", write(tmp_path, upstream, 'work = "other"', mirror="mirror"))
    assert code == 0
    assert upstream.asked == []
    assert (
        listing.read_bytes()
        == (tmp_path / "other" / listing.relative_to(tmp_path / "work")).read_bytes()
    )


def test_a_file_gone_keeps_the_others_and_is_named(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that is finished has its name, the missing ones are told, and only they are asked again."""
    kept = {name: upstream.texts.pop(f"/letters/{name}") for name in ("017.txt", "019.txt")}
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    config = write(tmp_path, upstream, more=notes)
    code, out, err = pile("run", "-c", config)
    assert code == 8
    assert "going on without europarl" in err
    assert "017.txt, 019.txt" in out
    assert "404" in out
    assert (tmp_path / "work/latest/shards").exists()
    assert len(list((tmp_path / "work/raw/europarl").glob("*.txt"))) == 18
    upstream.asked.clear()
    upstream.texts.update({f"/letters/{name}": text for name, text in kept.items()})
    assert pile("run", "-c", config)[0] == 0
    assert sorted(upstream.asked) == ["/letters/017.txt", "/letters/019.txt"]


@pytest.mark.parametrize("status", [503, 403, 401])
def test_a_host_that_stays_down_is_not_asked_for_every_file(
    status: int, tmp_path: Path, upstream: Upstream, letters: Callable[..., None], pile: Pile
) -> None:
    """After a few files in a row the source ends, and the rest of the run goes on."""
    upstream.answers = {f"/letters/{n:03d}.txt": (status, {}) for n in range(20)}
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    code, out, _ = pile("run", "-c", write(tmp_path, upstream, more=notes))
    assert code == 8
    assert str(status) in out
    assert (tmp_path / "work/latest/shards").exists()
    asked = set(upstream.asked) - {"/letters/index"}
    assert len(asked) <= downloads.DOWN_AFTER + downloads.CONNECTIONS
    told = Counter(event["event"] for event in events(tmp_path))
    names = ["file started", *(["file retried"] if status == 503 else []), "file failed"]
    assert told == {name: len(asked) for name in names}


def test_an_s3_that_is_out_of_reach_ends_its_source_for_now(
    tmp_path: Path,
    letters: Callable[..., None],
    upstream: Upstream,
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit 8, run again later: nothing is known to have moved."""
    s3.client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    letters(plan=lambda options, get: [RawFile("s3://letters/a.txt", "a.txt", 7)])
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    code, out, _ = pile("run", "-c", write(tmp_path, upstream, more=notes))
    assert (code, "run again later" in out) == (8, True)


@pytest.mark.parametrize("index", ["\0", None])
def test_a_plan_that_cannot_be_made_ends_its_source_alone(
    index: str | None, tmp_path: Path, upstream: Upstream, letters: Callable[..., None], pile: Pile
) -> None:
    """A listing that is gone, or has another form, is told; the other sources are read."""

    def plan(options: Options, get: Get) -> Iterable[RawFile]:
        del options
        return [RawFile(**json.loads(get("https://letters.example.org/letters/index"))["files"])]

    letters(plan=plan)
    upstream.texts["/letters/index"] = "[]"
    if index is None:
        del upstream.texts["/letters/index"]
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    code, out, _ = pile("run", "-c", write(tmp_path, upstream, more=notes))
    assert code == 8
    assert ("404" if index is None else "may have another form") in out
    assert (tmp_path / "work/latest/shards").exists()
    code, _, err = pile("run", "-c", write(tmp_path, upstream, 'work = "alone"'))
    assert code == 8
    assert "europarl" in err


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([RawFile("file:///etc/hostname", "a.txt")], "no address of a file elsewhere"),
        ([RawFile("memory://letters/a.txt", "a.txt")], "no address of a file elsewhere"),
        ([RawFile("https:///a.txt", "a.txt")], "no address of a file elsewhere"),
        ([RawFile("https://letters.example.org/a", "../../a.txt")], "outside its folder"),
        ([RawFile("https://letters.example.org/a", "/a.txt")], "outside its folder"),
        ([RawFile("https://letters.example.org/a", "a\0.txt")], "no name that a file can have"),
        ([RawFile("https://letters.example.org/a", "é" * 120)], "no name that a file can have"),
        ([RawFile("https://letters.example.org/a", "a.txt", -1)], "-1 bytes"),
        ([RawFile("https://letters.example.org/a", "a", 1, "md5:zz")], "no checksum"),
        ([RawFile("https://letters.example.org/a", "a//b")], "no name that a file can have"),
        ([RawFile(f"https://letters.example.org/{n}", "x") for n in (1, 2)], "two raw files"),
    ],
    ids=lambda found: found[0].url if isinstance(found, list) else found,
)
def test_a_listing_reaches_nothing_that_is_not_upstream(
    files: list[RawFile],
    told: str,
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
) -> None:
    """No file of this machine, no place outside the folder, nothing that could not be verified."""
    letters(plan=lambda options, get: files)
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    code, out, _ = pile("run", "-c", write(tmp_path, upstream, more=notes))
    assert code == 8
    assert told in out
    assert (tmp_path / "work/latest/shards").exists()
    assert not (tmp_path / "work/raw").exists()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://example.org/", "outside its folder"),
        ("https://example.org/%2e%2e", "outside its folder"),
        ("https://example.org/a%00b", "no name that a file can have"),
        ("https:///a.txt", "no address of a file elsewhere"),
        ("https://example.org/a.txt#md5=zz", "no checksum"),
    ],
)
def test_an_address_of_no_file_is_an_error_of_the_config(
    address: str, told: str, tmp_path: Path, upstream: Upstream, pile: Pile
) -> None:
    """It is told with file, table and key, before anything is asked."""
    code, _, err = pile("plan", "-c", write(tmp_path, upstream, more=f'files = ["{address}"]'))
    assert code == 2
    assert "pipeline.toml: [sources.europarl] files: " in err
    assert told in err
    assert upstream.asked == []


def test_a_file_of_another_plan_is_not_taken_for_this_one(
    tmp_path: Path, upstream: Upstream, letters: Callable[..., None], pile: Pile
) -> None:
    """Two addresses that end in the same name: neither's file ever stands for the other's."""
    upstream.texts |= {"/one/a.txt": "The first one. " * 30, "/two/a.txt": "The other one. " * 30}
    raw = tmp_path / "work/raw/europarl/a.txt"
    for name in ("one", "two", "one"):
        files = f'files = ["https://letters.example.org/{name}/a.txt"]'
        assert pile("run", "-c", write(tmp_path, upstream, more=files))[0] == 0
        assert raw.read_text(encoding="utf-8") == upstream.texts[f"/{name}/a.txt"]
    listed = max(
        (tmp_path / "work/stages/fetch.europarl").rglob("raw_files.jsonl"),
        key=lambda path: path.stat().st_mtime_ns,
    )
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    assert json.loads(listed.read_text(encoding="utf-8"))["checksum"] == f"sha256:{digest}"


def test_a_missing_key_is_told_before_anything_is_asked(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit 2, naming the variable, the keyring file, and where to get the key; a plan is still told."""
    monkeypatch.setenv("PILE_KEYRING", str(tmp_path / "keyring.toml"))
    monkeypatch.delenv(KEY.name, raising=False)
    letters(keys=(KEY,))
    config = write(tmp_path, upstream)
    for verb, expected in (("run", 2), ("status", 2), ("plan", 0)):
        code, out, err = pile(verb, "-c", config)
        assert code == expected
        for told in ("europarl: ", KEY.name, KEY.where, "keyring.toml", "enabled = false"):
            assert told in (err if expected else out)
    [wanted] = json.loads(pile("plan", "-c", config, "--json")[1])["refused"]
    assert (wanted["source"], KEY.name in wanted["why"]) == ("europarl", True)
    assert "not asked" in pile("sources", "check", "-c", config)[1]
    assert upstream.asked == []


def test_a_source_that_lacks_its_key_does_not_hide_the_plan_of_others(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan has their stages; a run is refused as a whole, before anything is fetched."""
    monkeypatch.setenv("PILE_KEYRING", str(tmp_path / "keyring.toml"))
    letters(keys=(KEY,))
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    config = write(tmp_path, upstream, more=notes)
    code, out, _ = pile("plan", "-c", config)
    assert (code, "fetch.notes" in out, KEY.name in out) == (0, True, True)
    assert pile("run", "-c", config)[0] == 2
    assert not (tmp_path / "work/stages").exists()


def test_a_mirror_needs_no_key_of_the_upstream(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key is for its own hosts: who asks elsewhere goes without."""
    monkeypatch.setenv("PILE_KEYRING", str(tmp_path / "keyring.toml"))
    letters(keys=(dataclasses.replace(KEY, hosts=("letters.example.org",)),))
    assert pile("run", "-c", write(tmp_path, upstream))[0] == 0


def test_a_key_leaves_no_trace(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reaches its host, and neither a file of the run nor what the run says."""
    monkeypatch.setenv(KEY.name, SECRET)
    letters(keys=(KEY,))
    upstream.answers["/letters/015.txt"] = (500, {})
    notes = '[sources.notes]\nreader = "local"\nfiles = ["notes.txt"]'
    (tmp_path / "notes.txt").write_text("A note. " * 50, encoding="utf-8")
    config = write(tmp_path, upstream, more=notes)
    told = [pile("run", "-c", config, "--debug")]
    upstream.answers.clear()
    told += [pile("run", "-c", config), pile("plan", "-c", config, "--json")]
    told += [pile("sources", "check", "-c", config), pile("report", "-c", config, "--json")]
    assert [code for code, _, _ in told] == [8, 0, 0, 0, 0]
    assert upstream.keys == {SECRET}
    assert SECRET not in repr(told)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 50
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_paid_downloads_need_leave(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Estimate first; over [run] spend_usd nothing is fetched, and a mirror costs nothing."""
    _without_aws(monkeypatch, tmp_path)

    def plan(options: Options, get: Get) -> Iterable[RawFile]:
        del options, get
        return [RawFile("s3://letters/a.tar", "a.tar", 1_234_000_000_000)]

    letters(plan=plan, usd_per_gb=0.09)
    monkeypatch.setattr(preflight, "free_bytes", lambda folder: 1 << 50)
    config = write(tmp_path, upstream)
    code, out, _ = pile("plan", "-c", config)
    assert (code, "europarl: 1,234 GB, about 111.06 USD" in out) == (0, True)
    code, _, err = pile("run", "-c", config)
    assert code == 2
    assert "set [run] spend_usd = 112" in err
    code, _, err = pile("run", "-c", write(tmp_path, upstream, "spend_usd = 100"))
    assert code == 2
    assert "more than [run] spend_usd = 100 allows" in err
    assert "AWS_ACCESS_KEY_ID" in err
    with pytest.raises(Refused, match="AWS_SECRET_ACCESS_KEY"):
        settings = load(Path(write(tmp_path, upstream, "spend_usd = 112")))
        preflight.check_leave(settings, build(settings, print))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERSOWNKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    settings = load(Path(write(tmp_path, upstream, "spend_usd = 112")))
    preflight.check_leave(settings, build(settings, print))
    text = Path(config).read_text(encoding="utf-8") + '\n"s3://letters/" = "mirror"\n'
    Path(config).write_text(text.replace("spend_usd = 112", ""), encoding="utf-8")
    settings = load(Path(config))
    preflight.check_leave(settings, build(settings, print))


def test_leave_to_spend_is_for_sources_with_a_price(tmp_path: Path, upstream: Upstream) -> None:
    """What another bucket bills would be in no sum, so that nobody offers to pay it."""
    settings = load(Path(write(tmp_path, upstream, "spend_usd = 5")))
    assert guest(settings, SOURCES["arxiv"]).spend
    assert not guest(settings, SOURCES["europarl"]).spend


def _without_aws(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "none"))


def test_a_listing_that_is_paid_for_is_not_asked_for_without_leave_and_credentials(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal says about what all costs; with leave, whose account is billed must be known."""
    _without_aws(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", upstream.url)

    def plan(options: Options, get: Get) -> Iterable[RawFile]:
        del options
        yield RawFile("s3://letters/a.tar", get("s3://letters/manifest").decode())

    letters(plan=plan, usd_per_gb=0.09, raw_bytes=1_234_000_000_000)
    for run, told in (("", "set [run] spend_usd = 112"), ("spend_usd = 5", "AWS_ACCESS_KEY_ID")):
        config = write(tmp_path, upstream, run)
        code, _, err = pile("run", "-c", config)
        assert (code, told in err) == (2, True)
        code, out, _ = pile("plan", "-c", config)
        assert (code, told in out) == (0, True)
        assert told in pile("sources", "check", "-c", config)[1]
    assert upstream.asked == []


def test_a_full_disk_is_told_before_the_start(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit 7 with what is needed, and how many files are of unknown size."""
    monkeypatch.setattr(preflight, "free_bytes", lambda folder: 1000)
    code, _, err = pile("run", "-c", write(tmp_path, upstream))
    assert code == 7
    assert "20 files of unknown size" in err
    assert upstream.asked == ["/letters/index"]


def test_a_run_says_once_that_it_has_no_contact(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only where something is to be downloaded, and no contact is given anywhere."""
    for name in ("PILE_CONTACT", "PILE_USER_AGENT"):
        monkeypatch.delenv(name, raising=False)
    config = write(tmp_path, upstream)
    assert pile("run", "-c", config)[2].count("no contact is set") == 1
    assert "no contact is set" not in pile("run", "-c", config)[2]
    named = write(tmp_path, upstream, 'contact = "us@example.org"\nwork = "w2"')
    assert "no contact is set" not in pile("run", "-c", named)[2]


def test_the_log_tells_of_each_file(
    tmp_path: Path, upstream: Upstream, letters: Callable[..., None], pile: Pile
) -> None:
    """Started and finished, with bytes, seconds and host."""
    assert pile("run", "-c", write(tmp_path, upstream))[0] == 0
    found = events(tmp_path)
    assert Counter(event["event"] for event in found) == {"file started": 20, "file finished": 20}
    last = next(e for e in found if e["event"] == "file finished" and e["file"] == "012.txt")
    assert last["bytes"] == len(upstream.texts["/letters/012.txt"])
    assert last["host"] == upstream.url.removeprefix("http://")
    assert last["seconds"] >= 0
    assert not list((tmp_path / "work/logs/downloads").glob("*.jsonl"))


@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_no_file_has_its_name_before_it_is_on_disk(
    tmp_path: Path,
    upstream: Upstream,
    letters: Callable[..., None],
    pile: Pile,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    """Each was flushed with all its bytes before it was renamed, however many are named together."""
    monkeypatch.setattr(names, "AT_ONCE", at_once)
    flushed: dict[int, int] = {}
    renamed: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def flush(descriptor: int) -> None:
        fsync(descriptor)
        status = os.fstat(descriptor)
        flushed[status.st_ino] = status.st_size

    def rename(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            status = path.stat()
            assert flushed[status.st_ino] == status.st_size > 0
            renamed.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "replace", rename)
    assert pile("run", "-c", write(tmp_path, upstream))[0] == 0
    assert sorted(renamed) == [f"{number:03d}.txt" for number in range(20)]


def test_a_finished_file_gets_its_name_while_others_are_on_their_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for no longer than is worth it, though nothing else is finished by then."""
    partial, path = tmp_path / "a.partial", tmp_path / "a"
    partial.write_bytes(b"all of it")
    with Journal(tmp_path / "journals", "letters", "0") as journal:
        waiting = names.Names(journal)
        waiting.add(names.Finished(partial, path, ExitStack(), {}))
        waiting.tend()
        assert not path.exists()
        monkeypatch.setattr(names, "LONGEST", 0.0)
        waiting.tend()
        assert path.read_bytes() == b"all of it"


@pytest.mark.parametrize("kind", ["items", "pages", "files"])
def test_an_interrupt_ends_what_waits_for_a_host(
    kind: str, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while an upstream wants to be left alone for minutes: no thread waits for that."""
    monkeypatch.setenv(ALLOW_PRIVATE, "yes")
    busy = (503, {"Retry-After": "300"})
    upstream.answers = {f"/{number}.json": busy for number in range(1, 41)}
    addresses = [f"{upstream.url}/{number}.json" for number in range(1, 41)]
    (tmp_path / "list").write_text("\n".join(addresses), encoding="utf-8")
    raws = {
        "items": [RawFile(f"{upstream.url}/{{1..40}}.json", "items", form="items")],
        "pages": [RawFile((tmp_path / "list").as_uri(), "pages", form="pages")],
        "files": [RawFile(address, address[-7:].replace("/", "-")) for address in addresses],
    }[kind]
    files = tuple(Located(raw, str(tmp_path / "raw" / raw.name), is_local=False) for raw in raws)
    who = Guest(Manners(tmp_path / "manners", {"127.0.0.1": Pace(1000.0)}))
    order = downloads.Order("s", "t", files, tmp_path / "stage", who, tmp_path / "journals")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    begun = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            downloads.download(order)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 60


def test_what_workers_tell_adds_up(tmp_path: Path) -> None:
    """A second attempt at a task does not count its bytes twice; a torn line is passed over."""
    heard: list[Far] = []
    logged: list[Told] = []

    def hear(events: object, far: Iterable[Far]) -> None:
        logged.extend(events)  # type: ignore[call-overload]
        heard.extend(far)

    folder = tmp_path / "journals"
    with Journal(folder, "x", "0") as left:
        left.say("file finished", file="of an earlier run")
    with Listener(folder, hear):
        with Journal(folder, "x", "0") as first:
            first.grew(60, files=1)
        with Journal(folder, "x", "0") as again:
            again.grew(100, files=2)
        with Journal(folder, "x", "1") as other:
            other.grew(7, files=1)
            other.say("file finished", file="a")
        (folder / "torn.jsonl").write_bytes(b'{"event": "far", "sou\n')
    assert heard[-1] in {Far("x", 107, 3), Far("x", 67, 2)}
    assert [event["file"] for event in logged] == ["of an earlier run", "a"]
