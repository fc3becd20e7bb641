"""The stand-ins, found by their folder: test folders are no packages."""

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "servers")])
from standin import Standin, serving
from worlds import SECRETS, World, made_up, settle


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing beyond this machine is reached, whatever a plan asks for."""
    genuine: Callable[..., Any] = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> Any:
        assert address[0] in {"127.0.0.1", "::1"}, address
        return genuine(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def server() -> Iterator[Standin]:
    """One server for all tests of this folder."""
    with serving() as standin:
        yield standin


@pytest.fixture
def standin(server: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """Give the server with a clean record, reached without any proxy, and keys to show it."""
    monkeypatch.setenv("NO_PROXY", "*")
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    server.hosts = {}
    server.asked.clear()
    return server


@pytest.fixture
def world(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> World:
    """Every upstream with made-up files, also where only one true file has the known digest."""
    return settle(made_up(), standin, monkeypatch)
