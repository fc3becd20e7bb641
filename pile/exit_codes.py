"""What the ``pile`` command ends with, and which failure means which."""

import errno

from pile import lock
from pile.commands.show import NothingToShowError
from pile.config import ConfigError
from pile.downloads.guests import Refused
from pile.engine import NoProgressError
from pile.evaluation.bits import NotFinite
from pile.evaluation.held_out import DamagedCorpus, NothingHeldOut
from pile.export.configs import NothingToExportError
from pile.graph import UpstreamsGoneError
from pile.ledger import ConservationError
from pile.preflight import NoSpaceError
from pile.publication.nothing_left import NothingLeftError
from pile.run import RunFailed
from shards.format import BadShard
from sources.upstream.keys import UnsafeKeyring

DONE, FAILED, USAGE, SET_ASIDE, LOCKED, STALLED, UNVERIFIED, NO_SPACE, UPSTREAM = range(9)
"""Exit codes: 0 done, 1 failed, 2 usage or config, 3 something was set aside or left out, 4 locked
by another run, 5 no progress, 6 verification failed, 7 not enough disk, 8 upstream gone."""

INTERRUPTED = 130

BY_FAILURE: dict[type[Exception], int] = {
    ConfigError: USAGE,
    NothingToShowError: USAGE,
    NothingToExportError: FAILED,
    NothingHeldOut: FAILED,
    NothingLeftError: FAILED,
    DamagedCorpus: UNVERIFIED,
    NotFinite: FAILED,
    lock.LockedError: LOCKED,
    NoProgressError: STALLED,
    NoSpaceError: NO_SPACE,
    Refused: USAGE,
    UnsafeKeyring: USAGE,
    UpstreamsGoneError: UPSTREAM,
    BadShard: UNVERIFIED,
    RunFailed: FAILED,
    ConservationError: FAILED,
}
"""Failures that a user can do something about."""


def code_of(error: Exception) -> int | None:
    """Return the exit code of a failure that a user can do something about; None for another."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return NO_SPACE
    return next((code for kind, code in BY_FAILURE.items() if isinstance(error, kind)), None)
