"""The loader for PyTorch: a map-style dataset, and batches fetched ahead onto a device.

The one module here that needs torch. Both give int64 tensors of L + 1 tokens a sample: inputs are
``[:, :-1]``, what is to be predicted ``[:, 1:]``.
"""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Full, Queue
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from shards.dataset import WHOLE, Loader, Share

_PATIENCE = 0.05  # seconds between looks at whether anybody still wants batches


class TokenDataset(Dataset):  # type: ignore[misc, type-arg, unused-ignore]  # Any without torch
    """The samples of an epoch, by number, in the order of training: do not shuffle them again.

    Workers of a DataLoader open the shards for themselves; a batch is gathered at once.
    """

    def __init__(self, loader: Loader, epoch: int = 0) -> None:
        self.loader, self.epoch = loader, epoch

    def __len__(self) -> int:
        return self.loader.size

    def __getitem__(self, number: int) -> torch.Tensor:
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: list[int]) -> list[torch.Tensor]:
        """Return several samples: what a DataLoader asks for when it makes a batch."""
        found = self.loader.samples(self.epoch, np.asarray(numbers, dtype=np.int64))
        return list(torch.from_numpy(found))


def prefetched(
    loader: Loader,
    first: int = 0,
    share: Share = WHOLE,
    device: torch.device | str = "cpu",
    ahead: int = 2,
) -> Iterator[torch.Tensor]:
    """Yield a share of one batch after the other, on a device, without end.

    ``first`` counts steps over all epochs, as in `Loader.batches`. A thread gathers up to ``ahead``
    batches before they are wanted; for a GPU into pinned memory, whence they are copied beside the
    computation. An error in the thread is raised here. Raises ValueError if ``ahead`` is below 1.
    """
    if ahead < 1:
        raise ValueError(f"{ahead} batches cannot be fetched ahead: at least one is")
    ready: Queue[_Ready | Exception] = Queue(ahead)
    stopped = threading.Event()
    work = _Work(loader, share, torch.device(device), ready, stopped)
    thread = threading.Thread(target=work.run, args=(first,), name="shards-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            found = ready.get()
            if isinstance(found, Exception):
                raise found
            yield found.take()
    finally:
        stopped.set()
        thread.join()


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A batch on its way to the device; ``copied`` tells when it is there, if it is a GPU."""

    tokens: torch.Tensor
    copied: Any

    def take(self) -> torch.Tensor:
        """Return the batch, for use on the current stream."""
        if self.copied is not None:
            stream = torch.cuda.current_stream(self.tokens.device)
            stream.wait_event(self.copied)
            # Its memory was allocated on the copying stream: keep it until this one is done.
            self.tokens.record_stream(stream)
        return self.tokens


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What the thread does."""

    loader: Loader
    share: Share
    device: torch.device
    ready: "Queue[_Ready | Exception]"
    stopped: threading.Event

    def run(self, first: int) -> None:
        """Load batches until nobody wants them, or until an error, which is handed on."""
        try:
            stream = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None
            for step in itertools.count(first):
                if not self._put(self._load(step, stream)):
                    return
        except Exception as error:  # noqa: BLE001 - raised where batches are taken
            self._put(error)

    def _load(self, step: int, stream: Any) -> _Ready:
        first, after = self.share.rows(self.loader.settings.batch)
        shape = (after - first, self.loader.settings.length + 1)
        host = torch.empty(shape, dtype=torch.int64, pin_memory=stream is not None)
        epoch, within = divmod(step, self.loader.steps)
        self.loader.batch(epoch, within, self.share, out=host.numpy())
        if stream is None:
            return _Ready(host.to(self.device), None)
        with torch.cuda.stream(stream):
            # torch keeps pinned memory until the copy is done.
            tokens = host.to(self.device, non_blocking=True)
            return _Ready(tokens, stream.record_event())

    def _put(self, item: "_Ready | Exception") -> bool:
        """Hand something on; False if nobody wants it any more."""
        while not self.stopped.is_set():
            try:
                self.ready.put(item, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False
