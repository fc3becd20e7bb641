"""Train a small model of the Pile's family on token shards, and report loss and speed.

    python examples/train/train.py work/demo/latest/shards/train-*.idx --steps 150

The loop is as short as it can be: batches are a function of the step alone, so that a checkpoint
holds weights, optimiser, and how many steps were made. Stop it when you like; ``--resume`` goes on
from the last checkpoint as if it had never stopped. On a GPU it computes in bfloat16, and says how
long it waited for data.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from models import ARCHITECTURES, PUBLISHED, Size, build
from torch.nn.functional import cross_entropy

from shards.dataset import Loader, Settings
from shards.reader import Shard
from shards.torch_dataset import prefetched

WARM_UP = 5
"""Steps that are not timed: buffers are allocated and kernels chosen."""


@dataclass(slots=True)
class Progress:
    """What a run measured; tokens and seconds are counted after the first steps."""

    losses: dict[int, float] = field(default_factory=dict)
    tokens: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    def report(self, device: torch.device) -> dict[str, Any]:
        """Return the run's figures."""
        first, last = min(self.losses), max(self.losses)
        return {
            "first_loss": self.losses[first],
            "last_loss": self.losses[last],
            "steps": last + 1,
            "tokens_per_second": round(self.tokens / self.seconds) if self.seconds else None,
            "share_waiting_for_data": self.waited / self.seconds if self.seconds else None,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        }


def run(words: Sequence[str] | None = None) -> dict[str, Any]:
    """Train as the command line says, or as other words do, and return the figures."""
    asked = arguments(words)
    torch.manual_seed(asked.seed)
    if asked.threads:
        torch.set_num_threads(asked.threads)
    device = torch.device(asked.device)
    loader = Loader(settings(asked), Path(asked.cache) if asked.cache else None)
    model = build(*architecture(asked, loader)).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=asked.rate, betas=(0.9, 0.95), weight_decay=0.1
    )
    first = resume(Path(asked.resume), model, optimiser, loader) if asked.resume else 0
    bfloat16 = device.type == "cuda" if asked.bfloat16 is None else asked.bfloat16
    if first >= asked.steps:
        raise SystemExit(f"{first} steps were made already: ask for more than {asked.steps}")
    progress = train(Step(model, optimiser, bfloat16), loader, range(first, asked.steps), asked)
    if asked.export:
        model.save_pretrained(asked.export)
    return progress.report(device)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shards", nargs="+", help="shards, by prefix or by either of their files")
    parser.add_argument("--weights", nargs="+", type=float, help="shares of samples, one a shard")
    parser.add_argument("--samples", type=int, help="samples of an epoch; needed with weights")
    parser.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="gpt-neox")
    parser.add_argument("--published", choices=sorted(PUBLISHED), help="a published model's size")
    for name, value in (("layers", 2), ("width", 128), ("heads", 4)):
        parser.add_argument(f"--{name}", type=int, default=value, help="of the model")
    parser.add_argument(
        "--rows",
        type=int,
        default=0,
        help="of the embedding; 0: enough for all ids in the shards, which are read through",
    )
    for name, value, what in (
        ("length", 128, "of a sample, in tokens"),
        ("batch", 16, "samples of a step"),
        ("steps", 150, "to make in all, those before --resume too"),
        ("seed", 1234, "of weights, and of the order of samples"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, help=what)
    parser.add_argument("--rate", type=float, default=3e-3, help="learning rate")
    parser.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        help="compute in it; if not said, on a GPU",
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--threads", type=int, default=0, help="of the CPU; fewer on a busy machine"
    )
    parser.add_argument("--cache", default="", help="folder that keeps the order of samples")
    parser.add_argument("--log-every", type=int, default=10, help="steps from line to line")
    parser.add_argument("--save", default="", help="checkpoint to write, and to write anew")
    parser.add_argument("--save-every", type=int, default=1000, help="steps, and at the end")
    parser.add_argument(
        "--export", default="", help="folder to write the model to, for transformers"
    )
    parser.add_argument("--resume", default="", help="checkpoint to go on from")
    return parser.parse_args(words)


def settings(asked: argparse.Namespace) -> Settings:
    """Return what the loader is to draw."""
    prefixes = dict.fromkeys(
        path.removesuffix(".idx").removesuffix(".bin") for path in asked.shards
    )
    return Settings(
        tuple(prefixes),
        asked.length,
        asked.batch,
        tuple(asked.weights) if asked.weights else None,
        asked.samples,
        asked.seed,
    )


def architecture(asked: argparse.Namespace, loader: Loader) -> tuple[str, Size]:
    """Return the model's architecture and size; rows are enough for all ids in the shards."""
    if asked.published:
        name, size, _ = PUBLISHED[asked.published]
        return name, size
    rows = asked.rows or -(-(largest_id(loader) + 1) // 128) * 128
    return asked.architecture, Size(asked.layers, asked.width, asked.heads, asked.length, rows)


def largest_id(loader: Loader) -> int:
    """Return the largest id in the shards, where nobody says how many there are."""
    return max(int(Shard.open(prefix).tokens.max()) for prefix in loader.settings.prefixes)


@dataclass(frozen=True, slots=True)
class Step:
    """What makes a step: a model, its optimiser, and whether scores are computed in bfloat16."""

    model: Any
    optimiser: Any
    bfloat16: bool

    def make(self, batch: torch.Tensor) -> torch.Tensor:
        """Make one step on samples of L + 1 tokens, and return the loss."""
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=self.bfloat16):
            scores = self.model(input_ids=batch[:, :-1], use_cache=False).logits
        loss = cross_entropy(scores.float().flatten(0, 1), batch[:, 1:].flatten())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return loss.detach()


def train(step: Step, loader: Loader, numbers: range, asked: argparse.Namespace) -> Progress:
    """Make the steps of these numbers, save what is reached, and return what was measured."""
    device = next(step.model.parameters()).device
    batches = prefetched(loader, numbers.start, device=device)
    progress = Progress()
    step.model.train()
    started = time.perf_counter()
    for number in numbers:
        if number == numbers.start + WARM_UP:
            started = clock(device)
            progress.waited, progress.tokens = 0.0, 0
        asked_at = time.perf_counter()
        batch = next(batches)
        progress.waited += time.perf_counter() - asked_at
        loss = step.make(batch)
        progress.tokens += batch[:, 1:].numel()
        if number % asked.log_every == 0 or number == numbers[-1]:
            progress.losses[number] = float(loss)
            print(f"step {number:>6}  loss {progress.losses[number]:.4f}", flush=True)
        if asked.save and (number + 1) % asked.save_every == 0:
            save(Path(asked.save), step, loader, number + 1)
    progress.seconds = clock(device) - started
    batches.close()
    if asked.save:
        save(Path(asked.save), step, loader, numbers.stop)
    return progress


def clock(device: torch.device) -> float:
    """Return the time when everything begun on a device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def save(path: Path, step: Step, loader: Loader, steps: int) -> None:
    """Write a checkpoint: of the loader, the number of steps, and what it draws from.

    It takes the place of an older one once it is whole.
    """
    state = {"model": step.model.state_dict(), "optimiser": step.optimiser.state_dict()}
    unfinished = path.with_name(f".{path.name}.tmp")
    torch.save({**state, "steps": steps, "drawn_from": loader.identity()}, unfinished)
    unfinished.replace(path)


def resume(path: Path, model: Any, optimiser: Any, loader: Loader) -> int:
    """Load a checkpoint, and return how many steps were made; SystemExit if shards changed."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["drawn_from"] != loader.identity():
        raise SystemExit(f"{path} was trained on other shards, or with other settings")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["steps"])


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
