"""ArXiv: from LaTeX sources to Markdown."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sources import arxiv
from sources.arxiv import LICENCE, MANIFEST, SOURCE
from sources.formats import pandoc
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile

EXAMPLE = Path(__file__).parents[2] / "examples/raw/arxiv/arXiv_src_2611_001.tar"
PAPER = r"\documentclass{article}\title{T}\begin{document}\maketitle %s\end{document}"


def outcomes(path: Path, options: Mapping[str, Option] | None = None) -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", path.name), {**SOURCE.defaults, **(options or {})}))


def tar(members: Mapping[str, bytes]) -> bytes:
    """Pack files as they are."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return packed.getvalue()


def bulk(folder: Path, members: Mapping[str, bytes]) -> Path:
    """Write a bulk archive."""
    path = folder / "arXiv_src_2611_001.tar"
    path.write_bytes(tar(members))
    return path


def eprint(*texts: str, **files: str) -> bytes:
    """Pack one text, or files by their stems, as arXiv does."""
    if texts:
        return gzip.compress(texts[0].encode(), mtime=0)
    return gzip.compress(
        tar({f"{stem}.tex": text.encode() for stem, text in files.items()}), mtime=0
    )


def test_every_paper_has_an_outcome_in_archive_order() -> None:
    """Two papers with source and three without."""
    found = outcomes(EXAMPLE)
    assert [(o.origin.split("/")[-1], getattr(o, "reason", "")) for o in found] == [
        ("2611.00001.gz", ""),
        ("2611.00002.gz:main.tex", ""),
        ("2611.00003.pdf", "pdf_only"),
        ("2611.00004.gz", "withdrawn"),
        ("2611.00005.gz", "pandoc_failed"),
    ]


def test_a_paper_begins_with_its_front_matter() -> None:
    """Title, authors, date and abstract come as YAML; headings are underlined."""
    first = outcomes(EXAMPLE)[0]
    assert isinstance(first, Document)
    assert first.id == "arxiv/2611.00001"
    assert first.licence == LICENCE
    assert first.text.startswith("---\nabstract: |\n  We count foldings of a square napkin")
    assert "\ntitle: On the number of ways to fold a napkin\n---\n" in first.text
    assert "\nIntroduction {#sec:intro}\n============\n" in first.text
    assert r"A *napkin* is the square $[0,1]^2 \subset \mathbb{R}^2$." in first.text
    assert not re.search("^:::", first.text, re.MULTILINE)


def test_included_files_are_read_only_if_corrected() -> None:
    """As published, a paper of several files shrinks to its main file."""
    published, corrected = (
        outcomes(EXAMPLE, {"fidelity": fidelity})[1] for fidelity in ("published", "corrected")
    )
    assert isinstance(published, Document)
    assert isinstance(corrected, Document)
    assert published.text.endswith("title: A slow walk on a short path\n---\n\n")
    assert "The walk\n========" in corrected.text
    assert "The end\n=======" in corrected.text


def test_several_main_files_are_several_documents(tmp_path: Path) -> None:
    """Their stems tell them apart."""
    paper = eprint(a=PAPER % "one", b=PAPER % "two", macros=r"\relax")
    found = outcomes(bulk(tmp_path, {"2611/2611.00007.gz": paper}))
    assert [(o.id, o.origin) for o in found if isinstance(o, Document)] == [
        ("arxiv/2611.00007/a", "arXiv_src_2611_001.tar:2611/2611.00007.gz:a.tex"),
        ("arxiv/2611.00007/b", "arXiv_src_2611_001.tar:2611/2611.00007.gz:b.tex"),
    ]


def test_old_ids_get_their_slash_back(tmp_path: Path) -> None:
    """Names of members leave it out; a repeated id is numbered."""
    paper = eprint(PAPER % "x")
    names = ["math0303005", "hep-th9901001", "math.AG0101001", "2611.00007", "2611.00007"]
    members = [(f"{number}/{name}.gz", paper) for number, name in enumerate(names)]
    found = outcomes(bulk(tmp_path, dict(members)))
    assert [o.id for o in found if isinstance(o, Document)] == [
        "arxiv/math/0303005",
        "arxiv/hep-th/9901001",
        "arxiv/math.AG/0101001",
        "arxiv/2611.00007",
        "arxiv/2611.00007/r2",
    ]


@pytest.mark.parametrize("name", ["2611.00007.gz", "2611.00007.tar.gz"])
def test_a_file_may_be_one_paper(tmp_path: Path, name: str) -> None:
    """As arXiv serves it under its id."""
    (tmp_path / name).write_bytes(eprint(main=PAPER % "x"))
    (only,) = outcomes(tmp_path / name)
    assert isinstance(only, Document)
    assert (only.id, only.origin) == ("arxiv/2611.00007", f"{name}:main.tex")


def test_charsets_are_brought_to_utf8(tmp_path: Path) -> None:
    """A paper in Latin-1 keeps its accents."""
    latin = gzip.compress((PAPER % "Poincaré and Gödel, naïvely. ").encode("latin-1"))
    (only,) = outcomes(bulk(tmp_path, {"1.gz": latin}))
    assert isinstance(only, Document)
    assert only.text.endswith("Poincaré and Gödel, naïvely.\n")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("1.pdf", b"%PDF-1.4", "pdf_only"),
        ("1.txt", b"text", "not_gzip"),
        ("../1.gz", eprint(PAPER % "x"), "unreadable_member"),
        ("1.gz", b"no gzip", "damaged"),
        ("1.gz", eprint(PAPER % "x")[:-9], "damaged"),
        ("1.gz", gzip.compress(tar({"main.tex": b"x" * 2000})[:1500], mtime=0), "damaged"),
        ("1.gz", eprint("%!PS-Adobe-2.0"), "not_tex"),
        ("1.gz", eprint(""), "not_tex"),
        ("1.gz", eprint("\n%auto-ignore\nWithdrawn."), "withdrawn"),
        ("1.gz", eprint(a="x", b="y"), "no_main_file"),
        ("1.gz", gzip.compress(tar({"sub/main.tex": b"x"}), mtime=0), "no_main_file"),
        ("1.gz", gzip.compress(tar({"../../main.tex": b"x"}), mtime=0), "no_main_file"),
        ("1.gz", gzip.compress(tar({"main.tex": b"\x81 \x8d \x8f"}), mtime=0), "unknown_encoding"),
        ("1.gz", eprint(main=""), "empty"),
        ("1.gz", eprint(PAPER % r"\begin{itemize}\end{enumerate}"), "pandoc_failed"),
        ("1.gz", eprint(PAPER % r"\newcommand{\a}{\a}\a"), "pandoc_failed"),
        ("1.gz", eprint(PAPER % r"\def\a{x\a}\a"), "pandoc_timeout"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_a_paper_that_gives_nothing_says_why(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """Each reason is one of the source's, and the next paper is read all the same."""
    path = bulk(tmp_path, {name: content, "2.gz": eprint(PAPER % "x")})
    bad, good = outcomes(path, {"cpu_seconds": 1})
    assert isinstance(bad, Rejected)
    assert bad.reason == reason
    assert reason in SOURCE.reasons
    assert isinstance(good, Document)


@pytest.mark.parametrize(
    "paper",
    [eprint("\\relax" * 1000), eprint(main="\\relax" * 1000)],
    ids=["single file", "folder"],
)
def test_a_paper_beyond_all_measure_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper: bytes
) -> None:
    """No more than the limit is held in memory, and the archive goes on behind it."""
    monkeypatch.setattr(arxiv, "MAX_TEX", 1000)
    large, small = outcomes(bulk(tmp_path, {"1.gz": paper, "2.gz": eprint(PAPER % "x")}))
    assert isinstance(large, Rejected)
    assert large.reason == "too_large"
    assert isinstance(small, Document)


def test_files_outside_the_paper_are_not_read(tmp_path: Path) -> None:
    """Neither fidelity follows a path out of the paper."""
    (tmp_path / "secret.tex").write_text("the secret", encoding="utf-8")
    body = rf"\input{{{tmp_path}/secret}} \input{{../secret}} \input{{/etc/passwd}}"
    path = bulk(tmp_path, {"1.gz": eprint(PAPER % body)})
    for fidelity in ("published", "corrected"):
        (only,) = outcomes(path, {"fidelity": fidelity})
        assert isinstance(only, Document)
        assert "secret" not in only.text.replace("/secret", "")
        assert "root:" not in only.text


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    """Half an archive is not taken for a shorter one, wherever it is cut."""
    whole = EXAMPLE.read_bytes()
    for size in (2048, 2000, 1200, 512 * 7):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(UnreadableFile):
            outcomes(tmp_path / "cut.tar")


def test_a_damaged_paper_of_its_own_is_refused(tmp_path: Path) -> None:
    """A file that is one paper has nothing else to save."""
    (tmp_path / "1.gz").write_bytes(eprint(PAPER % "x")[:-9])
    with pytest.raises(UnreadableFile):
        outcomes(tmp_path / "1.gz")


def manifest(_url: str) -> bytes:
    """Answer with a manifest of five archives."""
    assert _url == MANIFEST
    names = ["0001_001", "9912_001", "2007_068", "2007_002", "2007_069"]
    files = "".join(
        f"<file><filename>src/arXiv_src_{name}.tar</filename><md5sum>{name[0] * 32}</md5sum>"
        f"<size>{number}</size></file>"
        for number, name in enumerate(names)
    )
    return f"<arXivSRC>{files}<timestamp>now</timestamp></arXivSRC>".encode()


def planned(**options: str) -> list[str]:
    """Return the months and numbers of the archives planned."""
    return [
        raw.name.removeprefix("arXiv_src_").removesuffix(".tar")
        for raw in SOURCE.plan({**SOURCE.defaults, **options}, manifest)
    ]


def test_an_unknown_fidelity_is_refused_by_name() -> None:
    """A slip in the settings says what may stand there."""
    with pytest.raises(ValueError, match="not one of published, corrected"):
        outcomes(EXAMPLE, {"fidelity": "publishd"})


def test_plan_ends_where_the_pile_did() -> None:
    """Archives come by month and number, the nineties first."""
    assert planned() == ["9912_001", "0001_001", "2007_002", "2007_068"]


def test_plan_takes_months() -> None:
    """A bound without a number is all of its month."""
    assert planned(first="2007", last="2007") == ["2007_002", "2007_068", "2007_069"]
    assert planned(first="9901", last="0001") == ["9912_001", "0001_001"]
    assert planned(first="2007_068", last="2612") == ["2007_068", "2007_069"]


def test_plan_gives_address_size_and_checksum() -> None:
    """As the manifest states them."""
    assert next(iter(SOURCE.plan(SOURCE.defaults, manifest))) == RawFile(
        "s3://arxiv/src/arXiv_src_9912_001.tar",
        "arXiv_src_9912_001.tar",
        size=1,
        checksum="md5:" + "9" * 32,
    )


def test_plan_refuses_what_it_does_not_understand() -> None:
    """Neither a bound nor a manifest of another form passes."""
    with pytest.raises(ValueError, match="no month of arXiv"):
        planned(first="July 2020")
    entry = b"<arXivSRC><file><filename>src/../x.tar</filename></file></arXivSRC>"
    with pytest.raises(ValueError, match="its form has changed"):
        list(SOURCE.plan(SOURCE.defaults, lambda _: entry))


def packed(folder: Path) -> bytes:
    """Pack a folder as arXiv would have sent it."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    return gzip.compress(next(iter(files.values())) if len(files) == 1 else tar(files), mtime=0)


@pytest.mark.real
def test_papers_equal_what_this_pandoc_gave_the_original_code(
    tmp_path: Path, samples: Path, golden: Path
) -> None:
    r"""Of 11, all are equal but two: the date of ``\today``, and Cyrillic told rightly."""
    with (golden / "arxiv.jsonl").open(encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    expected = {
        re.sub(
            r"(_extract_(.*))?\.tex .*", lambda m: f":{m[2]}.tex" if m[2] else "", e["record"]
        ): e
        for e in entries
        if e["meta"]["pandoc"] == pandoc.version()
    }
    if not expected:
        pytest.skip(f"no golden texts of pandoc {pandoc.version()}")
    folder = samples / "arxiv"
    members = {f"2007/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.gz"))}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            members[f"2007/{path.name}.gz"] = packed(path)
    archives = [bulk(tmp_path, members), folder / "minitest.tar", folder / "minitest4.tar"]
    found = {
        o.origin.split("/", 1)[1].replace(".gz", ""): o.text
        for archive in archives
        for o in outcomes(archive)
        if isinstance(o, Document)
    }
    assert found.keys() == expected.keys()
    assert len(found) == 11
    differing = {name for name in found if found[name] != expected[name]["text"]}
    assert differing == {"math0303003:polarized.tex", "math0504299"}
    today = re.sub(
        r"(?m)^date: \d{4}-\d\d-\d\d$",
        "date: 1970-01-01",
        expected["math0303003:polarized.tex"]["text"],
    )
    assert found["math0303003:polarized.tex"] == today
    # Nine letters that chardet 3.0.4 took for ISO 8859-5 are Windows-1251.
    cyrillic = re.compile("[\u0400-\u04ff]")
    original = expected["math0504299"]["text"]
    guessed = "".join(cyrillic.findall(original)).encode("iso8859-5")
    assert "".join(cyrillic.findall(found["math0504299"])).encode("cp1251") == guessed
    assert cyrillic.sub("", found["math0504299"]) == cyrillic.sub("", original)


def test_what_pandoc_fails_on_is_plain_text_if_corrected(tmp_path: Path) -> None:
    """And says so; what has no text is rejected as ever."""
    (tmp_path / "1.gz").write_bytes(eprint(PAPER % r"Words. \begin{itemize}\end{enumerate}"))
    (plain,) = outcomes(tmp_path / "1.gz", {"fidelity": "corrected"})
    assert isinstance(plain, Document)
    assert "Words." in plain.text
    assert plain.meta == {"extractor": "fallback"}
    (refused,) = outcomes(tmp_path / "1.gz")
    assert isinstance(refused, Rejected)
    assert refused.reason == "pandoc_failed"
