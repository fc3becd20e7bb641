"""Documents to look at: drawn by the seed, and taken apart into tokens."""

from pathlib import Path

from pile import documents, draws
from pile.report.figures import SampleDocument
from pile.stages.stage import Made
from sources.source import Document
from tokenizer.compare import pieces_of
from tokenizer.encode import Encoder
from tokenizer.text import UnencodableText

EXCERPT_CHARACTERS = 800
"""How much of a sample document is shown."""


def samples(
    made: Made, encoder: Encoder, seed: int, source: str, count: int
) -> tuple[SampleDocument, ...]:
    """Draw ``count`` of a source's documents, the same for the same seed, in their own order."""
    parts = [(path, int(part["counts"]["rows"])) for path, part in made.parts("documents/")]
    rows = sum(number for _, number in parts)
    wanted = {
        draws.key(seed, "report sample", source, number) * rows >> 64 for number in range(count)
    }
    found = _taken(parts, wanted) if rows else []
    return tuple(_shown(document, encoder) for document in found)


def _taken(parts: list[tuple[Path, int]], wanted: set[int]) -> list[Document]:
    found: list[Document] = []
    start = 0
    for path, rows in parts:
        inside = [place - start for place in wanted if start <= place < start + rows]
        found += documents.take(path, inside) if inside else ()
        start += rows
    return found


def _shown(document: Document, encoder: Encoder) -> SampleDocument:
    excerpt = document.text[:EXCERPT_CHARACTERS]
    try:
        tokens = tuple(text for _, text in pieces_of(encoder, excerpt))
    except UnencodableText:
        tokens = ()
    return SampleDocument(document.id, document.origin, document.licence, excerpt, tokens)
