"""The documents that a corpus holds out, with the source of each."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Literal, NamedTuple, TypeAlias, get_args

from pile import corpus
from pile.config import Config
from pile.graph import Graph
from pile.stages import mix
from pile.stages.stage import Made
from pile.states import made

Split: TypeAlias = Literal["val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class NothingHeldOut(Exception):  # noqa: N818 - the name says what is wrong with the run
    """A run has no finished corpus, or no documents of a split in it."""


class DamagedCorpus(Exception):  # noqa: N818 - the name says what is wrong with the run
    """A file of a finished corpus is not as it was written."""


class HeldOut(NamedTuple):
    """A document, and the source it is of."""

    source: str
    text: str


def mixed(config: Config, graph: Graph) -> Made:
    """Return a run's finished corpus. Raises `NothingHeldOut`."""
    finished = made(config, graph.named("mix"))
    if finished is None:
        raise NothingHeldOut(f"mix is not made yet; `pile run -c {config.path}` makes it")
    return finished


def held_out(corpus_made: Made, split: Split) -> Iterator[HeldOut]:
    """Yield the documents of a split of a finished corpus, in its order, which is a shuffled one.

    Raises `DamagedCorpus`.
    """
    for file, _ in corpus_made.parts(f"{mix.FOLDER}/{split}/"):
        try:
            sources = corpus.provenance(file, ("source",))
            for line, (source,) in zip(corpus.read(file), sources, strict=True):
                yield HeldOut(source, line.text)
        except (*corpus.DAMAGED, OSError) as error:
            raise DamagedCorpus(
                f"{file} or its provenance is damaged: {error}; `pile repair` makes it again"
            ) from error


def some(documents: Iterable[HeldOut], what: str) -> Iterator[HeldOut]:
    """Pass documents on if there is one at least. Raises `NothingHeldOut` at once if there is none."""
    rest = iter(documents)
    first = next(rest, None)
    if first is None:
        raise NothingHeldOut(
            f"there is no document of {what}: [mix] val and test say what is held out"
        )
    return chain((first,), rest)


def chosen(documents: Iterable[HeldOut], sources: Collection[str], limit: int) -> Iterator[HeldOut]:
    """Pass on the documents of some sources, or of all if none are named, at most so many of each.

    The first of a shuffled order are a sample; a ``limit`` of 0 is none.
    """
    taken: Counter[str] = Counter()
    for document in documents:
        if sources and document.source not in sources:
            continue
        taken[document.source] += 1
        if not limit or taken[document.source] <= limit:
            yield document
