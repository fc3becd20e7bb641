"""What every source must do, checked on its example raw files."""

import gzip
import importlib
import json
import pickle
from pathlib import Path

import pytest

from pile.config import SourceTable
from sources.published import PILE_SET_NAMES
from sources.registry import SOURCES
from sources.source import DAMAGE, EXCERPT, Document, RawFile, Rejected, Source, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples" / "raw"
WITH_EXAMPLES = sorted(name for name in SOURCES if name != "local")


def raw_files(name: str) -> list[tuple[Path, RawFile]]:
    """Return a source's example raw files, in order."""
    folder = EXAMPLES / name
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        (path, RawFile(path.as_uri(), path.relative_to(folder).as_posix(), path.stat().st_size))
        for path in paths
    ]


def read_all(source: Source) -> list[Document | Rejected]:
    """Read all of a source's example raw files, together where its documents need that."""
    options, grouping = source.defaults, source.grouping
    if grouping is None:
        return [
            item for path, raw in raw_files(source.name) for item in source.read(path, raw, options)
        ]
    groups: dict[str, list[tuple[Path, RawFile]]] = {}
    for path, raw in raw_files(source.name):
        groups.setdefault(grouping.key(raw, options), []).append((path, raw))
    return [item for key in sorted(groups) for item in grouping.read(groups[key], options)]


@pytest.fixture(params=WITH_EXAMPLES)
def source(request: pytest.FixtureRequest) -> Source:
    """Every source that reads a component of the Pile."""
    return SOURCES[request.param]


def test_a_source_is_named_as_its_file_and_as_the_pile_names_it(source: Source) -> None:
    """Name, file and registry agree, and the exact spelling of the release is kept."""
    module = importlib.import_module(f"sources.{source.name}")
    assert module.SOURCE is SOURCES[source.name]
    assert source.pile_set_name == PILE_SET_NAMES.get(source.name, source.pile_set_name)
    assert module.__doc__
    assert len(module.__doc__) > 200, "the docstring tells the facts about the raw format"


def test_a_source_travels_to_workers(source: Source) -> None:
    """A source's functions are module-level, so that workers find them by name."""
    for function in (source.read, source.plan):
        assert pickle.loads(pickle.dumps(function)) is function


def test_examples_give_documents(source: Source) -> None:
    """The example raw files give documents, and every rejection has a declared reason."""
    items = read_all(source)
    documents = [item for item in items if isinstance(item, Document)]
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert documents
    assert {item.reason for item in rejected} <= set(source.reasons)
    assert all(len(item.excerpt) <= EXCERPT for item in rejected)
    assert all(source.reasons.values()), "every reason is explained"


def test_documents_can_be_traced(source: Source) -> None:
    """Ids are unique and say their source; origins name the raw file; licences are stated."""
    documents = [item for item in read_all(source) if isinstance(item, Document)]
    assert len({document.id for document in documents}) == len(documents)
    names = [raw.name for _, raw in raw_files(source.name)]
    for document in documents:
        assert document.id.startswith(f"{source.name}/")
        assert any(document.origin.startswith(name) for name in names)
        assert document.licence
        json.dumps(dict(document.meta), allow_nan=False)


def test_reading_twice_gives_the_same(source: Source) -> None:
    """A reader depends on its raw file and options alone."""
    assert read_all(source) == read_all(source)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_compressed_file_cut_short_is_refused(
    source: Source, share: float, tmp_path: Path
) -> None:
    """A truncated archive or stream raises; it never passes for a shorter one."""
    for path, raw in raw_files(source.name):
        if path.suffix not in {".gz", ".bz2", ".7z", ".zst", ".xz"}:
            continue
        cut = tmp_path / path.name
        cut.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        with pytest.raises(UnreadableFile):
            list(source.read(cut, raw, source.defaults))


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 1000, b"\xff\xfe" * 500, b"<", b"{", b"\x1f\x8b\x08", gzip.compress(b"")],
    ids=["empty", "zeros", "no text", "open tag", "open brace", "gzip magic", "empty gzip"],
)
def test_rubbish_never_becomes_a_crash(source: Source, content: bytes, tmp_path: Path) -> None:
    """Whatever bytes come, a reader ends: with items, or with an error that sets the file aside."""
    for _, raw in raw_files(source.name)[:1]:
        path = tmp_path / Path(raw.name).name
        path.write_bytes(content)
        try:
            items = list(source.read(path, raw, source.defaults))
        except UnreadableFile as error:
            assert str(error)
        else:
            assert all(isinstance(item, Document | Rejected) for item in items)


def test_broken_records_have_known_reasons() -> None:
    """Every reason that means damage is some source's."""
    declared = {reason for source in SOURCES.values() for reason in source.reasons}
    assert declared >= DAMAGE


def test_options_are_plain_values(source: Source) -> None:
    """Every option has a default of a kind that pipeline.toml can hold."""
    for value in source.defaults.values():
        assert isinstance(value, str | int | float | bool | tuple)


def test_options_leave_the_names_of_a_sources_table_alone(source: Source) -> None:
    """Every option can be set in pipeline.toml, where ``files`` and its kin mean something else."""
    assert not set(source.defaults) & set(SourceTable.model_fields)
