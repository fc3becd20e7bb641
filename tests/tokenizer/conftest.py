"""What the tests of the tokenizer share: a text made up for them, and a tokenizer trained on it."""

import os
from pathlib import Path

import pytest

from tokenizer.recipe import Recipe
from tokenizer.train import train

TEXTS = [
    "The tide went out at seven, and the boats' keels lay in the mud; nobody's surprised, they've seen it.",
    "def area(width, height):\n    if width < 0:\n        raise ValueError(width)\n    return width * height\n",
    "\tint i;\r\n\tfor (i = 0; i < 12; i++) {\r\n\t\ttotal += price[i];\r\n\t}\r\n",
    "Der Fluß fließt über große Steine; l'été dernier, la rivière était à sec. Übergröße!",
    "潮が引くと、船は泥の上に残った。一九八四年、三月三日。",
    "Прилив ушёл в семь часов. Είναι ήσυχη η θάλασσα. النهر هادئ اليوم",
    "x_{1} + \\alpha^{2} = \\frac{1984}{12.5}   (eq.  3)\n\n\n\\end{equation}",
    "I'll say we're late, he'd say we'd better run; it's what I'm told. 1984 1985 1986 12 12 12",
]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Documents in several scripts, with code, tables and runs of spaces."""
    return TEXTS * 3


@pytest.fixture(scope="session")
def small_tokenizer(texts: list[str]) -> str:
    """Text of a tokenizer.json of 600 entries and the 23 runs of spaces."""
    return train(texts, Recipe(vocabulary_size=600))


@pytest.fixture(scope="session")
def released_tokenizer() -> Path:
    """Path of the released 20B_tokenizer.json, which PILE_20B_TOKENIZER names."""
    path = os.environ.get("PILE_20B_TOKENIZER")
    if not path:
        pytest.skip("PILE_20B_TOKENIZER is not set: it names the released 20B_tokenizer.json")
    return Path(path).resolve()
