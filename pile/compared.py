"""Which documents are compared with each other for duplicates, and which of them stay."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dedup.bands import Bands, choose_bands
from dedup.decisions import Keep
from dedup.scheme import Scheme
from dedup.spill import Spill
from pile import store
from pile.config import Config, ConfigError
from pile.settings import Dedup
from sources.source import Json

SPILL = "spill.json"
"""The file of a saved index, or of a group's spilled signatures, that lists its parts."""

INDEX = "index.json"
"""The file of a saved index that lists its files and their digests."""


class DamagedIndex(ValueError):  # noqa: N818 - the name says what is wrong
    """A file of a saved index is not what was saved."""


EVERYTHING = "all"
"""The name of the group of all sources."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sources whose documents are compared with each other, in the order in which they are preferred.

    ``keep`` says which document stays: by ``cluster``, or else, ``first`` and ``last``, as published.
    ``earlier`` is the folder of a saved index whose documents come first and all stay.
    """

    name: str
    sources: tuple[str, ...]
    scheme: Scheme
    bands: Bands
    keep: str
    cluster: bool
    check: str
    least_similarity: float
    earlier: Path | None

    @property
    def order(self) -> Keep:
        """The end from which documents are ranked."""
        return "last" if self.keep == "last" and not self.cluster else "first"

    def identity(self) -> dict[str, Json]:
        """Return what of a group decides how signatures are spilled."""
        return {
            "sources": list(self.sources),
            "bands": [self.bands.bands, self.bands.rows],
            "order": self.order,
            "earlier": _index_digest(self.earlier),
        }

    def rule(self) -> dict[str, Json]:
        """Return what decides which of the compared documents stay."""
        if not self.cluster:
            return {"keep": self.keep}
        checked: dict[str, Json] = {"check": self.check}
        if self.check != "none":
            checked["least_similarity"] = self.least_similarity
        return {"keep": self.keep, "cluster": True, **checked}


def groups(config: Config, there: Collection[str]) -> Iterator[Group]:
    """Yield the groups of the sources that are there; raises `ConfigError`."""
    settings = config.dedup
    if settings.method == "none":
        return
    named = [name for name in settings.named if name in there]
    if settings.scope == "all":
        if named:
            yield _group(config, EVERYTHING, tuple(named), settings.prefer, cluster=True)
        return
    for name in named:
        keep = settings.keep[name]
        yield _group(config, name, (name,), keep, cluster=keep == "longest")


def scheme_of(settings: Dedup) -> Scheme:
    """Return the scheme of signatures that ``[dedup]`` asks for."""
    return Scheme(
        name=settings.scheme,
        words=settings.words,
        n=settings.ngram,
        permutations=settings.permutations,
        seed=settings.seed,
        digest=settings.digest,
    )


def earlier_spill(group: Group) -> Spill | None:
    """Return the saved index that a group is matched against; raises `ConfigError` for another's."""
    if group.earlier is None:
        return None
    found = Spill.load(group.earlier / SPILL)
    if (found.scheme, found.bands) != (group.scheme, group.bands):
        raise ConfigError(
            f"[dedup] earlier: the index in {group.earlier} was made with {found.scheme} and "
            f"{found.bands}, these documents have {group.scheme} and {group.bands}; take its settings"
        )
    return found


def _group(
    config: Config, name: str, sources: tuple[str, ...], keep: str, *, cluster: bool
) -> Group:
    settings = config.dedup
    earlier = config.resolve(settings.earlier) / name if settings.earlier else None
    if earlier is not None:
        _require_whole(config, earlier)
    margin = settings.margin if settings.check == "signature" else 0.0
    group = Group(
        name=name,
        sources=sources,
        scheme=scheme_of(settings),
        bands=bands_of(settings),
        keep=keep,
        cluster=cluster,
        check=settings.check,
        least_similarity=settings.threshold - margin,
        earlier=earlier,
    )
    earlier_spill(group)  # refuses one that cannot be matched, before anything runs
    return group


def _require_whole(config: Config, index: Path) -> None:
    """Refuse a folder that holds no saved index, or lacks some of its files or bytes."""
    where = f"{config.path}: [dedup] earlier: {index}"
    if not (index / INDEX).is_file():
        raise ConfigError(f"{where} holds no saved index ({INDEX})")
    for name, entry in _listed(index).items():
        path = index / name
        if not path.is_file() or path.stat().st_size != entry["size"]:
            raise ConfigError(
                f"{where} is not whole: {name} is missing or cut; copy the index again"
            )


def require_undamaged(index: Path) -> None:
    """Raise `DamagedIndex`, naming the file, unless a saved index holds the bytes it was saved with."""
    for name, entry in _listed(index).items():
        if store.digest(index / name)[1] != entry["sha256"]:
            raise DamagedIndex(f"{index / name} is damaged: copy the index to {index} again")


def _listed(index: Path) -> Mapping[str, Any]:
    """Return size and digest of the files of a saved index, by name."""
    found: Mapping[str, Any] = json.loads((index / INDEX).read_bytes())
    return found


def bands_of(settings: Dedup) -> Bands:
    """Return the bands that ``[dedup]`` asks for; raises `ConfigError` where there are none."""
    if settings.method == "exact":
        return Bands(1, 1)  # without signatures there is nothing to cut into bands
    if settings.bands:
        return Bands(settings.bands, settings.rows)
    try:
        return choose_bands(settings.threshold, settings.permutations)
    except ValueError as error:
        raise ConfigError(
            f"[dedup] threshold = {settings.threshold} cannot be told with "
            f"permutations = {settings.permutations}: {error}; give more permutations"
        ) from error


def _index_digest(folder: Path | None) -> str:
    return store.digest(folder / INDEX)[1] if folder else ""


def by_source(found: Collection[Group]) -> Mapping[str, Group]:
    """Return the group of each source."""
    return {source: group for group in found for source in group.sources}
