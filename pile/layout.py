"""Where everything lies below the work directory: one function a place.

``stages/<stage>/<fingerprint>/`` holds a stage's parts, receipts, recipe and manifest; stale output
has another fingerprint and can never be taken for done. ``latest/`` links to the newest results.
"""

from pathlib import Path


def lock(work: Path) -> Path:
    """File that the one writer of the work directory holds locked."""
    return work / "lock"


def raw_folder(work: Path, source: str) -> Path:
    """Folder of the raw files that are downloaded of a source."""
    return work / "raw" / source


def inside(source: str, name: str) -> str:
    """Return a raw file's name as a path below its folder; refuses one that would leave it."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or name.startswith("/"):
        raise ValueError(f"the plan of {source} names a raw file outside its folder: {name!r}")
    return "/".join(parts)


def plan(work: Path, source: str, key: str) -> Path:
    """Remembered download plan of a source, so that a later listing does not change a run."""
    return work / "plans" / f"{source}-{key}.jsonl"


def manners(work: Path) -> Path:
    """Folder by which all workers of a run ask each host at one pace."""
    return work / "manners"


def journals(work: Path) -> Path:
    """Folder in which workers tell how far their downloads are."""
    return work / "logs" / "downloads"


def hashes(work: Path) -> Path:
    """Digests of the user's own files, remembered by size and time of change."""
    return work / "hashes.jsonl"


def stage_folders(work: Path, stage: str) -> Path:
    """Folder that holds every output a stage ever made here."""
    return work / "stages" / stage


def stage(work: Path, name: str, fingerprint: str) -> Path:
    """Folder of one stage's output."""
    return stage_folders(work, name) / fingerprint


def recipe(folder: Path) -> Path:
    """Return the file that says what an output is made from: name, version, settings, inputs."""
    return folder / "recipe.json"


def receipts(folder: Path) -> Path:
    """Ledger of a stage's finished tasks."""
    return folder / "receipts.jsonl"


def manifest(folder: Path) -> Path:
    """Summary of a finished stage; its presence means that the stage is done."""
    return folder / "manifest.json"


def latest(work: Path, what: str) -> Path:
    """Link to the newest finished corpus, tokenizer, shards or report."""
    return work / "latest" / what


def latest_page(work: Path) -> Path:
    """Return the page of the newest report, with what its stages took on this machine."""
    return work / "latest" / "report.html"


def export(work: Path, framework: str) -> Path:
    """Folder of the configuration files for a training framework."""
    return work / "export" / framework


def verify(work: Path) -> Path:
    """Folder in which tasks are run once more, to be compared with what is published."""
    return work / "verify"


def events(work: Path) -> Path:
    """Machine-readable log of what runs did, one JSON object a line."""
    return work / "logs" / "events.jsonl"
