"""The five packages have generic names: each must be ours."""

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["pile", "sources", "dedup", "tokenizer", "shards"])
def test_each_package_is_this_projects(name: str) -> None:
    """No other distribution has taken one of our package names: all five share one folder."""
    own = importlib.util.find_spec("pile")
    found = importlib.util.find_spec(name)
    assert own is not None
    assert own.origin is not None
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).parent.parent == Path(own.origin).parent.parent


@pytest.mark.parametrize("name", ["pile", "sources", "dedup", "tokenizer", "shards"])
def test_each_package_is_typed(name: str) -> None:
    """Type checkers see our annotations from outside."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    assert (Path(found.origin).parent / "py.typed").exists()
