"""Raw files that must be downloaded: fetched once, verified, and a dead upstream ends only its source."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

Pile = Callable[..., tuple[int, str, str]]

TEXT = "A bulletin of some length, about the weather of the day. " * 20


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder on the loopback, and counts what is asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        handler = partial(_Handler, directory=str(folder))
        super().__init__(("127.0.0.1", 0), handler)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Serve one file on the loopback."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT, encoding="utf-8")
    with Server(folder) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def write_config(folder: Path, server: Server, checksum: str = "", more: str = "") -> str:
    """Write a config that downloads the server's file."""
    address = f"http://127.0.0.1:{server.server_port}"
    path = folder / "pipeline.toml"
    path.write_text(
        f"""
        schema = 1
        [sources.bulletins]
        reader = "local"
        files = ["{address}/a.txt{checksum}"]
        {more.replace("ADDRESS", address)}
        [mix]
        val = 0.0
        test = 0.0
        [tokenizer]
        vocabulary = 300
        [run]
        engine = "serial"
        """,
        encoding="utf-8",
    )
    return str(path)


def test_a_raw_file_is_downloaded_once(tmp_path: Path, server: Server, pile: Pile) -> None:
    """It is fetched, recorded with its digest, and not asked for again."""
    config = write_config(tmp_path, server)
    assert pile("run", "-c", config)[0] == 0
    assert (tmp_path / "work/raw/bulletins/a.txt").read_text(encoding="utf-8") == TEXT
    listing = next((tmp_path / "work/stages/fetch.bulletins").rglob("raw_files.jsonl"))
    found = json.loads(listing.read_text(encoding="utf-8"))
    assert found["checksum"] == "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()
    assert pile("run", "-c", config)[0] == 0
    assert server.asked == ["/a.txt"]


def test_a_lost_raw_file_is_downloaded_again(tmp_path: Path, server: Server, pile: Pile) -> None:
    """Deleting a downloaded file makes its fetch undone, and nothing else."""
    config = write_config(tmp_path, server)
    pile("run", "-c", config)
    (tmp_path / "work/raw/bulletins/a.txt").unlink()
    code, out, _ = pile("run", "-c", config, "--json")
    assert code == 0
    assert json.loads(out)["made"] == ["fetch.bulletins"]


def test_a_checksum_in_the_address_is_held(tmp_path: Path, server: Server, pile: Pile) -> None:
    """A file with another digest than the config gives is never taken."""
    right = hashlib.sha256(TEXT.encode()).hexdigest()
    assert pile("run", "-c", write_config(tmp_path, server, f"#sha256={right}"))[0] == 0
    wrong = write_config(tmp_path, server, f"#sha256={'0' * 64}")
    (tmp_path / "work/raw/bulletins/a.txt").unlink()
    code, _, err = pile("run", "-c", wrong)
    assert code != 0
    assert "0" * 64 in err
    assert not (tmp_path / "work/raw/bulletins/a.txt").exists()


def test_a_dead_upstream_ends_its_source_alone(tmp_path: Path, server: Server, pile: Pile) -> None:
    """The rest of the run goes on, and the exit code says: retry later."""
    more = '[sources.lost]\nreader = "local"\nfiles = ["ADDRESS/none.txt"]'
    code, out, err = pile("run", "-c", write_config(tmp_path, server, more=more))
    assert code == 8
    assert "going on without lost" in err
    assert "left out: lost" in out
    assert (tmp_path / "work/latest/shards").exists()
    assert pile("status", "-c", str(tmp_path / "pipeline.toml"))[0] == 1
