"""What every table of pipeline.toml has in common, and the table ``[quality]``."""

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Base of every table: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Quality(Settings):
    """``[quality]``: sources of which documents are kept the likelier the more they read like others.

    ``sources`` are filtered, each by a model of its own that learns to tell them from ``like``: off
    while it is empty. A document of score s is kept with the chance ``(2 - s) ** -alpha``. ``sample``
    is the share of the documents of ``like`` that is learnt from, ``max_examples`` how many at most;
    as many are drawn from the source. The others are fastText's: ``dims`` numbers a row, ``buckets``
    rows for pairs of words, at most ``words`` for single ones, each seen ``min_count`` times,
    ``epochs`` over the examples, and a learning rate that falls from ``rate`` to nothing.
    """

    sources: tuple[str, ...] = ()
    like: tuple[str, ...] = ("openwebtext2",)
    alpha: Annotated[float, Field(gt=0.0)] = 3.0
    sample: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    max_examples: Annotated[int, Field(ge=1)] = 200_000
    dims: Annotated[int, Field(ge=1, le=1000)] = 32
    buckets: Annotated[int, Field(ge=1, le=1 << 30)] = 1_000_000
    words: Annotated[int, Field(ge=1, le=1 << 30)] = 500_000
    min_count: Annotated[int, Field(ge=1)] = 1
    epochs: Annotated[int, Field(ge=1)] = 5
    rate: Annotated[float, Field(gt=0.0)] = 0.1

    def check(self, enabled: Collection[str]) -> None:
        """Raise ValueError unless every source named is read, and none is to be like itself."""
        if not self.sources:
            return
        for key, names in (("sources", self.sources), ("like", self.like)):
            for name in names:
                if name not in enabled:
                    raise ValueError(
                        f"[quality] {key} names {name!r}, which is no enabled source; enable it in "
                        f"[sources.{name}], or switch the filter off with sources = []"
                    )
        both = sorted(set(self.sources) & set(self.like))
        if both:
            raise ValueError(f"[quality] {both[0]!r} cannot be told from itself: it is in like too")
        if not self.like:
            raise ValueError("[quality] like is empty: name the sources whose documents are wanted")
