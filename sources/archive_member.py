"""What an archive says of one member, and whether its name may be used."""

import re
from dataclasses import dataclass

MAX_MEMBERS = 10**7
"""Members of one archive; more are taken for a bomb."""

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive.

    ``name`` is its path with single ``/`` between the parts and no ``.``; ``size`` its decompressed
    bytes as the archive states them. ``problem`` is None for a regular file that can be read, else
    ``unsafe_name``, ``not_a_file`` (a link, device, pipe or socket), ``sparse`` or ``encrypted``;
    an unsafe name is given as it stands.
    """

    name: str
    size: int
    problem: str | None = None


def judge(name: str, size: int, problem: str | None = None) -> Member:
    """Make a member of a raw name; an unsafe name comes before any other problem."""
    if not is_safe(name):
        return Member(_printable(name), size, "unsafe_name")
    return Member(normalised(name), size, problem)


def is_safe(name: str) -> bool:
    r"""Tell whether a name stays below any folder it is put in, on any system.

    Unsafe are absolute names, drive letters, ``..`` as a part (``\`` parts as well as ``/``), NUL,
    and names of nothing.
    """
    slashed = name.replace("\\", "/")
    parts = slashed.split("/")
    return (
        "\0" not in name
        and not slashed.startswith("/")
        and not _DRIVE.match(slashed)
        and ".." not in parts
        and any(part not in {"", "."} for part in parts)
    )


def normalised(name: str) -> str:
    r"""Drop empty and ``.`` parts; show what no text can hold as ``\xNN`` or ``\uNNNN``."""
    return _printable("/".join(part for part in name.split("/") if part not in {"", "."}))


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
