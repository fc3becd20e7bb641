"""Pile-CC: WARC files of Common Crawl."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from sources.formats.web_text import MainText
from sources.pile_cc import EXTRACTIONS, SOURCE, plan, read
from sources.source import Document, RawFile, Rejected, UnreadableFile

EXAMPLE = Path(__file__).parents[2] / "examples/raw/pile_cc/CC-MAIN-demo.warc.gz"
GOOD = "This is a sentence of the kind that is found in the text of a page, and it is good. " * 4


def warc(*blocks: bytes, kind: str = "response", headers: str = "") -> bytes:
    """Make a WARC file of one record a block."""
    head = "WARC/1.0\r\nWARC-Type: {}\r\nWARC-Target-URI: http://a.example/\r\n{}Content-Length: {}"
    return b"".join(
        head.format(kind, headers, len(block)).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"
        for block in blocks
    )


def response(body: bytes | str, headers: str = "") -> bytes:
    """Make the block of a response."""
    content = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode() + content


def html(text: str) -> str:
    """Make a page of one paragraph."""
    return f"<html><head><title>t</title></head><body><p>{text}</p></body></html>"


def read_bytes(
    folder: Path, content: bytes, fidelity: str = "published"
) -> list[Document | Rejected]:
    """Read the content of a raw file."""
    path = folder / "x.warc"
    path.write_bytes(content)
    return list(read(path, RawFile("", "x.warc"), {**SOURCE.defaults, "fidelity": fidelity}))


def outcome(folder: Path, block: bytes, **options: str) -> str:
    """Read one response and return its text, or the reason of its rejection."""
    (item,) = read_bytes(folder, warc(block), **options)
    return item.text if isinstance(item, Document) else item.reason


def reasons(items: Iterable[Document | Rejected]) -> Counter[str]:
    """Count items by reason, documents as such."""
    return Counter(item.reason if isinstance(item, Rejected) else "document" for item in items)


def test_every_record_of_the_example_ends_somewhere() -> None:
    """Documents and rejections together are the records of the file."""
    items = list(read(EXAMPLE, RawFile("", EXAMPLE.name), SOURCE.defaults))
    assert reasons(items) == {
        "document": 11,
        "not_a_response": 5,
        "not_english": 3,
        "no_text": 2,
        "no_http_headers": 1,
    }
    assert [item.origin for item in items] == [f"{EXAMPLE.name}:{n}" for n in range(1, 23)]


def test_a_document_tells_where_it_is_from() -> None:
    """Text is the article alone; address, date and type are upstream's."""
    items = list(read(EXAMPLE, RawFile("", EXAMPLE.name), SOURCE.defaults))
    first = items[2]
    assert isinstance(first, Document)
    assert first.text.startswith(
        "Keeping a starter alive through the winter\n\nA sourdough starter"
    )
    assert first.text.endswith("and give it two days.")
    assert first.id == "pile_cc/efdd9727-3da2-56bc-8f78-8f13e5b22730"
    assert first.meta == {
        "url": "https://gazette.example/sourdough",
        "date": "2020-06-07T10:03:00Z",
        "content_type": "text/html; charset=utf-8",
        "language": "en",
    }


def test_other_charsets_and_encodings_are_undone() -> None:
    """The example holds a page in windows-1252 and one in gzip in chunks."""
    items = list(read(EXAMPLE, RawFile("", EXAMPLE.name), SOURCE.defaults))
    texts = {item.meta["url"]: item.text for item in items if isinstance(item, Document)}
    assert "the tuner \u2013 na\u00efve though it sounds" in texts["https://gazette.example/piano"]
    assert texts["https://gazette.example/wool"].startswith("From the sheep to the sleeve")


def test_pages_that_give_no_document_are_rejected(tmp_path: Path) -> None:
    """Each reason, by a page that has it."""
    german = "Der alte Mann sa\u00df am Fenster und sah auf das weite, graue Meer hinaus. " * 5
    assert outcome(tmp_path, response(html(GOOD))) == GOOD.strip()
    assert outcome(tmp_path, response(html(german))) == "not_english"
    assert outcome(tmp_path, response(html("That is all there is to be said of it."))) == "no_text"
    assert outcome(tmp_path, response(b"\xff\x00\xd8" * 50)) == "undecodable"
    assert outcome(tmp_path, b"20200607\r\nDNS") == "no_http_headers"
    assert outcome(tmp_path, response(b"")) == "not_english"
    deep = html("<div>" * 3000 + GOOD)
    assert outcome(tmp_path, response(deep), fidelity="corrected") == "too_deep"
    assert outcome(tmp_path, response(deep)) == "too_deep"


def test_what_is_lost_below_257_elements_is_told(tmp_path: Path) -> None:
    """Published, the page ends where libxml2 left it, and its meta says so; corrected, it is whole."""
    page = html(f"{GOOD}</p>" + "<div>" * 300 + f"<p>{GOOD}</p>" + "</div>" * 300)
    (cut,) = read_bytes(tmp_path, warc(response(page)))
    (whole,) = read_bytes(tmp_path, warc(response(page)), "corrected")
    assert isinstance(cut, Document)
    assert isinstance(whole, Document)
    assert (cut.text, cut.meta["cut_at_depth"]) == (GOOD.strip(), 257)
    assert whole.text == f"{GOOD.strip()}\n\n{GOOD.strip()}"
    assert "cut_at_depth" not in whole.meta


def test_a_page_in_another_language_is_never_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language is that of the raw page, asked before the costly step."""
    extracted: list[str] = []

    def watch(markup: str) -> MainText:
        extracted.append(markup)
        return MainText([])

    monkeypatch.setitem(EXTRACTIONS, "published", watch)
    french = (
        "Le vieil homme regardait la mer grise depuis sa fen\u00eatre, comme chaque matin. " * 5
    )
    read_bytes(tmp_path, warc(response(html(french)), response(html(GOOD))))
    assert extracted == [html(GOOD)]


def test_records_of_other_types_are_counted(tmp_path: Path) -> None:
    """A WET text, a request or a revisit is no page."""
    for kind in ("conversion", "request", "revisit", "warcinfo", ""):
        (item,) = read_bytes(tmp_path, warc(response(html(GOOD)), kind=kind))
        assert item == Rejected("x.warc:1", "not_a_response", f"http://a.example/ {kind}".strip())


def test_a_page_with_control_characters_is_tried_without(tmp_path: Path) -> None:
    """CLD2 refuses them, and is asked again without; what they are in the text is lxml's matter."""
    assert outcome(tmp_path, response(html(GOOD + "\x01\x08"))) == GOOD.strip()


def test_long_records_and_bombs_are_rejected(tmp_path: Path) -> None:
    """A record over the limit, and a body that decompresses to more, do not end the file."""
    bomb = response(gzip.compress(b" " * (40 << 20)), "Content-Encoding: gzip\r\n")
    items = read_bytes(tmp_path, warc(b"x" * (33 << 20), bomb, response(html(GOOD))))
    assert reasons(items) == {"overlong": 2, "document": 1}


def test_a_block_that_lost_bytes_is_rejected(tmp_path: Path) -> None:
    """The block's digest is trusted; the payload's, which crawlers count differently, noted."""
    wrong = "sha1:" + "A" * 32
    block = response(html(GOOD))
    (bad,) = read_bytes(tmp_path, warc(block, headers=f"WARC-Block-Digest: {wrong}\r\n"))
    (noted,) = read_bytes(tmp_path, warc(block, headers=f"WARC-Payload-Digest: {wrong}\r\n"))
    assert isinstance(bad, Rejected)
    assert bad.reason == "block_digest"
    assert isinstance(noted, Document)
    assert noted.meta["payload_digest_holds"] is False


def test_ids_stay_unique(tmp_path: Path) -> None:
    """A record without an id is named by its place; one that repeats an id is numbered."""
    unnamed = read_bytes(tmp_path, warc(response(html(GOOD)), response(html(GOOD))))
    named = "WARC-Record-ID: <urn:uuid:1234>\r\n"
    repeated = read_bytes(tmp_path, warc(*[response(html(GOOD))] * 2, headers=named))
    ids = [item.id for item in unnamed + repeated if isinstance(item, Document)]
    assert ids == ["pile_cc/x.warc:1", "pile_cc/x.warc:2", "pile_cc/1234", "pile_cc/1234/r2"]


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """Also where it is not compressed, and its last record merely short."""
    with pytest.raises(UnreadableFile, match="cut"):
        read_bytes(tmp_path, warc(response(html(GOOD)))[:-30])


def test_an_unknown_fidelity_is_an_error(tmp_path: Path) -> None:
    """Options are checked before anything is read."""
    with pytest.raises(ValueError, match="published, corrected"):
        read_bytes(tmp_path, b"", fidelity="best")


def listing(*paths: str) -> bytes:
    """Make a crawl's compressed listing."""
    return gzip.compress("".join(f"{path}\n" for path in paths).encode(), mtime=0)


PATHS = [
    f"crawl-data/CC-MAIN-2020-24/segments/1590347385193.5/warc/CC-MAIN-{n:05}.warc.gz"
    for n in range(5)
]


def test_a_plan_takes_a_slice_of_a_crawl() -> None:
    """By default the first file of the Pile's last crawl; 0 files are all that follow."""
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        return listing(*PATHS)

    (first,) = plan(SOURCE.defaults, get)
    assert asked == ["https://data.commoncrawl.org/crawl-data/CC-MAIN-2020-24/warc.paths.gz"]
    assert first.url == f"https://data.commoncrawl.org/{PATHS[0]}"
    assert first.name == PATHS[0].removeprefix("crawl-data/")
    rest = list(plan({**SOURCE.defaults, "first": 2, "count": 0}, get))
    assert [raw.url.rpartition("/")[2] for raw in rest] == [p.rpartition("/")[2] for p in PATHS[2:]]


CRAWLS = tuple(f"CC-MAIN-2013-{week}" for week in (20, 48))


def two_crawls(url: str) -> bytes:
    """Give 2,500 paths for the first of `CRAWLS`, and 700 for the other."""
    crawl = url.split("/")[-2]
    count = {CRAWLS[0]: 2500, CRAWLS[1]: 700}[crawl]
    return listing(*(f"crawl-data/{crawl}/{number:04}.warc.gz" for number in range(count)))


def planned(**options: object) -> list[str]:
    """Return the names of what is planned of both crawls."""
    return [raw.name for raw in plan({**SOURCE.defaults, "crawls": CRAWLS, **options}, two_crawls)]  # type: ignore[dict-item] # any option


def test_blocks_are_a_thousand_paths_each_of_all_crawls_together() -> None:
    """Block 2 begins in one crawl and ends in the next; the last block may be short."""
    second = planned(blocks=(2,), count=0)
    assert len(second) == 1000
    assert (second[0], second[499]) == (f"{CRAWLS[0]}/2000.warc.gz", f"{CRAWLS[0]}/2499.warc.gz")
    assert (second[500], second[-1]) == (f"{CRAWLS[1]}/0000.warc.gz", f"{CRAWLS[1]}/0499.warc.gz")
    assert planned(blocks=(3, 0), count=0) == planned(blocks=(0,), count=0) + planned(
        blocks=(3,), count=0
    )
    assert len(planned(blocks=(3,), count=0)) == 200
    assert planned(blocks=(2,), first=499, count=2) == second[499:501]


def test_a_block_that_is_not_there_is_an_error() -> None:
    """Listings that are shorter than they were do not pass for the Pile's."""
    with pytest.raises(ValueError, match="3,200 files in these crawls, and so no block 4"):
        planned(blocks=(4,), count=0)


def test_no_more_crawls_are_listed_than_are_needed() -> None:
    """The first file of 69 crawls takes one request."""
    crawls = (CRAWLS[0], "CC-MAIN-2099-01")
    assert planned(crawls=crawls) == [f"{CRAWLS[0]}/0000.warc.gz"]
    assert len(planned(crawls=crawls, blocks=(1,), count=0)) == 1000


@pytest.mark.parametrize(
    "content",
    [
        b"<html>not found",
        listing("crawl-data/../../etc/passwd.warc.gz"),
        listing("/etc/passwd"),
        listing(*PATHS)[:-10],
        gzip.compress(b"\0" * (70 << 20)),
    ],
    ids=["page", "above", "absolute", "cut", "bomb"],
)
def test_a_listing_is_not_trusted(content: bytes) -> None:
    """What is no listing of WARC files raises, and nothing is planned of it."""
    with pytest.raises(ValueError, match=r"warc\.paths\.gz"):
        list(plan(SOURCE.defaults, lambda _url: content))


@pytest.mark.real
def test_real_crawls_give_what_they_gave(samples: Path, golden: Path) -> None:
    """All documents of the original, file by file, with two named exceptions.

    The original took the one page of a file that is cut, which is refused here; and it stopped at
    a record without HTTP headers, behind which 21 pages are found here.
    """
    wanted: dict[str, list[str]] = {}
    for line in (golden / "pile_cc.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        wanted.setdefault(Path(entry["file"]).name, []).append(entry["text"])
    differ = {}
    for path in sorted((samples / "pile_cc").glob("*.warc*")):
        try:
            items = list(read(path, RawFile("", path.name), SOURCE.defaults))
        except UnreadableFile:
            items = []
        texts = [item.text for item in items if isinstance(item, Document)]
        if texts != wanted.get(path.name, []):
            differ[path.name] = len(texts)
    assert differ == {"resiliparse_clipped.warc.gz": 0, "ukwa_BL-govuk-00000-8443.warc.gz": 21}
    assert sum(map(len, wanted.values())) == 56


@pytest.mark.real
def test_the_page_of_the_cut_file_gives_what_it_gave(
    samples: Path, golden: Path, tmp_path: Path
) -> None:
    """Extraction itself equals the original on all 56: here the cut record is made whole."""
    lines = (golden / "pile_cc.jsonl").read_text(encoding="utf-8").splitlines()
    (wanted,) = [entry for entry in map(json.loads, lines) if "clipped" in entry["file"]]
    cut = (samples / "pile_cc/resiliparse_clipped.warc.gz").read_bytes()
    content = zlib.decompressobj(31).decompress(cut)
    _, _, block = content.partition(b"\r\n\r\n")
    assert outcome(tmp_path, block) == wanted["text"]
