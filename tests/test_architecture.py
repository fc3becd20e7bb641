"""The shape of the code: who may import whom, and how large things may grow."""

import ast
import importlib.util
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pile", "sources", "dedup", "tokenizer", "shards")
INSTRUMENTS = ("sources", "dedup", "tokenizer", "shards")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

WITHIN_PILE = {
    "pile.__main__": 6,
    "pile.cli": 5,
    "pile.commands.shards": 5,
    "pile.commands.check": 5,
    "pile.commands.options": 4,
    "pile.terminal": 4,
    "pile.commands.catalogue": 4,
    "pile.exit_codes": 4,
    "pile.commands.render": 4,
    "pile.commands.show": 4,
    "pile.tokenizers": 4,
    "pile.commands.tokenizer": 5,
    "pile.commands.plan": 5,
    "pile.forecast": 4,
    "pile.commands.evaluation": 5,
    "pile.duplicates": 4,
    "pile.checks.verify": 4,
    "pile.checks.repair": 4,
    "pile.checks.diff": 4,
    "pile.checks.again": 4,
    "pile.checks.tokens": 4,
    "pile.checks.counts": 4,
    "pile.checks.problems": 1,
    "pile.commands.why": 4,
    "pile.commands.narrate": 4,
    "pile.downloads.upstreams": 1,
    "pile.preflight": 3,
    "pile.run": 3,
    "pile.costs": 3,
    "pile.states": 3,
    "pile.export": 4,
    "pile.evaluation": 4,
    "pile.graph": 2,
    "pile.stages": 1,
    "pile.gathered": 1,
    "pile.publication": 1,
    "pile.card": 1,
}
"""Layers of the conductor, the highest first to be called; what is not named here is at the bottom."""


def imports(path: Path) -> set[str]:
    """Return the modules a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def module(path: Path) -> str:
    """Return the dotted name of a file of this project."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def top(name: str) -> str:
    """Return the first part of a dotted name."""
    return name.partition(".")[0]


def layer(name: str) -> int:
    """Return the layer of a module of the conductor."""
    return max((rank for prefix, rank in WITHIN_PILE.items() if name.startswith(prefix)), default=0)


@pytest.mark.parametrize("path", FILES, ids=module)
def test_instruments_know_neither_each_other_nor_the_conductor(path: Path) -> None:
    """The four instruments import none of each other and nothing of the conductor."""
    own = top(module(path))
    if own in INSTRUMENTS:
        strangers = {top(name) for name in imports(path)} & (set(PACKAGES) - {own})
        assert not strangers


@pytest.mark.parametrize("path", FILES, ids=module)
def test_only_the_engine_talks_to_ray(path: Path) -> None:
    """Ray is imported by the engine alone."""
    if module(path) != "pile.engine":
        assert "ray" not in {top(name) for name in imports(path)}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_the_conductor_is_layered(path: Path) -> None:
    """Within the conductor imports point one way: cli, run, stages, and what they stand on."""
    name = module(path)
    if top(name) == "pile":
        above = {
            other for other in imports(path) if top(other) == "pile" and layer(other) > layer(name)
        }
        assert not above


def test_shards_need_numpy_alone() -> None:
    """A training node can read shards without any of the pipeline's libraries; two are optional."""
    allowed = {*sys.stdlib_module_names, "numpy", "shards", "numba", "torch"}
    for path in (ROOT / "shards").rglob("*.py"):
        assert {top(name) for name in imports(path)} <= allowed, path


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and length of a file's functions, docstrings not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            first = node.body[0]
            docstring = ast.get_docstring(node) is not None and isinstance(first, ast.Expr)
            taken = (first.end_lineno or 0) - first.lineno + 1 if docstring else 0
            yield f"{module(path)}.{node.name}", node.end_lineno - node.lineno + 1 - taken


def test_functions_and_files_stay_small() -> None:
    """Functions: median at most 12 lines, 95 % at most 35, none above 60; files: none above 400."""
    lengths = dict(one for path in FILES for one in functions(path))
    assert statistics.median(lengths.values()) <= 12
    assert statistics.quantiles(lengths.values(), n=20)[-1] <= 35
    assert not {name: length for name, length in lengths.items() if length > 60}
    sizes = {module(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {name: size for name, size in sizes.items() if size > 400}


BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_benchmarks_import_what_there_is(path: Path) -> None:
    """No other test runs them, so a name that has moved would be noticed by their next user alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and top(node.module or "") in PACKAGES:
            found = importlib.import_module(node.module or "")
            for alias in node.names:
                is_module = (
                    importlib.util.find_spec(f"{node.module}.{alias.name}")
                    if (hasattr(found, "__path__"))
                    else None
                )
                assert hasattr(found, alias.name) or is_module, f"{node.module}: {alias.name}"


def test_no_drawer_is_called_utils() -> None:
    """No module hides behind a name that says nothing."""
    empty = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "data", "info"}
    assert not {module(path) for path in FILES if path.stem in empty}


def test_importing_shards_brings_in_numpy_alone() -> None:
    """Numba is imported by the first loop that uses it, torch by the one module that is for it."""
    names = [module(path) for path in (ROOT / "shards").rglob("*.py") if "torch" not in path.stem]
    lines = [*(f"import {name}" for name in sorted(names)), "import sys", _STRANGERS]
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert found.stdout.split() == []


_STRANGERS = """
tops = {name.partition(".")[0] for name in sys.modules}
print(*(tops & {"numba", "torch", "pile", "sources", "dedup", "tokenizer", "orjson", "pyarrow"}))
"""
