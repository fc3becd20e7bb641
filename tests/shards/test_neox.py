"""GPT-NeoX's own reader and sampler, in a process of their own, see what is seen here.

Set PILE_NEOX to a checkout of GPT-NeoX; torch must be there, but none of what training needs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shards.blend import samples_of
from shards.format import paths_of
from shards.reader import Shard
from shards.samples import Request, build
from shards.writer import ShardWriter

pytest.importorskip("torch")

LENGTH = 64

SCRIPT = """
import json, sys, types
import numpy as np

checkout, prefix, length, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
# Their package asks for what only training needs: these two names are all that reading wants.
megatron = types.ModuleType("megatron")
megatron.__path__, megatron.print_rank_0 = [checkout + "/megatron"], lambda *_: None
megatron.mpu = types.ModuleType("megatron.mpu")
data = types.ModuleType("megatron.data")
data.__path__ = [checkout + "/megatron/data"]
sys.modules |= {"megatron": megatron, "megatron.mpu": megatron.mpu, "megatron.data": data}
from megatron.data import gpt2_dataset as theirs
from megatron.data.indexed_dataset import make_dataset

shard = make_dataset(prefix, "mmap", skip_warmup=True)
sizes = np.array(shard.sizes)
documents = np.arange(len(sizes), dtype=np.int32)
draw = np.random.RandomState(1234)
tokens = theirs._num_tokens(documents, sizes)
order = theirs._build_doc_idx(documents, epochs, draw)
places = theirs._build_sample_idx(sizes, order, length, epochs, tokens)
shuffle = theirs._build_shuffle_idx(len(places) - 1, draw)
dataset = theirs.GPT2Dataset.__new__(theirs.GPT2Dataset)
vars(dataset).update(
    indexed_dataset=shard, label_dataset=None, reward_dataset=None, ref_dataset=None,
    doc_idx=order, sample_idx=places, shuffle_idx=shuffle, seq_length=length, pack_impl="packed",
    allow_chopped=True, name="train",
)
print(json.dumps({
    "documents": [shard[number].tolist() for number in range(len(shard))],
    "starts": shard.doc_idx.tolist(),
    "order": order.tolist(), "places": places.tolist(), "shuffle": shuffle.tolist(),
    "samples": [dataset[number]["text"].tolist() for number in range(len(shuffle))],
}))
"""


def theirs(prefix: Path, epochs: int) -> dict[str, Any]:
    """Return what GPT-NeoX makes of a shard."""
    checkout = os.environ.get("PILE_NEOX")
    if not checkout:
        pytest.skip("PILE_NEOX is not set: it names a checkout of GPT-NeoX")
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, checkout, str(prefix), str(LENGTH), str(epochs)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    figures: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return figures


@pytest.mark.parametrize(("dtype", "epochs"), [("<u2", 1), ("<i4", 1), ("<u2", 3)])
def test_neox_sees_the_same_documents_and_samples(
    tmp_path: Path, golden_ids: list[list[int]], dtype: str, epochs: int
) -> None:
    """Tokens, document array, the three arrays of the index, and every sample.

    Of several epochs, all of the last is used, so that Megatron's rule and theirs agree.
    """
    prefix = tmp_path / "golden"
    with ShardWriter(
        *paths_of(prefix), np.dtype(dtype), vocabulary=50_277, eod=0, empty="drop"
    ) as writer:
        writer.add([token for ids in golden_ids for token in ids], [*map(len, golden_ids)])
        writer.finish()
    found = theirs(prefix, epochs)
    shard = Shard.open(prefix)
    assert found["documents"] == [tokens.tolist() for tokens in shard]
    assert found["starts"] == shard.documents.tolist()
    samples = (epochs * shard.tokens.size - 1) // LENGTH
    request = Request(LENGTH, samples)
    index = build(shard.lengths, request)
    assert found["order"] == index.order.tolist()
    assert found["places"] == index.places.tolist()
    assert found["shuffle"] == index.shuffle.tolist()
    out = np.empty((samples, LENGTH + 1), dtype=np.int64)
    samples_of(prefix, request).gather(np.arange(samples), out, np.arange(samples))
    assert found["samples"] == out.tolist()
