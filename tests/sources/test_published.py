"""Files of the Pile of 2020 are known by their content."""

from sources.published import COMPONENT_FILES, OTHER_NAMES, PILE_SET_NAMES, recognise

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
