"""Causal language models from transformers: the one module of the pipeline that needs torch.

They predict as lm-evaluation-harness has them predict (``--model hf``, 0.4.13): the same length, the
same first token, the same windows. Logarithms are taken in float32, whatever the weights are.
"""

import os.path
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from pile.config import ConfigError
from pile.evaluation.models import Asked
from pile.evaluation.windows import Window
from tokenizer.files import TOKENIZER_JSON

UNKNOWN_LENGTH = 2048
"""How many tokens a model is given that does not say how many it sees."""

_UNSET = 10**9
"""Tokenizers without a length of their own say some such number, or a larger one."""


@dataclass(frozen=True, slots=True, eq=False)
class HuggingFace:
    """A model that is loaded; see `pile.evaluation.bits.Model`."""

    model: Any
    tokenizer: Any
    prefix: int
    length: int

    def encode(self, text: str) -> Sequence[int]:
        """Return the ids of a text, as its tokenizer gives them, but with nothing added."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False, verbose=False)
        return ids

    def nats(self, some: Sequence[Window]) -> list[float]:
        """Return for each window -log p of what is to be predicted, summed."""
        tokens = torch.zeros((len(some), max(one.tokens.size for one in some)), dtype=torch.int64)
        for row, one in enumerate(some):
            tokens[row, : one.tokens.size] = torch.from_numpy(one.tokens)
        tokens = tokens.to(self.model.device)
        with torch.inference_mode():
            # A causal model never looks at what is behind: padding needs no mask.
            scores = self.model(input_ids=tokens[:, :-1], use_cache=False).logits
            return [_nats(*row) for row in zip(scores, tokens, some, strict=True)]


def _nats(scores: Any, tokens: Any, window: Window) -> float:
    """Return -log p of what a window predicts, by scores [tokens, ids] of what comes next."""
    last = window.tokens.size - 1
    first = last - window.predicted
    losses = cross_entropy(
        scores[first:last].float(), tokens[first + 1 : last + 1], reduction="none"
    )
    return float(losses.double().sum())


def load(asked: Asked) -> HuggingFace:
    """Load a model with its tokenizer. Raises `pile.config.ConfigError`."""
    tokenizer = _tokenizer(asked)
    model = _model(asked)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ConfigError(
            f"the tokenizer has {len(tokenizer):,} ids, {asked.name} only {rows:,} rows for them: "
            "it was trained with another"
        )
    most = _length(model, tokenizer)
    if asked.length > most:
        raise ConfigError(f"{asked.name} sees {most:,} tokens, not {asked.length:,}")
    device = asked.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        model.eval().to(device)
    except (RuntimeError, AssertionError) as error:  # torch raises either
        raise ConfigError(f"--device {device} cannot take {asked.name}: {error}") from error
    return HuggingFace(model, tokenizer, _prefix(tokenizer), asked.length or most)


def _model(asked: Asked) -> Any:
    _must_be_there(asked.name)
    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            asked.name, dtype=asked.dtype, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise ConfigError(
            f"{asked.name} cannot be read as a causal language model: {error}"
        ) from error
    # transformers draws at random what a file does not hold, such as the head of a model without one.
    if absent := sorted(told["missing_keys"]):
        raise ConfigError(
            f"{asked.name} is no whole causal language model: {len(absent):,} of its weights are not "
            f"there, {absent[0]} the first"
        )
    return model


def _must_be_there(name: str) -> None:
    """Refuse what can only be a path and is none, before it is looked for on the hub."""
    if name.startswith((".", "/", "~")) and not Path(name).exists():
        raise ConfigError(f"{name}: there is no such folder")


def _tokenizer(asked: Asked) -> Any:
    name = asked.tokenizer or asked.name
    _must_be_there(name)
    folder, file = os.path.split(name) if name.endswith(".json") else (name, TOKENIZER_JSON)
    if file != TOKENIZER_JSON:
        raise ConfigError(f"{name}: give the folder of a tokenizer, or its {TOKENIZER_JSON}")
    try:
        found: Any = AutoTokenizer.from_pretrained(folder or ".")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{name} has no tokenizer ({error}): {_REMEDY}") from error
    # Where there are no files of one, transformers makes an empty one of the model's kind.
    if found.encode("a") == found.encode("b"):
        raise ConfigError(f"{name} has no tokenizer, or an empty one: {_REMEDY}")
    return found


_REMEDY = "give the one it was trained with, such as --tokenizer work/latest/tokenizer"


def _prefix(tokenizer: Any) -> int:
    """Return the token from which the first of a document is predicted."""
    for found in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if found is not None:
            return int(found)
    raise ConfigError(
        "the tokenizer has neither a BOS nor an EOS from which to predict the first token"
    )


def _length(model: Any, tokenizer: Any) -> int:
    """Return how many tokens a model sees, as it says itself, or as its tokenizer does."""
    settings = getattr(model.config, "text_config", None) or model.config
    for name in ("n_positions", "max_position_embeddings", "n_ctx"):
        if getattr(settings, name, None) is not None:
            return int(getattr(settings, name))
    found = tokenizer.model_max_length
    return int(found) if found and found < _UNSET else UNKNOWN_LENGTH
