"""Lists of JSON values that are not kept, as they may be of a million files."""

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from sources.source import Json


class Rows(Sequence[Json]):
    """A list of JSON values that are made anew whenever they are gone through, as it may be of millions."""

    def __init__(self, length: int, values: Callable[[], Iterator[Json]]) -> None:
        self._length = length
        self._values = values

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Json]:
        return self._values()

    @overload
    def __getitem__(self, place: int) -> Json: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Json]: ...

    def __getitem__(self, place: int | slice) -> Json:
        return list(self)[place]
