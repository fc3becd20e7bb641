"""What of the figures goes into a page that must stay small: samples and clusters that fit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pile.report.duplicates import article as cluster_article
from pile.report.figures import ClusterFigures, Figures, SampleDocument, SourceFigures
from pile.report.samples import article as sample_article

PAGE_BYTES = 5_000_000
"""What a page takes at most: 5 MB, as UTF-8."""

_MARGIN = 20_000
"""Left free for what is said about samples and clusters."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Figures of which samples and clusters are left out that do not fit, and how many samples."""

    figures: Figures
    left_out: int


def bare(figures: Figures) -> Figures:
    """Return figures without samples and clusters."""
    return _with(figures, [((), ()) for _ in figures.sources])


def fitting(figures: Figures, taken: int, page_bytes: int = PAGE_BYTES) -> Shown:
    """Keep what fits beside ``taken`` bytes: one cluster, then one sample of each source in turn.

    Whatever comes first that does not fit ends the taking, so that no source is preferred.
    """
    room = page_bytes - taken - _MARGIN
    clusters: list[list[ClusterFigures]] = [[] for _ in figures.sources]
    samples: list[list[SampleDocument]] = [[] for _ in figures.sources]
    for place, one in _in_turn(figures):
        drawn = sample_article(one) if isinstance(one, SampleDocument) else cluster_article(one)
        room -= len(drawn.encode())
        if room < 0:
            break
        if isinstance(one, SampleDocument):
            samples[place].append(one)
        else:
            clusters[place].append(one)
    kept = [(tuple(c), tuple(s)) for c, s in zip(clusters, samples, strict=True)]
    drawn_samples = sum(len(source.samples) for source in figures.sources)
    return Shown(_with(figures, kept), drawn_samples - sum(len(one) for one in samples))


def _in_turn(figures: Figures) -> Iterator[tuple[int, ClusterFigures | SampleDocument]]:
    """Yield the first cluster and the first sample of each source, then the second ones, and so on."""
    rounds = max((len(kind) for one in figures.sources for kind in _kinds(one)), default=0)
    for number in range(rounds):
        for kind in (0, 1):
            for place, source in enumerate(figures.sources):
                members = _kinds(source)[kind]
                if number < len(members):
                    yield place, members[number]


def _kinds(
    source: SourceFigures,
) -> tuple[tuple[ClusterFigures, ...], tuple[SampleDocument, ...]]:
    return source.clusters, source.samples


def _with(
    figures: Figures, kept: list[tuple[tuple[ClusterFigures, ...], tuple[SampleDocument, ...]]]
) -> Figures:
    sources = [
        replace(source, clusters=clusters, samples=samples)
        for source, (clusters, samples) in zip(figures.sources, kept, strict=True)
    ]
    return replace(figures, sources=tuple(sources))
