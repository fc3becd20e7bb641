"""A headless Chromium, driven over its debugging pipe with the standard library alone.

Messages are JSON objects of the Chrome DevTools Protocol, each ended by a zero byte, on the
descriptors 3 and 4 of the browser (``--remote-debugging-pipe``).
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0


def find() -> str | None:
    """Return the path of an installed Chromium, if there is one; ``PILE_CHROMIUM`` may name it."""
    named = (os.environ.get("PILE_CHROMIUM", ""), *NAMES)
    return next((path for name in named if name and (path := shutil.which(name))), None)


class Browser:
    """A browser with one page; a context manager.

    ``events`` holds all that the page told, in order: requests, console messages, exceptions.
    """

    def __init__(self, path: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        with _descriptors() as (commands, answers, theirs):
            # The shell gives the browser the numbers that it wants; plain sh knows one digit only.
            shell = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
            profile = f"--user-data-dir={self._profile.name}"
            self._process = subprocess.Popen(
                ["bash", "-c", shell, "bash", path, *SWITCHES, profile],
                pass_fds=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._commands, self._answers = commands, answers
        self._unread = b""
        self._number = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._commands)  # the browser ends when nobody commands it
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Command the browser and return its answer; raises RuntimeError if it refuses."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, page: Path) -> None:
        """Load a page from disk and wait until it is there."""
        self.call("Page.navigate", url=page.resolve().as_uri())
        deadline = time.monotonic() + PATIENCE
        while self.run("document.readyState + location.protocol") != "completefile:":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{page} did not load")
            time.sleep(0.02)

    def show(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Set the size of the window in CSS pixels, and which colours its user prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page; raises RuntimeError if it throws."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """Press and release a key, which types ``text`` if it is any."""
        pressed = {"key": key, "code": key, **_CODES.get(key, {})}
        down = "keyDown" if text or "text" in pressed else "rawKeyDown"
        if text:
            pressed["text"] = text
        self.call("Input.dispatchKeyEvent", type=down, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def picture(self, path: Path, clip: tuple[float, float, float, float] | None = None) -> None:
        """Write a PNG of the window, or of a part of the page: left, top, width, height."""
        more: dict[str, Any] = {}
        if clip:
            left, top, width, height = clip
            more["clip"] = {"x": left, "y": top, "width": width, "height": height, "scale": 1}
            more["captureBeyondViewport"] = True
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **more)["data"]))

    def told(self, method: str) -> list[dict[str, Any]]:
        """Return what events of a kind carry."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            more = os.read(self._answers, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer


_CODES: dict[str, dict[str, Any]] = {
    "Tab": {"windowsVirtualKeyCode": 9},
    "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"windowsVirtualKeyCode": 27},
    " ": {"windowsVirtualKeyCode": 32, "text": " ", "code": "Space"},
}


@contextmanager
def _descriptors() -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Give our ends of two pipes and, while the browser starts, its own."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    try:
        yield ours_out, ours_in, (theirs_in, theirs_out)
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
