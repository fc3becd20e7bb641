"""The architectures that were made for the Pile, from transformers, in any size."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GPTJConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    PretrainedConfig,
)


@dataclass(frozen=True, slots=True)
class Size:
    """A model's size; ``rows`` of the embedding are the tokenizer's ids, rounded up."""

    layers: int
    width: int
    heads: int
    length: int
    rows: int


def gpt_neox(size: Size) -> PretrainedConfig:
    """Return the configuration of GPT-NeoX and Pythia: rotary, a quarter of each head; untied."""
    return GPTNeoXConfig(
        vocab_size=size.rows,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=4 * size.width,
        max_position_embeddings=size.length,
        rotary_pct=0.25,
        bos_token_id=0,  # transformers says eos 2, but <|endoftext|> is 0
        eos_token_id=0,
        tie_word_embeddings=False,
    )


def gpt_j(size: Size) -> PretrainedConfig:
    """Return the configuration of GPT-J: rotary, 64 of the published 256 dimensions of a head."""
    return GPTJConfig(
        vocab_size=size.rows,
        n_embd=size.width,
        n_layer=size.layers,
        n_head=size.heads,
        n_positions=size.length,
        rotary_dim=max(size.width // size.heads // 4, 2) // 2 * 2,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=False,
    )


def gpt_neo(size: Size) -> PretrainedConfig:
    """Return the configuration of GPT-Neo: learned positions, every other layer sees 256 tokens."""
    return GPTNeoConfig(
        vocab_size=size.rows,
        hidden_size=size.width,
        num_layers=size.layers,
        num_heads=size.heads,
        max_position_embeddings=size.length,
        attention_types=[[["global", "local"], size.layers // 2]]
        + ([[["global"], 1]] if size.layers % 2 else []),
        window_size=256,
        bos_token_id=0,
        eos_token_id=0,
    )


ARCHITECTURES = {"gpt-neox": gpt_neox, "gpt-j": gpt_j, "gpt-neo": gpt_neo}

PUBLISHED = {
    "gpt-neox-20b": ("gpt-neox", Size(44, 6144, 64, 2048, 50_432), 20_554_567_680),
    "pythia-70m": ("gpt-neox", Size(6, 512, 8, 2048, 50_304), 70_426_624),
    "pythia-160m": ("gpt-neox", Size(12, 768, 12, 2048, 50_304), 162_322_944),
    "pythia-410m": ("gpt-neox", Size(24, 1024, 16, 2048, 50_304), 405_334_016),
    "pythia-1b": ("gpt-neox", Size(16, 2048, 8, 2048, 50_304), 1_011_781_632),
    "pythia-1.4b": ("gpt-neox", Size(24, 2048, 16, 2048, 50_304), 1_414_647_808),
    "pythia-2.8b": ("gpt-neox", Size(32, 2560, 32, 2048, 50_304), 2_775_208_960),
    "pythia-6.9b": ("gpt-neox", Size(32, 4096, 32, 2048, 50_432), 6_857_302_016),
    "pythia-12b": ("gpt-neox", Size(36, 5120, 40, 2048, 50_688), 11_846_072_320),
    "gpt-j-6b": ("gpt-j", Size(28, 4096, 16, 2048, 50_400), 6_050_882_784),
    "gpt-neo-125m": ("gpt-neo", Size(12, 768, 12, 2048, 50_257), 125_198_592),
    "gpt-neo-1.3b": ("gpt-neo", Size(24, 2048, 16, 2048, 50_257), 1_315_575_808),
    "gpt-neo-2.7b": ("gpt-neo", Size(32, 2560, 20, 2048, 50_257), 2_651_307_520),
}
"""Published models: architecture, size, parameters."""


def build(architecture: str, size: Size) -> Any:
    """Return a model with fresh weights, drawn with torch's seed."""
    return AutoModelForCausalLM.from_config(ARCHITECTURES[architecture](size))


def parameters(architecture: str, size: Size) -> int:
    """Count the parameters of a model that is not there: built on the meta device."""
    with torch.device("meta"):
        model = build(architecture, size)
    return sum(parameter.numel() for parameter in model.parameters())
