"""`pile sources` lists 22 components and explains each fully."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pile.commands import catalogue
from sources.explained import EXPLAINED
from sources.published import PILE_SET_NAMES
from sources.registry import SOURCES

Pile = Callable[..., tuple[int, str, str]]


def test_all_22_are_listed(pile: Pile) -> None:
    """With access, size, fidelity, status and licence; as JSON too."""
    code, out, _ = pile("sources")
    header, *lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == list(PILE_SET_NAMES)
    titles = ("IN THE PILE", "ACCESS", "UPSTREAM SIZE", "FIDELITY", "STATUS", "LICENCE")
    assert all(title in header for title in titles)
    rows = json.loads(pile("sources", "--json")[1])
    assert [row["name"] for row in rows] == list(PILE_SET_NAMES)


def test_a_status_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files, dollars, a key: until it is there."""
    monkeypatch.setenv("PILE_KEYRING", str(tmp_path / "none.toml"))
    monkeypatch.delenv("USPTO_API_KEY", raising=False)
    found = {row["name"]: row["status"] for row in catalogue.rows()}
    assert found["books3"] == "needs your files"
    assert found["wikipedia_en"] == "ready"
    assert str(found["arxiv"]).startswith("pays ~")
    assert found["uspto_backgrounds"] == "needs key"
    monkeypatch.setenv("USPTO_API_KEY", "secret")
    assert catalogue.status(SOURCES["uspto_backgrounds"]) == "ready"
    assert "secret" not in catalogue.explanation("uspto_backgrounds")


def test_an_unsafe_keyring_is_a_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The list is still shown."""
    keyring = tmp_path / "keyring.toml"
    keyring.write_text("")
    keyring.chmod(0o644)
    monkeypatch.setenv("PILE_KEYRING", str(keyring))
    monkeypatch.delenv("USPTO_API_KEY", raising=False)
    assert catalogue.status(SOURCES["uspto_backgrounds"]) == "keyring unsafe"


@pytest.mark.parametrize("width", [80, 130, 160])
def test_licences_are_cut_to_the_terminal(width: int) -> None:
    """Nothing else is; a file or pipe gets them whole."""
    rows = catalogue.rows()
    whole, cut = catalogue.listing(rows).splitlines(), catalogue.listing(rows, width).splitlines()
    start = whole[0].index("LICENCE")
    room = max(width, start + catalogue.LEAST_LICENCE)
    for line, shorter in zip(whole, cut, strict=True):
        assert len(shorter) <= room
        assert shorter == line or shorter == f"{line[: room - 1]}…"


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_is_explained_fully(name: str) -> None:
    """Every option, fidelity, reason, key and pace; what to do by hand; and a table that is TOML."""
    source, explained, text = SOURCES[name], EXPLAINED[name], catalogue.explanation(name)
    words = " ".join(text.split())
    assert set(explained.options) == set(source.defaults) - {"fidelity"}
    assert set(explained.fidelities) == set(catalogue.fidelities(source))
    assert explained.downloads.startswith("Nothing") == (source.access == "local")
    assert all(f"  {option} = " in text for option in source.defaults)
    for told in (*source.reasons.values(), *explained.options.values(), source.manual):
        assert " ".join(told.split()) in words
    assert all(key.name in text and key.where.split()[0] in text for key in source.keys)
    assert all(host in text for host in source.paces)
    if source.access in ("local", "key") and name != "local":
        assert explained.substitute
        assert source.manual
    table = tomllib.loads(catalogue.example(source))["sources"][name]
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}
    assert {key: options[key] for key in source.defaults} == dict(source.defaults)
    assert json.loads(json.dumps(catalogue.facts(name)))["example"] == catalogue.example(source)
