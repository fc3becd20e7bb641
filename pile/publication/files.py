"""Publish what lies beside a corpus's files: card, datasheet, Croissant, manifest, checksums."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pile import store
from pile.ledger import Part
from pile.parts import part_of
from pile.publication.croissant import croissant
from pile.publication.datasheet import datasheet
from pile.publication.facts import Facts
from sources.source import Json

SUMS = "SHA256SUMS"
"""Digests of all other files, as ``sha256sum -c SHA256SUMS`` checks them in the corpus's folder."""


def publish(folder: Path, inner: str, facts: Facts) -> list[Part]:
    """Publish a corpus's own description in the folder ``inner`` of its stage; returns the parts."""
    from pile.card import card  # noqa: PLC0415 - slow to import, and only this needs it

    texts = {
        "README.md": card(facts).encode(),
        "DATASHEET.md": datasheet(facts).encode(),
        "croissant.json": store.json_bytes(croissant(facts)),
        "manifest.json": store.json_bytes(manifest(facts)),
    }
    parts = [_publish(folder, f"{inner}/{name}", text) for name, text in sorted(texts.items())]
    return [*parts, _publish(folder, f"{inner}/{SUMS}", _sums(facts, parts, inner))]


def manifest(facts: Facts) -> dict[str, Json]:
    """Return a corpus's files, sources, and the recipes of all stages that it was made by."""
    return {
        "name": facts.title,
        "seed": facts.seed,
        "fingerprint": facts.fingerprint,
        "files": [asdict(part) for part in facts.files],
        "sources": {source.name: asdict(source) for source in facts.sources},
        "splits": {split.name: asdict(split) for split in facts.splits},
        "recipes": dict(facts.recipes),
    }


def _publish(folder: Path, name: str, content: bytes) -> Part:
    store.publish_bytes(folder / name, content)
    return part_of(folder, folder / name, {})


def _sums(facts: Facts, parts: list[Part], inner: str) -> bytes:
    return "".join(sorted(_sum_lines(facts, parts, inner))).encode()


def _sum_lines(facts: Facts, parts: list[Part], inner: str) -> Iterator[str]:
    for part in (*facts.files, *parts):
        yield f"{part.sha256}  {part.name.removeprefix(f'{inner}/')}\n"
