"""PubMed Central: from JATS articles to Markdown."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sources import pubmed_central
from sources.formats import pandoc
from sources.formats.pmc_bucket import BUCKET, INVENTORY
from sources.pubmed_central import LICENCE, SOURCE
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples/raw/pubmed_central"
S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def outcomes(path: Path, options: Mapping[str, Option] | None = None) -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", path.name), {**SOURCE.defaults, **(options or {})}))


def article(text: str, pmcid: str = "") -> bytes:
    """Build an article with one paragraph."""
    stated = f'<article-id pub-id-type="pmc">{pmcid}</article-id>' if pmcid else ""
    meta = f"<front><article-meta>{stated}</article-meta></front>"
    return f"<article>{meta}<body><p>{text}</p></body></article>".encode()


def archive(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a compressed tar archive."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def test_a_package_gives_its_article() -> None:
    """Sections, formulas, tables, lists and citations in pandoc's Markdown; no front matter."""
    (only,) = outcomes(EXAMPLES / "PMC0000001.tar.gz")
    assert isinstance(only, Document)
    assert only.id == "pubmed_central/PMC0000001"
    assert only.origin == "PMC0000001.tar.gz:PMC0000001/aim-7-1.nxml"
    assert only.licence == "CC-BY-4.0"
    assert only.meta == {"pmcid": "PMC0000001", "pmid": "99000005", "doi": "10.99999/aim.2025.5"}
    assert only.text.startswith(
        "Introduction {#s1}\n============\n\nPeople who walk on loose gravel"
    )
    for part in (
        "[@r1]",
        "H~2~O",
        "$$v = l \\cdot c$$",
        "Gravel    64 (7)        12 (3)",
        "1.  the",
    ):
        assert part in only.text
    assert "Gait on gravel was filmed" not in only.text
    assert ":::" not in only.text


def test_without_a_licence_of_its_own_it_has_the_sources() -> None:
    """The second package reserves all rights."""
    (only,) = outcomes(EXAMPLES / "PMC0000002.tar.gz")
    assert isinstance(only, Document)
    assert only.licence == LICENCE


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"PMC9/figure.jpg": b""}, "no_nxml"),
        ({"PMC9/a.nxml": article("a"), "PMC9/b.nxml": article("b")}, "several_nxml"),
        ({"../a.nxml": article("a")}, "unreadable_member"),
        ({"PMC9/a.nxml": b"<html><body>x</body></html>"}, "not_jats"),
        ({"PMC9/a.nxml": b""}, "not_jats"),
        ({"PMC9/a.nxml": b"<article><body/></article>"}, "empty"),
        ({"PMC9/a.nxml": b"<article><body><p>not closed</body></article>"}, "pandoc_failed"),
        ({"PMC9/a.nxml": article("&undefined;")}, "pandoc_failed"),
    ],
)
def test_a_package_that_gives_nothing_says_why(
    tmp_path: Path, members: Mapping[str, bytes], reason: str
) -> None:
    """Each reason is one of the source's."""
    (only,) = outcomes(archive(tmp_path / "PMC9.tar.gz", members))
    assert isinstance(only, Rejected)
    assert only.reason == reason
    assert reason in SOURCE.reasons


def test_a_bulk_archive_gives_all_its_articles(tmp_path: Path) -> None:
    """The id is the article's own, else its file's; a repeated one is numbered."""
    path = archive(
        tmp_path / "oa_comm_xml.PMC000xxxxxx.baseline.tar.gz",
        {
            "PMC000xxxxxx/PMC1.xml": article("one", "1"),
            "PMC000xxxxxx/PMC2.xml": article("two"),
            "PMC000xxxxxx/again.nxml": article("one, later", "PMC1"),
            "PMC000xxxxxx/README.txt": b"",
            "PMC000xxxxxx/page.xml": b"<html/>",
        },
    )
    found = outcomes(path)
    documents = [outcome for outcome in found if isinstance(outcome, Document)]
    assert [(document.id, document.text) for document in documents] == [
        ("pubmed_central/PMC1", "one\n"),
        ("pubmed_central/PMC2", "two\n"),
        ("pubmed_central/PMC1/r2", "one, later\n"),
    ]
    assert found[-1] == Rejected(f"{path.name}:PMC000xxxxxx/page.xml", "not_jats", "<html/>")


@pytest.mark.parametrize("name", ["PMC7.2.xml", "PMC7.2.xml.gz", "PMC7.nxml"])
def test_a_file_may_be_one_article(tmp_path: Path, name: str) -> None:
    """As the bucket has it, with the version in its name, compressed or not."""
    xml = article("text")
    (tmp_path / name).write_bytes(gzip.compress(xml) if name.endswith(".gz") else xml)
    (only,) = outcomes(tmp_path / name)
    assert isinstance(only, Document)
    assert (only.id, only.origin, only.text) == ("pubmed_central/PMC7", name, "text\n")


def test_lines_of_divs_are_left_out(tmp_path: Path) -> None:
    """A caption has its words without its fences."""
    table = "<table-wrap id='t'><caption><p>Words.</p></caption><p>More.</p></table-wrap>"
    body = f"<article><body>{table}</body></article>"
    (tmp_path / "PMC7.xml").write_text(body, encoding="utf-8")
    assert ":::" in pandoc.convert(body.encode(), "jats")
    (only,) = outcomes(tmp_path / "PMC7.xml")
    assert isinstance(only, Document)
    assert only.text == "Words.\n\nMore.\n"


def test_an_article_beyond_all_measure_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than the limit is held in memory."""
    monkeypatch.setattr(pubmed_central, "MAX_ARTICLE", 1000)
    (tmp_path / "PMC7.xml").write_bytes(article("word " * 1000))
    (only,) = outcomes(tmp_path / "PMC7.xml")
    assert isinstance(only, Rejected)
    assert only.reason == "too_large"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A list of files is no article."""
    path = tmp_path / "oa_file_list.csv"
    path.write_text("oa_package/08/e0/PMC1.tar.gz,J,PMC1\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="neither an article"):
        outcomes(path)


def test_a_cut_package_is_refused(tmp_path: Path) -> None:
    """Half an archive is not taken for a package without article."""
    path = tmp_path / "PMC0000001.tar.gz"
    path.write_bytes((EXAMPLES / path.name).read_bytes()[:-30])
    with pytest.raises(UnreadableFile):
        outcomes(path)


def listing(*folders: str, token: str = "") -> bytes:
    """Build a page of the bucket's listing."""
    prefixes = "".join(f"<CommonPrefixes><Prefix>{f}/</Prefix></CommonPrefixes>" for f in folders)
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return f"<ListBucketResult {S3}>{more}{prefixes}</ListBucketResult>".encode()


def test_plan_takes_the_newest_version_of_each_article() -> None:
    """Versions compare as numbers, and pages follow each other."""
    query = f"{BUCKET}?list-type=2&delimiter=/&prefix=PMC1"
    pages = {
        query: listing("PMC1.10", "PMC1.9", "PMC10.1", "PMC13900.1", token="a+b="),
        f"{query}&continuation-token=a%2Bb%3D": listing("PMC13900.2", "PMC1x"),
    }
    planned = list(SOURCE.plan({**SOURCE.defaults, "prefix": "PMC1"}, pages.__getitem__))
    assert planned == [
        RawFile(f"{BUCKET}PMC1.10/PMC1.10.xml", "PMC0/PMC1.10.xml"),
        RawFile(f"{BUCKET}PMC10.1/PMC10.1.xml", "PMC0/PMC10.1.xml"),
        RawFile(f"{BUCKET}PMC13900.2/PMC13900.2.xml", "PMC13/PMC13900.2.xml"),
    ]


def test_plan_of_named_articles_has_checksums() -> None:
    """The bucket's record of an article gives address and MD5."""
    url = "s3://pmc-oa-opendata/PMC13900.2/PMC13900.2.xml?md5=" + "0f" * 16
    pages = {
        f"{BUCKET}?list-type=2&delimiter=/&prefix=PMC13900.": listing("PMC13900.1", "PMC13900.2"),
        f"{BUCKET}metadata/PMC13900.2.json": json.dumps({"xml_url": url}).encode(),
    }
    options = {**SOURCE.defaults, "articles": ("PMC13900", "PMC13900")}
    assert list(SOURCE.plan(options, pages.__getitem__)) == [
        RawFile(
            f"{BUCKET}PMC13900.2/PMC13900.2.xml",
            "PMC13/PMC13900.2.xml",
            checksum="md5:" + "0f" * 16,
        )
    ]


def test_plan_says_which_article_is_missing() -> None:
    """A PMCID that the bucket lacks is no empty plan."""
    options = {**SOURCE.defaults, "articles": ("PMC1",)}
    with pytest.raises(ValueError, match="no article PMC1"):
        list(SOURCE.plan(options, lambda _: listing()))


@pytest.mark.parametrize("root", ["pmc-articleset", "articles"])
def test_a_set_of_articles_gives_each_as_if_it_were_alone(root: str, tmp_path: Path) -> None:
    """As E-utilities answer; an article that is not to be had is a rejection."""
    alone = article("Some <italic>more</italic> text.", "12")
    (tmp_path / "PMC12.1.xml").write_bytes(alone)
    (expected,) = outcomes(tmp_path / "PMC12.1.xml")
    path = tmp_path / "efetch.xml.gz"
    reply = b'<Reply Id="13" error="not available"/>'
    content = b"<%b>%b\n%b%b</%b>" % (root.encode(), alone, reply, article("b"), root.encode())
    path.write_bytes(gzip.compress(content))
    first, refused, second = outcomes(path)
    assert isinstance(expected, Document)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.id, first.text) == (expected.id, expected.text)
    assert (first.origin, second.id) == ("efetch.xml.gz:1", "pubmed_central/efetch.3")
    assert isinstance(refused, Rejected)
    assert refused.reason == "no_nxml"
    path.write_bytes(gzip.compress(content[:-20]))
    with pytest.raises(UnreadableFile):
        outcomes(path)


def together(folder: Path, record: bytes, **options: Option) -> list[Document | Rejected]:
    """Read an article and the bucket's record of it as one group."""
    assert SOURCE.grouping is not None
    (folder / "PMC7.2.xml").write_bytes(article("text", "7"))
    (folder / "PMC7.2.json").write_bytes(record)
    raws = [RawFile("", f"PMC0/{name}") for name in ("PMC7.2.json", "PMC7.2.xml")]
    given = {**SOURCE.defaults, **options}
    assert len({SOURCE.grouping.key(raw, given) for raw in raws}) == 1
    files = [(folder / raw.name.rpartition("/")[2], raw) for raw in raws]
    return list(SOURCE.grouping.read(files, given))


@pytest.mark.parametrize(
    ("code", "licence"),
    [
        ("CC BY-NC-SA", "CC-BY-NC-SA"),
        ("CC0", "CC0-1.0"),
        ("TDM", "TDM: for text and data mining, not to be handed on"),
        ("PD", "LicenseRef-PD"),
        ("", LICENCE),
        (None, LICENCE),
    ],
)
def test_the_buckets_record_states_the_licence(
    code: str | None, licence: str, tmp_path: Path
) -> None:
    """Where the article itself names none."""
    record = json.dumps({"pmcid": "PMC7", "license_code": code, "is_retracted": False})
    (only,) = together(tmp_path, record.encode())
    assert isinstance(only, Document)
    assert only.licence == licence
    assert only.meta["is_retracted"] is False


def test_articles_under_other_licences_can_be_left_out(tmp_path: Path) -> None:
    """A licence is meant in all its versions, unless one is named; not its stricter relatives."""
    record = b'{"pmcid": "PMC7", "license_code": "CC BY"}'
    kept = {"CC-BY": True, "CC-BY-SA": False, "CC": False, "CC-BY-4.0": False}
    for licence, is_kept in kept.items():
        (only,) = together(tmp_path, record, licences=(licence,))
        assert isinstance(only, Document) is is_kept
    package = EXAMPLES / "PMC0000001.tar.gz"
    for licences in (("CC-BY",), ("CC-BY-4.0", "CC0")):
        assert isinstance(outcomes(package, {"licences": licences})[0], Document)
    (refused,) = outcomes(package, {"licences": ("CC-BY-3.0",)})
    assert isinstance(refused, Rejected)
    assert refused.reason == "licence"


def test_a_damaged_record_costs_the_record_alone(tmp_path: Path) -> None:
    """Alone it is refused; without its article it is a rejection."""
    rejected, document = together(tmp_path, b"{")
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "malformed_json"
    assert isinstance(document, Document)
    with pytest.raises(UnreadableFile, match="download it again"):
        outcomes(tmp_path / "PMC7.2.json")
    (tmp_path / "PMC7.2.json").write_bytes(b'{"pmcid": "PMC7"}')
    (alone,) = outcomes(tmp_path / "PMC7.2.json")
    assert alone == Rejected("PMC7.2.json", "no_nxml", "PMC7")


def test_records_are_planned_beside_their_articles() -> None:
    """If asked for."""
    pages = {f"{BUCKET}?list-type=2&delimiter=/&prefix=PMC1": listing("PMC1.1")}
    options = {**SOURCE.defaults, "prefix": "PMC1", "records": True}
    assert list(SOURCE.plan(options, pages.__getitem__)) == [
        RawFile(f"{BUCKET}PMC1.1/PMC1.1.xml", "PMC0/PMC1.1.xml"),
        RawFile(f"{BUCKET}metadata/PMC1.1.json", "PMC0/PMC1.1.json"),
    ]


def test_an_inventory_is_read_instead_of_the_listing() -> None:
    """The last one; keys are URL-encoded, versions compare as numbers, a whole ETag is an MD5."""
    rows = [
        ("metadata/PMC1.9.json", "aa" * 16),
        ("metadata/PMC1.10.json", "bb" * 16),
        ("PMC20.1%2FPMC20.1.xml", "cc" * 16),
        ("metadata/PMC20.1.json", "dd" * 16),
        ("PMC3.1/PMC3.1.xml", "ee" * 16 + "-2"),
        ("PMC3.1/figure.jpg", "ff" * 16),
    ]
    content = "".join(f'"bucket","{key}","2026-11-01","{etag}"\n' for key, etag in rows)
    day = f"{INVENTORY}2026-11-20T01-00Z/"
    manifest = {
        "fileSchema": "Bucket, Key, LastModifiedDate, ETag",
        "files": [{"key": "inventory-reports/a.csv.gz"}],
    }
    pages = {
        f"{BUCKET}?list-type=2&delimiter=/&prefix={INVENTORY}": listing(
            f"{INVENTORY}2026-11-19T01-00Z", day.rstrip("/"), f"{INVENTORY}data"
        ),
        f"{BUCKET}{day}manifest.json": json.dumps(manifest).encode(),
        f"{BUCKET}inventory-reports/a.csv.gz": gzip.compress(content.encode()),
    }
    options = {**SOURCE.defaults, "listing": "inventory"}
    assert list(SOURCE.plan(options, pages.__getitem__)) == [
        RawFile(f"{BUCKET}PMC1.10/PMC1.10.xml", "PMC0/PMC1.10.xml"),
        RawFile(f"{BUCKET}PMC3.1/PMC3.1.xml", "PMC0/PMC3.1.xml"),
        RawFile(f"{BUCKET}PMC20.1/PMC20.1.xml", "PMC0/PMC20.1.xml", checksum="md5:" + "cc" * 16),
    ]
    with pytest.raises(ValueError, match="no inventory"):
        list(SOURCE.plan(options, lambda _: listing()))
    with pytest.raises(ValueError, match="bucket, inventory"):
        SOURCE.plan({**options, "listing": "all"}, pages.__getitem__)


@pytest.mark.real
def test_articles_equal_what_this_pandoc_gave_the_original_code(
    samples: Path, golden: Path
) -> None:
    """All 24 are equal, byte for byte."""
    with (golden / "pubmed_central.jsonl").open(encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    expected = {e["file"]: e["text"] for e in entries if e["meta"]["pandoc"] == pandoc.version()}
    if not expected:
        pytest.skip(f"no golden texts of pandoc {pandoc.version()}")
    found = {}
    for file in expected:
        (only,) = outcomes(samples / file)
        assert isinstance(only, Document)
        found[file] = only.text
    assert found == expected
    assert len(expected) == 24


def test_what_pandoc_fails_on_is_read_as_plain_text_if_asked_for(tmp_path: Path) -> None:
    """And says so; without the option it is rejected, as published."""
    (tmp_path / "PMC7.xml").write_bytes(article("an &unknown; entity", "7"))
    (refused,) = outcomes(tmp_path / "PMC7.xml")
    assert isinstance(refused, Rejected)
    assert refused.reason == "pandoc_failed"
    (plain,) = outcomes(tmp_path / "PMC7.xml", {"fallback": True})
    assert isinstance(plain, Document)
    assert plain.text == "an entity\n\n"
    assert plain.meta == {"pmcid": "PMC7", "extractor": "fallback"}


def test_a_tar_of_objects_gives_the_newest_version_of_each_article(tmp_path: Path) -> None:
    """With its record's licence; versions compare as numbers, and older ones are rejected."""
    held = {
        "metadata/PMC7.1.json": b'{"pmcid": "PMC7", "license_code": "CC0"}',
        "PMC7.1/PMC7.1.xml": article("first", "7"),
        "metadata/PMC7.10.json": b'{"pmcid": "PMC7", "license_code": "CC BY"}',
        "PMC7.10/PMC7.10.xml": article("tenth", "7"),
        "PMC7.9/PMC7.9.xml": article("ninth", "7"),
        "metadata/PMC8.1.json": b"{",
        "PMC8.1/PMC8.1.xml": article("other", "8"),
        "README": b"",
    }
    path = archive(tmp_path / "PMC1000.objects.tar", held)
    found = outcomes(path)
    assert [
        (o.origin.rpartition("/")[2], o.text if isinstance(o, Document) else o.reason)
        for o in found
    ] == [
        ("PMC7.1.xml", "older_version"),
        ("PMC7.9.xml", "older_version"),
        ("PMC8.1.json", "malformed_json"),
        ("PMC7.10.xml", "tenth\n"),
        ("PMC1000.objects.tar:README", "unreadable_member"),
        ("PMC8.1.xml", "other\n"),
    ]
    assert [o.licence for o in found if isinstance(o, Document)] == ["CC-BY", LICENCE]


def test_an_empty_tar_of_objects_has_no_articles(tmp_path: Path) -> None:
    """A range of PMCIDs that none lies in is no error."""
    (tmp_path / "PMC9999.objects.tar").write_bytes(bytes(1024))
    assert outcomes(tmp_path / "PMC9999.objects.tar") == []


def test_ranges_are_planned_without_a_request() -> None:
    """Every PMCID of four digits or more is in one of them."""

    def planned(prefix: str, **options: Option) -> list[RawFile]:
        given = {**SOURCE.defaults, "listing": "ranges", "prefix": prefix, **options}
        return list(SOURCE.plan(given, pytest.fail))

    assert len({raw.name for raw in planned("PMC")}) == 9000
    assert [raw.name for raw in planned("PMC139")][::9] == [
        "PMC1390.objects.tar",
        "PMC1399.objects.tar",
    ]
    assert planned("PMC13900", records=True) == [
        RawFile(
            f"{BUCKET}?prefix=PMC13900&prefix=metadata/PMC13900#.xml,.json",
            "PMC13900.objects.tar",
            form="objects",
        )
    ]
    with pytest.raises(ValueError, match="begins no PMCID"):
        planned("PMCx")
