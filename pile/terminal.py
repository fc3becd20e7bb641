"""The terminal: results on stdout, narration and errors on stderr. The only module that prints."""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Annotated, NoReturn

import typer

from pile.exit_codes import BY_FAILURE, FAILED, INTERRUPTED, LOCKED, NO_SPACE, USAGE, code_of

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]


def emit(value: object, text: str, *, as_json: bool) -> None:
    """Print a result: the text, or the value as JSON."""
    try:
        print(json.dumps(value, ensure_ascii=False, indent=1) if as_json else text, flush=True)
    except BrokenPipeError:
        # Whoever read our output has enough of it; the exit code still says how it ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str, *, only_on_terminal: bool = False) -> None:
    """Narrate on stderr."""
    if not only_on_terminal or sys.stderr.isatty():
        with suppress(BrokenPipeError):  # nobody listens any more: the work goes on
            print(text, file=sys.stderr, flush=True)


def terminate(number: int, frame: FrameType | None) -> None:
    """Take a request to end as Ctrl-C."""
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def errors(debug: bool, resume: str = "") -> Iterator[None]:
    """Turn what a user can do something about into a message and an exit code."""
    hint = f"\nWhat is finished is kept; `{resume}` goes on from there." if resume else ""
    try:
        yield
    except KeyboardInterrupt:
        say(f"stopped.{hint}")
        raise typer.Exit(INTERRUPTED) from None
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - the last place before the user
        code = code_of(error)
        if code is None:
            fail(error, FAILED, f"{hint}\n--debug shows the traceback.", debug=debug)
        fail(error, code, "" if code in {USAGE, LOCKED} else hint, debug=debug)


def fail(error: Exception, code: int, hint: str = "", *, debug: bool = False) -> NoReturn:
    """Say what went wrong, and end with an exit code."""
    if debug:
        traceback.print_exception(error)
    kind = "" if isinstance(error, tuple(BY_FAILURE)) else f"{type(error).__name__}: "
    remedy = "; make room there, and run again" if code == NO_SPACE and kind else ""
    say(f"error: {kind}{error}{remedy}{hint}")
    raise typer.Exit(code) from None
