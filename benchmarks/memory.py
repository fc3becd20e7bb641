"""How much memory a process took."""

from pathlib import Path


def peak_mb() -> float:
    """Return the most memory this process has had since it began: unlike ru_maxrss, only its own."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
