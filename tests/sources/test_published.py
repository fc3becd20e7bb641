"""What the paper prints adds up to its totals, and its files are known by their content."""

import pytest

from sources.published import COMPONENT_FILES, OTHER_NAMES, PILE_SET_NAMES, PUBLISHED, recognise

GIB = 1 << 30
DIGEST = "084b894f513986076a7d97e5c323c7fa8ebef1733f151a7fbdb139c19c07b571"


def test_a_published_file_is_known_whatever_its_name() -> None:
    """By its digest."""
    found = recognise("mine/papers.zst", f"sha256:{DIGEST}")
    assert found is not None
    assert found.as_published
    assert found.published.source == "arxiv"
    assert found.note == "mine/papers.zst: this is arxiv.jsonl.zst of 2020, as published"


def test_the_name_alone_is_a_warning() -> None:
    """Another content, or a checksum of another kind; other names of a file count too."""
    for checksum in ("sha256:" + "0" * 64, "md5:" + "0" * 32, None):
        found = recognise("mine/arxiv.jsonl.zst", checksum)
        assert found is not None
        assert not found.as_published
        assert found.note.endswith("same name as the arxiv.jsonl.zst of 2020, other content")
    assert recognise("pile_uspto.tar", None) is not None


def test_other_files_are_unknown() -> None:
    """Splits are told by content alone, as anyone's may be called so."""
    for name in ("notes.jsonl.zst", "val.jsonl.zst", "my-arxiv.jsonl.zst"):
        assert recognise(name, "sha256:" + "0" * 64) is None


def test_the_list_is_whole() -> None:
    """Twenty files of components, two splits; Books3 and BookCorpus2 are left out."""
    owners = [file.source for file in COMPONENT_FILES.values()]
    assert len(owners) == 22
    assert set(owners) - {""} == set(PILE_SET_NAMES) - {"books3", "bookcorpus2", "gutenberg_pg19"}
    assert all(len(digest) == 64 for digest in COMPONENT_FILES)
    assert set(OTHER_NAMES.values()) <= {file.name for file in COMPONENT_FILES.values()}


def test_22_components_add_up_to_the_papers_totals() -> None:
    """Sizes before and after epochs, in GiB as printed, and documents."""
    assert list(PUBLISHED) == list(PILE_SET_NAMES)
    assert len(PUBLISHED) == 22
    every = PUBLISHED.values()
    assert round(sum(one.text_bytes for one in every) / GIB, 2) == 825.18
    assert round(sum(one.text_bytes * one.epochs for one in every) / GIB, 2) == 1254.20
    assert sum(one.documents for one in every) == 146_340_692
    assert sum(one.documents * one.epochs for one in every) == 222_642_697.5


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_printed_mean_is_size_by_documents(name: str) -> None:
    """To the second decimal; so an error in either shows in none of the others."""
    one = PUBLISHED[name]
    assert round(one.text_bytes / one.documents / 1024, 2) == one.mean_kib


def test_what_is_printed_in_error_is_remarked() -> None:
    """Wikipedia's size alone is known to be wrong: its mean is that of the released documents."""
    wrong = {name: one for name, one in PUBLISHED.items() if one.measured_bytes}
    assert list(wrong) == ["wikipedia_en"]
    assert all(one.remark for one in wrong.values())
    wikipedia = wrong["wikipedia_en"]
    assert round(wikipedia.true_bytes / wikipedia.documents / 1024, 2) == 2.94
    assert round(wikipedia.true_bytes / GIB, 1) == 16.9
