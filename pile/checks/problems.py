"""What verification finds: something that is not as it was published."""

from collections.abc import Iterator
from dataclasses import dataclass

from pile import store
from pile.stages.stage import Made


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: in which stage and file, in which row and document if known, and what.

    ``file`` is the name of a part below the stage's folder, or of its recipe, ledger or manifest;
    ``is_users`` marks a file that only the user can put right, by its path: a raw file of their own,
    or one that is not of the run.
    """

    stage: str
    file: str
    what: str
    row: int | None = None
    id: str = ""
    is_users: bool = False

    def __str__(self) -> str:
        place = "" if self.row is None else f", row {self.row}"
        named = f" ({self.id})" if self.id else ""
        return f"{self.stage}: {self.file}{place}{named}: {self.what}"


def damaged_parts(name: str, finished: Made) -> Iterator[Problem]:
    """Yield the parts of a stage that are missing or have other bytes than they had."""
    for path, part in finished.parts():
        try:
            size, sha256 = store.digest(path)
        except OSError as error:
            yield Problem(name, part["name"], f"{error.strerror}; `pile repair` makes it again")
            continue
        if (size, sha256) != (part["size"], part["sha256"]):
            yield Problem(
                name,
                part["name"],
                f"has {size:,} bytes and digest {sha256[:12]}, not {part['size']:,} and "
                f"{part['sha256'][:12]}; `pile repair` makes it again",
            )
