"""Connections whose answers begin in time, though their headers come byte by byte.

The timeout of a socket begins anew with each byte. Here a connection is hung up on when not all of an
answer's headers are there within that time; how slowly its body may come is for `flow` to say.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

PERIOD = 0.25
"""Seconds between two looks for answers that are late."""


@dataclass(slots=True)
class _Awaited:
    """An answer that is to be there by ``deadline``, on the clock that never jumps."""

    connected: socket.socket
    deadline: float
    late: bool = False


class _Watch:
    """The thread that hangs up, of this process."""

    process = 0


_AWAITED: dict[int, _Awaited] = {}
_START = threading.Lock()


@contextmanager
def in_time(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Hang up after so many seconds, and raise TimeoutError then, whatever the hanging up looked like."""
    _start()
    awaited = _Awaited(connected, time.monotonic() + seconds)
    _AWAITED[id(awaited)] = awaited
    try:
        yield
    except Exception:
        if not awaited.late:
            raise
    finally:
        del _AWAITED[id(awaited)]
    if awaited.late:
        raise TimeoutError(f"its headers were not there in {seconds:.0f} s")


def _start() -> None:
    """Start the thread; one that a fork left behind is no more."""
    if _Watch.process == os.getpid():
        return
    with _START:
        if _Watch.process != os.getpid():
            _AWAITED.clear()
            threading.Thread(target=_hang_up, daemon=True).start()
            _Watch.process = os.getpid()


def _hang_up() -> None:
    while True:
        time.sleep(PERIOD)
        now = time.monotonic()
        for awaited in list(_AWAITED.values()):
            if now > awaited.deadline:
                awaited.late = True
                with suppress(OSError):
                    # Not the method of a TLS socket, which another thread is reading from.
                    socket.socket.shutdown(awaited.connected, socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 has it
        """Wait for an answer's headers."""
        with in_time(self.sock, self.timeout or socket.getdefaulttimeout() or 60.0):
            return super().getresponse()


class _SafeConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 has it
        """Wait for an answer's headers."""
        with in_time(self.sock, self.timeout or socket.getdefaulttimeout() or 60.0):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


def timely(pools: urllib3.PoolManager) -> urllib3.PoolManager:
    """Let connections be of this kind."""
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}
    return pools
