"""Wikipedia (en): from pages of a dump to articles."""

import bz2
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mwparserfromhell.parser import ParserError

from sources.source import Document, Option, RawFile, Rejected, UnreadableFile
from sources.wikipedia_en import DUMPS, SOURCE

NAME = "enwiki-demo-pages-articles.xml.bz2"
EXAMPLE = Path(__file__).parents[2] / "examples" / "raw" / "wikipedia_en" / NAME


def page(number: int | str, text: str, title: str = "Tea", namespace: int = 0) -> str:
    """Return a page as the dumps have it."""
    return (
        f"<page><title>{escape(title)}</title><ns>{namespace}</ns><id>{number}</id><revision>"
        f"<id>900</id><timestamp>2026-11-01T00:00:00Z</timestamp>"
        f"<text>{escape(text)}</text></revision></page>\n"
    )


def outcomes(path: Path, **options: Option) -> list[Document | Rejected]:
    """Read a file as the source does."""
    raw = RawFile(path.as_uri(), path.name)
    return list(SOURCE.read(path, raw, {**SOURCE.defaults, **options}))


def read(folder: Path, *found: str, **options: Option) -> list[Document | Rejected]:
    """Read a dump of these pages."""
    path = folder / "wiki.xml"
    path.write_text(f"<mediawiki>\n{''.join(found)}</mediawiki>", encoding="utf-8")
    return outcomes(path, **options)


def reasons(items: list[Document | Rejected]) -> list[str]:
    """Return the reasons of the rejections."""
    return [item.reason for item in items if isinstance(item, Rejected)]


def test_an_article_is_its_title_and_its_text(tmp_path: Path) -> None:
    """A blank line stands between them; page, revision and time are in the meta."""
    text = "{{Infobox}}'''Tea''' is a [[drink]].<ref>Ann</ref>\n\n==History==\nIt is old."
    (item,) = read(tmp_path, page(12, text))
    assert item == Document(
        id="wikipedia_en/12",
        text="Tea\n\nTea is a drink.\n\nHistory\nIt is old.",
        origin="wiki.xml:12",
        licence="CC-BY-SA-4.0",
        meta={
            "title": "Tea",
            "page_id": 12,
            "revision_id": 900,
            "namespace": 0,
            "timestamp": "2026-11-01T00:00:00Z",
        },
    )


def test_every_page_that_is_no_article_is_rejected_with_its_reason(tmp_path: Path) -> None:
    """Nothing is dropped in silence."""
    items = read(
        tmp_path,
        page(1, "talk", "Talk:Tea", 1),
        page(2, "#Redirect [[Tea]]"),
        page(3, ""),
        page(4, "{{disambiguation}}<!-- nothing else -->"),
        page("x", "no number"),
        page(6, "x" * (3 << 20)),
        page(7, "<div a='" * 2000),
        page(8, " #redirect [[Tea]]"),
    )
    assert reasons(items) == [
        *("not_article", "redirect", "empty", "empty", "no_id", "overlong", "tangled"),
    ]
    assert isinstance(items[-1], Document)
    assert set(reasons(items)) | {"parser_error"} == set(SOURCE.reasons)


def test_a_page_that_the_parser_fails_on_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own error costs the page, as it did in the published extraction."""

    def fail(_: str) -> list[object]:
        raise ParserError("a bug")  # type: ignore[no-untyped-call]

    monkeypatch.setattr("sources.formats.wikitext.tokenize", fail)
    assert reasons(read(tmp_path, page(1, "text"))) == ["parser_error"]


def test_origin_is_the_offset_of_the_page(tmp_path: Path) -> None:
    """The page can be cut out of the decompressed file."""
    items = read(tmp_path, page(1, "Ä", "Ö"), page(2, "b"))
    content = (tmp_path / "wiki.xml").read_bytes()
    for item in items:
        assert content[int(item.origin.rpartition(":")[2]) :].startswith(b"<page>")


def test_ids_stay_unique_where_page_ids_repeat(tmp_path: Path) -> None:
    """An id that is not above all before it is told apart by the page's place."""
    items = read(tmp_path, page(5, "a"), page(9, "b"), page(5, "c"), page(9, "d"), page(10, "e"))
    third, fourth = (item.origin.removeprefix("wiki.xml:") for item in items[2:4])
    assert [item.id for item in items if isinstance(item, Document)] == [
        f"wikipedia_en/{name}" for name in ("5", "9", f"5/at:{third}", f"9/at:{fourth}", "10")
    ]


def test_corrected_text_leaves_out_categories_and_switches(tmp_path: Path) -> None:
    """They stay in the published text."""
    article = page(1, "Green.\n\n==See also==\n__NOTOC__\n[[Category:Drinks]]")
    (published,) = read(tmp_path, article)
    (corrected,) = read(tmp_path, article, fidelity="corrected")
    assert isinstance(published, Document)
    assert isinstance(corrected, Document)
    assert published.text == "Tea\n\nGreen.\n\nSee also\n__NOTOC__\nCategory:Drinks"
    assert corrected.text == "Tea\n\nGreen.\n\nSee also"


def test_an_unknown_fidelity_is_refused(tmp_path: Path) -> None:
    """A typing error does not pass for one of the two."""
    with pytest.raises(ValueError, match="'exact', not one of published, corrected"):
        read(tmp_path, fidelity="exact")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), max_size=5))
def test_every_page_has_one_outcome_in_order(tmp_path: Path, found: list[str]) -> None:
    """Whatever the text, pages are neither lost nor doubled."""
    texts = [text.replace("\ufffe", "").replace("\uffff", "") for text in found]
    items = read(tmp_path, *(page(number, text) for number, text in enumerate(texts, 1)))
    places = [int(item.origin.rpartition(":")[2]) for item in items]
    assert len(items) == len(texts)
    assert places == sorted(set(places))


def test_the_example_dump_is_read() -> None:
    """Two streams of bzip2, with redirects, a talk page and a template among the articles."""
    items = outcomes(EXAMPLE)
    documents = [item for item in items if isinstance(item, Document)]
    assert len(documents) == 14
    assert Counter(reasons(items)) == {"redirect": 2, "not_article": 2, "empty": 1}
    assert documents[0].text.startswith("Harrow Point Light\n\nHarrow Point Light is a lighthouse")
    assert "ref" not in documents[0].text


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.99])
def test_a_dump_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    """Neither a cut stream nor whole streams without the end pass for a smaller dump."""
    xml = bz2.decompress(EXAMPLE.read_bytes())
    for name, content in (
        ("cut.bz2", EXAMPLE.read_bytes()[: int(EXAMPLE.stat().st_size * kept)]),
        ("whole.bz2", bz2.compress(xml[: int(len(xml) * kept)])),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableFile, match=name):
            outcomes(tmp_path / name)


NAMES = [
    f"enwiki-20261101-pages-articles-multistream{part}.bz2"
    for part in (
        "10.xml-p4045403p5399366",
        "1.xml-p1p41242",
        "2.xml-p41243p151573",
    )
]
STATUS = {
    "jobs": {
        "articlesmultistreamdump": {
            "status": "done",
            "files": {
                name: {"size": len(name), "url": f"/enwiki/20261101/{name}", "sha1": "a" * 40}
                for name in (
                    *NAMES,
                    "enwiki-20261101-pages-articles-multistream-index1.txt-p1p41242.bz2",
                )
            },
        }
    }
}
UNFINISHED = {"jobs": {"articlesmultistreamdump": {"status": "in-progress"}}}
PAGES = {
    DUMPS: b'<a href="../">..</a><a href="20261101/">1</a><a href="20261120/">2</a><a href="latest/">',
    f"{DUMPS}20261101/dumpstatus.json": json.dumps(STATUS).encode(),
    f"{DUMPS}20261120/dumpstatus.json": json.dumps(UNFINISHED).encode(),
}


def planned(pages: Mapping[str, bytes] = PAGES, **options: Option) -> list[RawFile]:
    """Return what is planned where upstream has these pages."""
    return list(SOURCE.plan({**SOURCE.defaults, **options}, pages.__getitem__))


def test_the_plan_lists_the_newest_complete_dump_by_pages() -> None:
    """With the sizes and digests of its status; indexes are no pages."""
    names = [NAMES[1], NAMES[2], NAMES[0]]
    assert planned() == [
        RawFile(
            f"https://dumps.wikimedia.org/enwiki/20261101/{name}",
            name,
            len(name),
            "sha1:" + "a" * 40,
        )
        for name in names
    ]
    assert [file.name for file in planned(count=2, dump="20261101")] == names[:2]


@pytest.mark.parametrize("dump", ["20261120", "../../etc", "newest"])
def test_a_dump_that_is_not_there_is_an_error(dump: str) -> None:
    """Nor is one that is not complete."""
    with pytest.raises(ValueError, match="no complete dump"):
        planned(dump=dump)


@pytest.mark.parametrize(
    "status",
    [
        b"",
        b"[]",
        b'{"jobs": {"articlesmultistreamdump": {"status": "done"}}}',
        json.dumps(STATUS).replace("size", "bytes").encode(),
    ],
    ids=["nothing", "a list", "no files", "no sizes"],
)
def test_a_status_of_another_form_is_an_error(status: bytes) -> None:
    """An empty plan would pass for a wiki without pages."""
    with pytest.raises(ValueError, match=r"dumpstatus\.json"):
        planned({f"{DUMPS}20261101/dumpstatus.json": status}, dump="20261101")


@pytest.mark.real
def test_real_dumps_give_the_published_documents(samples: Path, golden: Path) -> None:
    """All articles of five real dumps, in order, to the byte."""
    expected: dict[str, list[tuple[str, str]]] = {}
    for line in (golden / "wikipedia_en.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        expected.setdefault(entry["file"], []).append((entry["record"], entry["text"]))
    for file, entries in expected.items():
        documents = [item for item in outcomes(samples / file) if isinstance(item, Document)]
        assert [(str(one.meta["page_id"]), one.text) for one in documents] == entries
    assert sum(map(len, expected.values())) == 1023


@pytest.mark.real
def test_what_the_published_code_could_not_read(samples: Path) -> None:
    """UTF-16 is read; a dump that is cut is refused."""
    folder = samples / "wikipedia_en"
    items = outcomes(folder / "bgwiki-latest-pages-articles-shortened.xml.bz2")
    assert reasons(items) == ["not_article", "not_article"]
    assert len(items) == 3
    with pytest.raises(UnreadableFile, match=r"viwiki_test\.xml: byte 339,516"):
        outcomes(folder / "viwiki_test.xml")
