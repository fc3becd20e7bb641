"""DM Mathematics: training files cut into documents."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import dm_mathematics
from sources.dm_mathematics import ENOUGH, SLICE, SOURCE
from sources.source import Document, Option, RawFile, Rejected

EXAMPLE = Path(__file__).parents[2] / "examples/raw/dm_mathematics/mathematics_dataset.tar.gz"


def outcomes(path: Path, name: str = "", **options: Option) -> list[Document | Rejected]:
    """Read a file as the source does, under a name and with options over the defaults."""
    raw = RawFile("", name or path.name)
    return list(SOURCE.read(path, raw, {**SOURCE.defaults, **options}))


def training(folder: Path, content: bytes, **options: Option) -> list[Document | Rejected]:
    """Read a training file of this content."""
    path = folder / "lamps.txt"
    path.write_bytes(content)
    return outcomes(path, "train-easy/lamps.txt", **options)


def texts(found: list[Document | Rejected]) -> list[str]:
    """Return the documents' texts and the rejections' reasons."""
    return [item.text if isinstance(item, Document) else item.reason for item in found]


def parts_of_one_file(found: list[Document | Rejected]) -> list[str]:
    """Return the texts of the example's first training file."""
    documents = [item for item in found if isinstance(item, Document)]
    return [document.text for document in documents if "/lamps__add/" in document.id]


def test_every_member_has_an_outcome_in_archive_order() -> None:
    """Training files give documents; other levels, broken and empty files are rejected."""
    found = outcomes(EXAMPLE)
    place = len("mathematics_dataset.tar.gz:mathematics_dataset-v1.0/")
    assert [(item.origin[place:], getattr(item, "reason", "")) for item in found] == [
        ("extrapolate/lamps__add_big.txt", "not_training"),
        ("interpolate/lamps__add.txt", "not_training"),
        ("train-easy/lamps__add.txt:1", ""),
        ("train-easy/lamps__add.txt:2", ""),
        ("train-easy/lamps__add.txt:3", ""),
        ("train-easy/lamps__none.txt", "empty"),
        ("train-hard/lamps__remainder.txt:1", ""),
        ("train-hard/lamps__remainder.txt:2", ""),
        ("train-hard/lamps__remainder.txt:3", ""),
        ("train-medium/lamps__broken.txt:1", "not_utf8"),
        ("train-medium/latest.txt", "unreadable_member"),
        ("train-readme.txt", "not_training"),
    ]
    first = found[2]
    assert isinstance(first, Document)
    assert (first.id, len(first.text)) == ("dm_mathematics/train-easy/lamps__add/1", SLICE)
    assert first.text.startswith("How many lamps are 3 lamps and 1 lamps?\n4\n")
    assert first.licence == "Apache-2.0"
    assert first.meta == {"level": "train-easy", "module": "lamps__add"}


def test_published_documents_are_slices() -> None:
    """Together they are the file; each but the last has 8,194 characters."""
    parts = parts_of_one_file(outcomes(EXAMPLE))
    assert [len(part) for part in parts[:-1]] == [SLICE, SLICE]
    assert "".join(parts).count("\n") == 800


def test_corrected_documents_hold_whole_pairs() -> None:
    """An even number of lines, just over 8,192 characters of them; the last has the rest."""
    parts = parts_of_one_file(outcomes(EXAMPLE, fidelity="corrected"))
    assert all(len(part.split("\n")) % 2 == 0 for part in parts)
    assert all(ENOUGH < len(part.replace("\n", "")) < ENOUGH + 100 for part in parts[:-1])
    assert "\n".join(parts).count("\n") == 799
    assert not parts[-1].endswith("\n")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3 * ENOUGH), max_size=8), st.booleans())
def test_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], ended: bool
) -> None:
    """Slices make the file again, and so do pairs, but for the last line's end."""
    content = "\n".join("x" * length for length in lengths) + "\n" * ended
    folder = tmp_path_factory.mktemp("lamps")
    published = training(folder, content.encode())
    corrected = training(folder, content.encode(), fidelity="corrected")
    if content:
        assert "".join(texts(published)) == content
        assert "\n".join(texts(corrected)).rstrip("\n") == content.rstrip("\n")
    else:
        assert texts(published) == texts(corrected) == ["empty"]


def test_line_ends_become_line_feeds(tmp_path: Path) -> None:
    """As reading in text mode does."""
    assert texts(training(tmp_path, b"a\r\n1\rb\n2\n")) == ["a\n1\nb\n2\n"]


@pytest.mark.parametrize("fidelity", ["published", "corrected"])
def test_a_broken_file_is_left_out_from_there_on(tmp_path: Path, fidelity: str) -> None:
    """What came before it stays."""
    good = b"How many?\n" + b"7" * 99_999 + b"\n"
    found = training(tmp_path, good * 5 + b"\xff\n", fidelity=fidelity)
    assert isinstance(found[0], Document)
    assert [item.reason for item in found if isinstance(item, Rejected)] == ["not_utf8"]
    assert found[-1].origin == f"train-easy/lamps.txt:{len(found)}"


def test_an_unending_line_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of it is kept than the limit."""
    monkeypatch.setattr(dm_mathematics, "LONGEST", 100)
    found = training(tmp_path, b"a\n1\n" + b"b" * 101 + b"\n2\n", fidelity="corrected")
    assert texts(found) == ["overlong_line"]


def test_a_file_may_come_by_itself(tmp_path: Path) -> None:
    """Compressed or not; its folder tells the level, and other levels can be chosen."""
    path = tmp_path / "lamps.txt.gz"
    path.write_bytes(gzip.compress(b"How many?\n7\n"))
    name = "set/interpolate/lamps.txt.gz"
    assert texts(outcomes(path, name)) == ["not_training"]
    (only,) = outcomes(path, name, levels=("interpolate",))
    assert isinstance(only, Document)
    assert (only.id, only.text) == ("dm_mathematics/interpolate/lamps/1", "How many?\n7\n")
    assert only.origin == f"{name}:1"


def test_one_archive_is_planned() -> None:
    """Version 1.0, with the size and the checksum that it is known to have."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    assert list(SOURCE.plan(SOURCE.defaults, get)) == [
        RawFile(
            dm_mathematics.URL,
            "mathematics_dataset-v1.0.tar.gz",
            2_333_082_954,
            f"sha256:{dm_mathematics.SHA256}",
        )
    ]


def test_unknown_settings_are_refused() -> None:
    """The message names what there is."""
    with pytest.raises(ValueError, match="published, corrected"):
        outcomes(EXAMPLE, fidelity="faithful")
    with pytest.raises(TypeError, match="a list of folder names"):
        outcomes(EXAMPLE, levels="train-easy")


@pytest.mark.real
def test_generated_files_are_read_whole(samples: Path) -> None:
    """All 168 training files of the upstream generator, 60 pairs each or 20, none rejected."""
    root = samples / "dm_mathematics" / "mathematics_dataset-v1.0.1"
    files = sorted(root.glob("train-*/*.txt"))
    assert len(files) == 168
    for path in files:
        name = path.relative_to(root).as_posix()
        found = outcomes(path, name)
        assert "".join(texts(found)) == path.read_text(encoding="utf-8")
        pairs = outcomes(path, name, fidelity="corrected")
        assert "\n".join(texts(pairs)) + "\n" == path.read_text(encoding="utf-8")
