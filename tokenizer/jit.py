"""How kernels are compiled: once a machine, and other threads run on meanwhile.

Numba keeps what it compiled beside the source, and by itself looks only at the one file that holds a
function, not at what the function calls. Here a change of any file of this package counts.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.extending import intrinsic as numba_intrinsic

_Function = TypeVar("_Function", bound=Callable[..., Any])


@functools.cache
def _stamp() -> str:
    """Return a hash of this package's source."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def jit(function: _Function) -> _Function:
    """Compile a function; it keeps its type as far as Python can tell."""
    return _compiled(function)


def inlined(function: _Function) -> _Function:
    """Compile a function into each caller: to pass many arrays costs more than short work."""
    return _compiled(function, forceinline=True)


def lean(function: _Function) -> _Function:
    """Compile a function that neither makes nor returns arrays, and so need not count who holds them.

    Numba counts atomically, for every array of a tuple, wherever one is passed or taken apart: 5 ns
    each, where a word may take 10.
    """
    return _compiled(function, _nrt=False)


def lean_inlined(function: _Function) -> _Function:
    """Compile a function as `lean` and `inlined` do."""
    return _compiled(function, _nrt=False, forceinline=True)


def _compiled(function: _Function, **options: bool) -> _Function:
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    compiled._cache._cache_file._source_stamp = _stamp()
    result: _Function = compiled
    return result


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make an intrinsic of a function that returns a signature and a writer of code."""
    made: Callable[..., Any] = numba_intrinsic(function)
    return made
