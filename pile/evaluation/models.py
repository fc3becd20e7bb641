"""Which model is asked for; it is loaded only if torch and transformers are there."""

import importlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pile.config import ConfigError
from pile.evaluation.bits import Model

Dtype: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model to load: ``name`` is a folder, or a name on the hub; so is ``tokenizer``.

    An empty ``tokenizer`` is the model's own, a ``length`` of 0 all that it sees, and an empty
    ``device`` a GPU if there is one.
    """

    name: str
    tokenizer: str = ""
    length: int = 0
    device: str = ""
    dtype: Dtype = "auto"


def load(asked: Asked) -> Model:
    """Load a model from transformers. Raises `pile.config.ConfigError`, also where that is not there."""
    try:
        # Imported here, as few need it and it takes seconds.
        hugging_face = importlib.import_module("pile.evaluation.hugging_face")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"`pile eval` needs torch and transformers, and there is no {error.name}: "
            "pip install torch transformers"
        ) from error
    found: Model = hugging_face.load(asked)
    return found
