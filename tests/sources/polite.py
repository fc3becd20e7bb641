"""What workers do in processes of their own."""

import time
from multiprocessing.connection import Connection

from sources.fetch import get
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners


def ask_often(url: str, times: int, guest: Guest) -> None:
    """Ask for a listing so many times."""
    for number in range(times):
        get(f"{url}/{number}", guest=guest)


def take_and_hang(manners: Manners, ready: "Connection[str, str]") -> None:
    """Take the turn of a host, say so, and never give it back."""
    with manners.turn("127.0.0.1"):
        ready.send("holding")
        time.sleep(60)
