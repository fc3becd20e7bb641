"""The documentation names what there is."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pile.cli import app
from sources.explained import EXPLAINED
from sources.published import PILE_SET_NAMES
from sources.registry import SOURCES
from sources.source import RawFile

ROOT = Path(__file__).parents[1]
VERBS = sorted(get_command(app).commands)  # type: ignore[attr-defined] # a group of commands


def text(name: str) -> str:
    """Return a page of the documentation."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PILE_SET_NAMES))
def test_every_component_is_documented(name: str) -> None:
    """README and the overview of sources list all 22, by table and by the name of the release."""
    assert f"| {PILE_SET_NAMES[name]} | `{name}` |" in text("README.md")
    assert f"| `{name}` |" in text("docs/sources.md")


@pytest.mark.parametrize("name", sorted(PILE_SET_NAMES))
def test_the_overview_tells_which_sources_have_no_corrected_fidelity(name: str) -> None:
    """A source without the option is marked so, and no other."""
    row = next(
        line for line in text("docs/sources.md").splitlines() if line.startswith(f"| `{name}` |")
    )
    assert ("no such option" in row) == ("fidelity" not in SOURCES[name].defaults)
    assert ("your own files" in row) == (SOURCES[name].access == "local")


@pytest.mark.parametrize("name", sorted(PILE_SET_NAMES))
def test_the_overview_says_what_the_program_says(name: str) -> None:
    """Fidelities, differences and access are told in one wording, and no value is left out."""
    row = next(
        line for line in text("docs/sources.md").splitlines() if line.startswith(f"| `{name}` |")
    )
    explained, source = EXPLAINED[name], SOURCES[name]
    _, access, published, others, differs = (
        cell.strip() for cell in row.removeprefix("| ").removesuffix(" |").split(" | ")
    )
    assert published == explained.fidelities["published"]
    assert differs == explained.differs
    if "corrected" in explained.fidelities:
        rest = sorted(explained.fidelities.keys() - {"published", "corrected"})
        also = "".join(f"; also `{value}`: {explained.fidelities[value]}" for value in rest)
        assert others == explained.fidelities["corrected"] + also
    else:
        assert others.startswith("*no such option*")
    assert access == ACCESS[source.access]


ACCESS = {
    "open": "open",
    "key": "API key",
    "pays": "requester pays",
    "local": "your own files",
}
"""How the overview names each kind of access."""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    """`pile VERB --help` explains, and shows how it is called."""
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0
    assert f"pile {verb}" in " ".join(result.stdout.split())
    assert verb in text("CHANGELOG.md")


def test_no_page_speaks_of_this_machine() -> None:
    """No absolute path of a developer's machine stands in the documentation."""
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        assert "/work/" not in path.read_text(encoding="utf-8").replace("work/latest", "")


def test_the_example_source_runs(tmp_path: Path) -> None:
    """The source that CONTRIBUTING writes in ten minutes reads and rejects as it says."""
    block = text("CONTRIBUTING.md").split("```python\n")[1].split("```")[0]
    module: dict[str, Any] = {}
    exec(textwrap.dedent(block), module)
    path = tmp_path / "a.tsv"
    path.write_text("OSLO\t1931-02-03\tSnow.\ngarbled\n", encoding="utf-8")
    source = module["SOURCE"]
    document, rejected = source.read(path, RawFile(path.as_uri(), "a.tsv"), source.defaults)
    assert (document.id, document.text) == ("weather/OSLO-1931-02-03", "Snow.")
    assert rejected.reason == "malformed"
    assert len(module["__doc__"]) > 200
