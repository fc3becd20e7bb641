"""OpenWebText2: from its own files and scraped pages to texts without advertisements."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import openwebtext2
from sources.openwebtext2 import LICENCE, SOURCE
from sources.source import Document, Json, RawFile, Rejected, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples/raw/openwebtext2"


def outcomes(path: Path, fidelity: str = "published") -> list[Document | Rejected]:
    """Read a file as the source does."""
    options = {**SOURCE.defaults, "fidelity": fidelity}
    return list(SOURCE.read(path, RawFile("", path.name), options))


def outcome(folder: Path, record: Json) -> Document | Rejected:
    """Return what a file of one record gives."""
    path = folder / "a.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    (only,) = outcomes(path)
    return only


def test_every_line_has_an_outcome() -> None:
    """Of pages as fetched, of the set's own archive, and of pages one scraped."""
    found = [o for path in sorted(EXAMPLES.iterdir()) for o in outcomes(path)]
    member = "2020-01.jsonl.zst.tar:PUSHSHIFT/"
    assert [(o.origin, getattr(o, "reason", "")) for o in found] == [
        ("00000.warc.gz:1", "not_a_page"),
        ("00000.warc.gz:2", ""),
        ("00000.warc.gz:3", "not_fetched"),
        ("00000.warc.gz:4", "low_score"),
        ("00000.warc.gz:5", "not_fetched"),
        ("00000.warc.gz:6", "not_html"),
        ("00000.warc.gz:7", "empty"),
        ("00000.warc.gz:8", "article_failed"),
        (f"{member}data_0_time1_default.jsonl.zst:1", ""),
        (f"{member}data_0_time1_default.jsonl.zst:2", "low_score"),
        (f"{member}data_0_time1_default.jsonl.zst:3", "empty"),
        (f"{member}README.md", "not_jsonl"),
        ("pages.jsonl:1", ""),
        ("pages.jsonl:2", "no_text"),
        ("pages.jsonl:3", "submission"),
        ("pages.jsonl:4", "not_json"),
    ]


def test_a_page_by_itself_is_one_record(tmp_path: Path) -> None:
    """As HTML it goes to the extractor; what is neither page nor lines is one rejection."""
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in [PROSE] * 4)
    page = tmp_path / "tide.html"
    page.write_text(
        f"<html><head><title>Tide</title></head><body><article>{paragraphs}</article></body></html>",
        encoding="utf-8",
    )
    (document,) = outcomes(page)
    assert isinstance(document, Document)
    assert PROSE in document.text
    assert (document.id, document.meta["title"]) == ("openwebtext2/tide.html", "Tide")
    other = tmp_path / "table.csv"
    other.write_bytes(b"a,b\n" * 1000)
    (rejected,) = outcomes(other)
    assert isinstance(rejected, Rejected)
    assert (rejected.origin, rejected.reason) == ("table.csv", "not_jsonl")


PROSE = (
    "The clock of the town was turned back again, and nobody who had seen the tide that morning,"
    " the boats, or the mayor on the wall would say for how long it was to stay that way."
)


def test_a_page_loses_its_advertisements() -> None:
    """Lines of that word alone, if a newline follows; corrected, the last one too."""
    path = EXAMPLES / "2020-01.jsonl.zst.tar"
    published, corrected = outcomes(path)[0], outcomes(path, "corrected")[0]
    beginning = (
        "The town of Little Ebb has voted to turn its clock back.\n\n\nOnly the clock, the mayor"
    )
    assert isinstance(published, Document)
    assert isinstance(corrected, Document)
    assert published.text == f"{beginning} said.\nAdvertisement"
    assert corrected.text == f"{beginning} said."
    assert published.id == f"openwebtext2/{published.origin}"
    assert published.licence == LICENCE
    assert published.meta["url"] == "https://news.example/ebb"
    assert published.meta["reddit_score"] == [2, 5]
    assert "elapsed" not in published.meta


def test_a_fetched_page_knows_its_submissions() -> None:
    """The article without what stands round it, and the page's line of the list."""
    published = outcomes(EXAMPLES / "00000.warc.gz")[1]
    assert isinstance(published, Document)
    assert published.id == "openwebtext2/00000.warc.gz:2"
    first, second = published.text.split("\n\n\n")
    assert first.startswith("The harbour of Little Ebb has been quiet since")
    assert second.startswith("The harbour of Little Ebb has been loud since")
    assert published.meta == {
        "url": "https://news.example/ebb",
        "title": "The clock of Little Ebb",
        "lang": "en",
        "word_count": 117,
        "domain": "example",
        "reddit_id": [35, 36],
        "subreddit": ["clocks", "clocks"],
        "reddit_score": [2, 5],
        "reddit_title": ["Ebb stands still", "Ebb stands still"],
        "reddit_created_utc": [1557000000, 1557000000],
    }


def test_why_a_page_is_not_there_is_kept() -> None:
    """As whoever fetched it said."""
    gone = outcomes(EXAMPLES / "00000.warc.gz")[2]
    assert isinstance(gone, Rejected)
    assert gone.excerpt == "https://gone.example/a reason: 404"


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"WARC-Block-Digest": "sha1:" + "A" * 32}, b"<p>a", "block_digest"),
        ({"X-List-Entry": "{"}, b"<p>a", "empty"),
        ({"X-List-Entry": "[1]"}, b"<p>a", "empty"),
        ({}, b"<div>" * 100_000, "empty"),
        ({}, b"\xff\xfe\0\0" * 100, "empty"),
        ({}, b"<p>" + b"a" * (9 << 20), "too_large"),
    ],
)
def test_a_page_that_is_no_good_is_rejected(
    tmp_path: Path, headers: dict[str, str], body: bytes, reason: str
) -> None:
    """By itself, whatever it holds."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = {"WARC-Type": "response", "WARC-Target-URI": "http://a.example/", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    path = tmp_path / "a.warc"
    path.write_bytes(
        f"WARC/1.0\r\n{lines}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"
    )
    assert [getattr(o, "reason", "") for o in outcomes(path)] == [reason]


def test_corrected_knows_the_word_in_any_case() -> None:
    """With spaces round it or not."""
    page = outcomes(EXAMPLES / "pages.jsonl", "corrected")[0]
    assert isinstance(page, Document)
    assert page.text == "Bread needs time.\nTime needs bread."
    assert page.meta == {"url": "https://blog.example/bread"}


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({}, ""),
        ({"reddit_score": []}, ""),
        ({"reddit_score": [3]}, ""),
        ({"reddit_score": [5, -3]}, "low_score"),
        ({"reddit_scores": [1, 1, 1]}, ""),
        ({"reddit_score": 2}, "low_score"),
    ],
)
def test_scores_are_summed_over_submissions(
    tmp_path: Path, stated: dict[str, Json], reason: str
) -> None:
    """A page without any is taken."""
    found = outcome(tmp_path, {"text": "a", "meta": stated})
    assert getattr(found, "reason", "") == reason


@pytest.mark.parametrize("record", [None, 1, "text", ["text"], {"text": 1}, {"text": None}, {}])
def test_a_record_without_text_is_rejected(tmp_path: Path, record: Json) -> None:
    """Whatever else it is."""
    found = outcome(tmp_path, record)
    assert isinstance(found, Rejected)
    assert found.reason == "no_text"


@given(st.text(alphabet="Advertismn\n ", max_size=60))
@settings(max_examples=60, deadline=None)
def test_nothing_but_whole_lines_is_deleted(text: str) -> None:
    """Each line is kept as it is or goes."""
    lines = [line for line in text.split("\n")[:-1] if line != "Advertisement"]
    assert openwebtext2.FIDELITIES["published"](text) == "\n".join(
        [*lines, text.rsplit("\n", maxsplit=1)[-1]]
    )


def test_a_line_too_long_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unread."""
    monkeypatch.setattr(openwebtext2, "LONGEST", 5)
    found = outcome(tmp_path, {"text": "a"})
    assert isinstance(found, Rejected)
    assert found.reason == "too_large"


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    """It does not pass for a smaller month."""
    path = tmp_path / "2020-01.jsonl.zst.tar"
    path.write_bytes((EXAMPLES / path.name).read_bytes()[:700])
    with pytest.raises(UnreadableFile, match="missing"):
        outcomes(path)


def test_nothing_is_downloaded() -> None:
    """The user brings the pages."""
    assert list(SOURCE.plan(SOURCE.defaults, lambda url: url.encode())) == []
    assert "common-pile/cccc" in SOURCE.manual


@pytest.mark.real
def test_real_submissions_are_no_pages(samples: Path) -> None:
    """Every line of a dump is rejected as what it is."""
    found = outcomes(samples / "openwebtext2/test_submissions_old.json")
    assert [getattr(o, "reason", "") for o in found] == ["submission"] * 10
