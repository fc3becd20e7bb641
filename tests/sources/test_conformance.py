"""What every source must do, checked on its example raw files."""

import ast
import gzip
import hashlib
import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from pile.config import SourceTable
from sources.published import PILE_SET_NAMES
from sources.registry import SOURCES
from sources.source import (
    DAMAGE,
    EXCERPT,
    Document,
    Option,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "raw"
WHOLE: dict[str, dict[str, Option]] = {"github": {"keep": 1.0}}
"""Options with which a source that draws a sample keeps all documents, as examples are few."""

WITH_EXAMPLES = sorted(name for name in SOURCES if name != "local")


def raw_files(name: str) -> list[tuple[Path, RawFile]]:
    """Return a source's example raw files, in order."""
    folder = EXAMPLES / name
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        (path, RawFile(path.as_uri(), path.relative_to(folder).as_posix(), path.stat().st_size))
        for path in paths
    ]


def read_files(
    source: Source, files: Sequence[tuple[Path, RawFile]], **options: Option
) -> list[Document | Rejected]:
    """Read raw files, together where documents need that; what cannot be read raises."""
    given = {**source.defaults, **WHOLE.get(source.name, {}), **options}
    grouping = source.grouping
    if grouping is None:
        return [item for path, raw in files for item in source.read(path, raw, given)]
    groups: dict[str, list[tuple[Path, RawFile]]] = {}
    for path, raw in files:
        groups.setdefault(grouping.key(raw, given), []).append((path, raw))
    return [item for key in sorted(groups) for item in grouping.read(groups[key], given)]


def read_all(source: Source, **options: Option) -> list[Document | Rejected]:
    """Read all of a source's example raw files."""
    return read_files(source, raw_files(source.name), **options)


def fidelities(source: Source) -> list[dict[str, Option]]:
    """Return the options that choose each way in which a source can be read."""
    if "fidelity" not in source.defaults:
        return [{}]
    return [{"fidelity": fidelity} for fidelity in source.fidelities]


def digest(items: Sequence[Document | Rejected]) -> str:
    """Return a digest of everything that items say."""
    plain = [json.dumps(asdict(item), ensure_ascii=False, sort_keys=True) for item in items]
    return hashlib.sha256("\n".join(plain).encode("utf-8", "surrogatepass")).hexdigest()


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
    functions = [source.read, source.plan]
    if source.grouping is not None:
        functions += [source.grouping.key, source.grouping.read]  # type: ignore[list-item] # any
    if source.pieces is not None:
        functions += [source.pieces.suits, source.pieces.read]  # type: ignore[list-item] # any
    for function in functions:
        assert pickle.loads(pickle.dumps(function)) is function


def test_examples_give_documents(source: Source) -> None:
    """Read in any way the examples give documents, and every rejection has a declared reason."""
    for options in fidelities(source):
        items = read_all(source, **options)
        documents = [item for item in items if isinstance(item, Document)]
        rejected = [item for item in items if isinstance(item, Rejected)]
        assert documents
        assert {item.reason for item in rejected} <= set(source.reasons)
        assert all(len(item.excerpt) <= EXCERPT for item in rejected)
        assert all(item.origin for item in items)
    assert all(source.reasons.values()), "every reason is explained"


def test_documents_can_be_traced(source: Source) -> None:
    """Ids are unique and say their source; origins name the raw file; licences are stated."""
    names = [raw.name for _, raw in raw_files(source.name)]
    for options in fidelities(source):
        documents = [item for item in read_all(source, **options) if isinstance(item, Document)]
        assert len({document.id for document in documents}) == len(documents)
        for document in documents:
            assert document.id.startswith(f"{source.name}/")
            assert any(document.origin.startswith(name) for name in names)
            assert document.licence
            json.dumps(dict(document.meta), allow_nan=False)


def test_where_files_lie_changes_nothing(source: Source, tmp_path: Path) -> None:
    """Ids, origins and texts come from a file's name and content: moved, it gives the same."""
    moved = []
    for path, raw in raw_files(source.name):
        copy = tmp_path / "elsewhere" / raw.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        moved.append((copy, raw))
    assert read_files(source, moved) == read_all(source)


def test_reading_twice_gives_the_same(source: Source) -> None:
    """A reader depends on its raw file and options alone."""
    for options in fidelities(source):
        assert read_all(source, **options) == read_all(source, **options)


def test_an_unknown_fidelity_is_refused(source: Source) -> None:
    """A misspelt value never reads as another one."""
    if "fidelity" in source.defaults:
        with pytest.raises(ValueError, match="nonsense"):
            read_all(source, fidelity="nonsense")


def test_no_hash_seed_nor_locale_changes_a_document() -> None:
    """All sources, in processes with other hash seeds, time zones and locales: the same items."""
    expected = {name: digest(read_all(SOURCES[name])) for name in WITH_EXAMPLES}
    code = (
        f"import runpy; m = runpy.run_path({__file__!r}); "
        "print({n: m['digest'](m['read_all'](m['SOURCES'][n])) for n in m['WITH_EXAMPLES']})"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, zone in (("1", "Asia/Tokyo"), ("4242", "America/Caracas"))
    ]
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert ast.literal_eval(out) == expected


PACKED = {".gz", ".bz2", ".7z", ".zst", ".xz", ".zip", ".tgz", ".epub"}
"""Suffixes of raw files that tell by themselves that they are cut."""

UNPACKED = {".txt", ".jsonl", ".vtt", ".srt"}
"""Suffixes of raw files whose beginning is as good a file: only the plan's size and checksum tell."""


CUTS = (0.02, 0.3, 0.6, 0.95, 0.999)
"""Shares of a file that are kept."""


def test_a_file_cut_short_is_never_a_silent_loss(source: Source, tmp_path: Path) -> None:
    """A cut file raises, or its record is rejected as broken; it never passes for a shorter one."""
    for path, raw in raw_files(source.name):
        whole = read_files(source, [(path, raw)])
        if path.suffix in UNPACKED or not whole:
            continue
        for share in CUTS:
            cut = tmp_path / path.name
            cut.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
            try:
                items = read_files(source, [(cut, raw)])
            except UnreadableFile as error:
                assert raw.name.rpartition("/")[2] in str(error)
                continue
            assert path.suffix not in PACKED or source.name in REJECTING
            assert items == whole or any(
                isinstance(item, Rejected) and item.reason in DAMAGE for item in items
            )


REJECTING = {"books3", "bookcorpus2"}
"""Sources whose raw file is a document, so that a broken one is a rejected record."""


CHANGES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.97)
"""Where in a file a byte is changed."""


def test_a_changed_byte_is_never_a_silent_change(source: Source, tmp_path: Path) -> None:
    """In a packed file it raises, its record is rejected, or it was one that nothing depends on."""
    for path, raw in raw_files(source.name):
        if path.suffix not in PACKED:
            continue
        whole = read_files(source, [(path, raw)])
        for share in CHANGES:
            content = bytearray(path.read_bytes())
            content[int(len(content) * share)] ^= 0x55
            changed = tmp_path / path.name
            changed.write_bytes(content)
            try:
                items = read_files(source, [(changed, raw)])
            except UnreadableFile:
                continue
            assert items == whole or any(
                isinstance(item, Rejected) and item not in whole for item in items
            )


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
