"""What is exported, read by GPT-NeoX's and Megatron-LM's own parsers of arguments, from their checkouts.

Set PILE_NEOX and PILE_MEGATRON to them; torch and transformers must be there. Each runs in a process of its
own, with stand-ins for what only a GPU needs: DeepSpeed, Triton.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shards.reader import Shard

pytest.importorskip("torch")
pytest.importorskip("transformers")

Pile = Callable[..., tuple[int, str, str]]

STAND_INS = """
import importlib.abc, importlib.machinery, json, subprocess, sys, types, typing
from unittest.mock import MagicMock

import torch, torch.utils.flop_counter, transformers, typing_extensions

class StandIn(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()

class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names):
        self.names = names
    def find_spec(self, name, path=None, target=None):
        if name in self.names or name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        return StandIn(spec.name)
    def exec_module(self, module):
        pass

checkout, *given = sys.argv[1:]
"""

NEOX = """
sys.meta_path.insert(0, StandIns({"deepspeed", "pkg_resources"}))
package = types.ModuleType("megatron")
package.__path__, package.print_rank_0 = [checkout + "/megatron"], lambda *_: None
package.mpu = StandIn("megatron.mpu")
sys.modules |= {"megatron": package, "megatron.mpu": package.mpu}
import deepspeed.launcher.runner
deepspeed.launcher.runner.DLTS_HOSTFILE = "/nowhere"
from megatron.neox_arguments import NeoXArgs

read = NeoXArgs.from_ymls(given)
read.build_tokenizer()
keys = ["data_impl", "pack_impl", "padded_vocab_size"]
keys += [f"{split}_data_{what}" for split in ("train", "valid", "test") for what in ("paths", "weights")]
found = {key: getattr(read, key) for key in keys}
print(json.dumps({**found, "eod": read.tokenizer.eod, "ids": read.tokenizer.vocab_size}))
"""

MEGATRON = """
typing.override = typing_extensions.override  # their code is for Python 3.12
pattern = ["grep", "-rlE", "^(import|from) triton", checkout + "/megatron"]
files = subprocess.run(pattern, capture_output=True, text=True).stdout.split()
names = {file[len(checkout) + 1 : -3].replace("/", ".") for file in files}
sys.meta_path.insert(0, StandIns(names))
sys.path.insert(0, checkout)
from megatron.training.arguments import parse_args, validate_args
from megatron.training.utils import get_blend_and_blend_per_split

torch.cuda.get_device_capability = lambda *_: (9, 0)
model = "--num-layers 2 --hidden-size 64 --num-attention-heads 4 --seq-length 64"
model += " --max-position-embeddings 64 --micro-batch-size 1 --train-iters 10 --lr 1e-4 --bf16"
sys.argv = ["pretrain_gpt.py", *open(given[0]).read().split(), *model.split()]
read = validate_args(parse_args())
alone, blends = get_blend_and_blend_per_split(read)
keys = ("tokenizer_type", "tokenizer_model", "make_vocab_size_divisible_by", "data_cache_path")
print(json.dumps({"alone": alone, "blends": blends, **{key: getattr(read, key) for key in keys}}))
"""


def read_by(variable: str, script: str, *given: Path) -> dict[str, Any]:
    """Return what a framework makes of files."""
    checkout = os.environ.get(variable)
    if not checkout:
        pytest.skip(f"{variable} is not set: it names a checkout")
    ran = subprocess.run(
        [sys.executable, "-c", STAND_INS + script, checkout, *map(str, given)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WORLD_SIZE": "1", "RANK": "0"},
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.fixture
def made(small: Path, pile: Pile) -> Path:
    """Run the small corpus, a source a shard; returns its pipeline.toml."""
    path = small / "pipeline.toml"
    text = path.read_text("utf-8").replace("[shards]", '[shards]\nby = "source"')
    path.write_text(text.replace("test = 0.1", "test = 0.3"), encoding="utf-8")
    assert pile("run", "-c", str(path))[0] in {0, 3}
    return path


def tokens(prefix: str) -> int:
    """Count the tokens of a shard."""
    return int(Shard.open(prefix).tokens.size)


def test_neox_takes_the_file_beside_a_model_s(made: Path, pile: Pile, tmp_path: Path) -> None:
    """Its own checks pass: no key twice, paths and weights alike, a tokenizer with its EOD."""
    code, out, _ = pile("export", "neox", "-c", str(made))
    assert code == 0
    model = tmp_path / "model.yml"
    size = {"num_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "seq_length": 64}
    rest = {"max_position_embeddings": 64, "train_micro_batch_size_per_gpu": 4, "train_iters": 10}
    optimiser = {"optimizer": {"type": "Adam", "params": {"lr": 1e-3}}, "lr_decay_iters": 10}
    model.write_text(json.dumps({**size, **rest, **optimiser, "global_num_gpus": 1}))
    found = read_by("PILE_NEOX", NEOX, model, Path(out.strip()))
    assert (found["data_impl"], found["pack_impl"], found["eod"]) == ("mmap", "packed", 0)
    assert found["padded_vocab_size"] == -(-found["ids"] // 128) * 128
    for split, epochs in (("train", {"notes": 1.5}), ("valid", {}), ("test", {})):
        paths = found[f"{split}_data_paths"]
        assert len(paths) == 2
        assert found[f"{split}_data_weights"] == [
            tokens(path) * next((often for name, often in epochs.items() if name in path), 1)
            for path in paths
        ]


def test_megatron_takes_the_arguments(made: Path, pile: Pile) -> None:
    """Parsed and validated beside a model's; blends are read from the file they name, split by split."""
    code, out, _ = pile("export", "megatron", "-c", str(made))
    assert code == 0
    arguments = next(Path(line) for line in out.split() if line.endswith("data.args"))
    found = read_by("PILE_MEGATRON", MEGATRON, arguments)
    assert found["alone"] is None
    assert found["tokenizer_type"] == "HuggingFaceTokenizer"
    assert (Path(found["tokenizer_model"]) / "tokenizer.json").is_file()
    for (paths, weights), often in zip(found["blends"], (1.5, 1, 1), strict=True):
        assert len(paths) == 2
        assert weights == [tokens(path) * (often if "-notes-" in path else 1) for path in paths]
