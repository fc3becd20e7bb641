"""The small corpus, and the command line to run it with."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from pile.cli import app


def _load(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


small_corpus = _load("small_corpus")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Folder with the small corpus's raw files and its pipeline.toml."""
    small_corpus.write_raw(tmp_path / "raw")
    small_corpus.write_config(tmp_path)
    return tmp_path


@pytest.fixture
def pile() -> Callable[..., tuple[int, str, str]]:
    """Call the command line in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return call
