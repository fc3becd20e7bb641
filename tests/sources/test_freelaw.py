"""FreeLaw: opinions of CourtListener and cases of CAP."""

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from sources.freelaw import APOLOGY, SOURCE, plan, read
from sources.source import Document, Json, RawFile, Rejected, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples/raw/freelaw"
CSV = EXAMPLES / "opinions-2026-11-01.csv.bz2"
CAP = EXAMPLES / "cap_demo.json"


def read_file(path: Path, fidelity: str = "published", name: str = "") -> list[Document | Rejected]:
    """Read a raw file."""
    raw = RawFile("", name or path.name)
    return list(read(path, raw, {**SOURCE.defaults, "fidelity": fidelity}))


def outcome(folder: Path, record: Json, fidelity: str = "published") -> str:
    """Read one record as JSON and return its text, or the reason of its rejection."""
    path = folder / "1.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    (item,) = read_file(path, fidelity)
    return item.text if isinstance(item, Document) else item.reason


def summary(items: list[Document | Rejected]) -> list[tuple[str, str]]:
    """Return each item's origin, and its id or reason."""
    return [(item.origin, item.id if isinstance(item, Document) else item.reason) for item in items]


def opinion(**fields: Json) -> dict[str, Json]:
    """Make an opinion as CourtListener has it, of id 7."""
    empty = {"plain_text": "", "html": None, "html_lawbox": "", "html_with_citations": ""}
    return {"id": 7, **empty, **fields}


def tar(members: dict[str, bytes]) -> bytes:
    """Make a gzipped tar."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def test_every_row_of_the_example_ends_somewhere() -> None:
    """Rows give documents, or reasons why not, in their order."""
    assert summary(read_file(CSV)) == [
        (f"{CSV.name}:1", "freelaw/900101"),
        (f"{CSV.name}:2", "freelaw/900102"),
        (f"{CSV.name}:3", "freelaw/900103"),
        (f"{CSV.name}:4", "no_text"),
        (f"{CSV.name}:5", "apology"),
        (f"{CSV.name}:6", "no_text"),
        (f"{CSV.name}:7", "freelaw/900107"),
        (f"{CSV.name}:8", "freelaw/900108"),
    ]


def test_plain_text_is_taken_as_it_is() -> None:
    """With its indentation, quotes and backslashes; the row says what else is known."""
    first = read_file(CSV)[0]
    assert isinstance(first, Document)
    assert first.text.startswith("                 COURT OF APPEALS")
    assert 'a "watercourse" within\n' in first.text
    assert "as C:\\maps\\ditch)" in first.text
    assert first.meta == {
        "opinion_id": "900101",
        "cluster_id": "905101",
        "date_created": "2024-03-14 08:00:00.123456+00",
        "type": "010combined",
    }


def test_html_gives_its_text_with_its_line_ends() -> None:
    """Entities are characters; CR LF inside preformatted text stays."""
    items = {item.id: item.text for item in read_file(CSV) if isinstance(item, Document)}
    assert "the defendant\u2019s dog" in items["freelaw/900102"]
    assert items["freelaw/900108"].startswith("  77 Westm. App. 5\r\n\r\nREED v. TOWN")


@pytest.mark.parametrize(
    ("fields", "published", "of_2021", "corrected"),
    [
        ({"plain_text": " a\n"}, " a\n", " a\n", " a\n"),
        ({"plain_text": "a", "html": "<p>b</p>"}, "b", "b", "b"),
        ({"html": "<p>b</p>", "html_lawbox": "<i>c</i>"}, "c", "c", "c"),
        ({"html": "b", "html_with_citations": "d"}, "b", "d", "d"),
        ({"html_lawbox": "c", "xml_harvard": "<x>e</x>"}, "c", "e", "c"),
        ({"xml_harvard": "<x>e</x>"}, "no_text", "e", "e"),
        ({"plain_text": "a", "html": " \n "}, "", "", "a"),
        ({"plain_text": "a", "html": APOLOGY}, "apology", "apology", "a"),
        ({"html_lawbox": "a &copy b"}, "a &copy b", "a &copy b", "a \u00a9 b"),
        ({}, "no_text", "no_text", "no_text"),
    ],
)
def test_which_field_wins(
    fields: dict[str, Json], published: str, of_2021: str, corrected: str, tmp_path: Path
) -> None:
    """The last that is not empty, of three or of seven; or the first by quality with words."""
    record = opinion(**fields)
    assert outcome(tmp_path, record) == published
    assert outcome(tmp_path, record, "published-2021") == of_2021
    assert outcome(tmp_path, record, "corrected") == corrected


def test_a_case_is_read_in_each_form_of_its_body(tmp_path: Path) -> None:
    """XML as a string; opinions apart, as the interface gave them and as the archive has them."""
    (case,) = read_file(CAP)
    assert isinstance(case, Document)
    assert case.id == "freelaw/cap/7000123"
    assert "Stone & Stone, for the appellee." in case.text
    assert case.meta == {
        "case_id": "7000123",
        "name": "Crane v. Mutual Ferry Co.",
        "date": "1931-10-02",
        "court": "Supreme Court of Westmark",
        "jurisdiction": "Westmark",
    }
    body: Json = {"head_matter": "Crane v. Ferry", "opinions": [{"text": "One."}, {"text": "Two."}]}
    for casebody in (body, {"status": "ok", "data": body}):
        assert (
            outcome(tmp_path, {"id": 1, "casebody": casebody}) == "Crane v. Ferry\n\nOne.\n\nTwo."
        )


@pytest.mark.parametrize(
    "casebody",
    [None, "", [], {}, {"status": "error_auth_required", "data": None}, {"data": " "},
     {"data": {"opinions": {}}}, {"data": {"opinions": [None, 3, {"text": 4}]}}],
)  # fmt: skip
def test_a_case_without_a_body_is_rejected(casebody: Json, tmp_path: Path) -> None:
    """Whatever stands in its place."""
    assert outcome(tmp_path, {"id": 1, "casebody": casebody}) == "no_text"


def test_old_bulk_files_are_read_with_their_jurisdiction(tmp_path: Path) -> None:
    """An archive of a court's opinions, and the archive of those archives."""
    court = tar({"7.json": json.dumps(opinion(plain_text="a")).encode(), "README": b"x"})
    (tmp_path / "scotus.tar.gz").write_bytes(court)
    (tmp_path / "all.tar").write_bytes(gzip.decompress(tar({"scotus.tar.gz": court})))
    for name, inner in (("scotus.tar.gz", ""), ("all.tar", "scotus.tar.gz:")):
        items = read_file(tmp_path / name)
        assert summary(items) == [
            (f"{name}:{inner}7.json", "freelaw/7"),
            (f"{name}:{inner}README", "other_file"),
        ]
        assert isinstance(items[0], Document)
        assert items[0].meta["jurisdiction"] == "scotus"


def test_archives_are_followed_one_level_deep(tmp_path: Path) -> None:
    """An archive in an archive in an archive is no opinion."""
    inner = tar({"deeper.tar.gz": tar({"7.json": b"{}"})})
    (tmp_path / "all.tar.gz").write_bytes(tar({"a.tar.gz": inner}))
    assert summary(read_file(tmp_path / "all.tar.gz")) == [
        ("all.tar.gz:a.tar.gz:deeper.tar.gz", "other_file")
    ]


def test_members_that_cannot_be_read_are_rejected(tmp_path: Path) -> None:
    """A volume's other files, names that lead out of the archive, links."""
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as volume:
        volume.writestr("cases/1.json", CAP.read_text(encoding="utf-8"))
        volume.writestr("html/1.html", "<p>the same</p>")
        volume.writestr("VolumeMetadata.json", '{"volume_number": "12"}')
        volume.writestr("../2.json", "{}")
    assert summary(read_file(tmp_path / "v.zip")) == [
        ("v.zip:cases/1.json", "freelaw/cap/7000123"),
        ("v.zip:html/1.html", "other_file"),
        ("v.zip:VolumeMetadata.json", "no_id"),
        ("v.zip:../2.json", "unreadable_member"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"id": ' + b"9" * 5000 + b"}", "invalid_json"),
        (b"[]", "other_file"),
        (b'{"plain_text": "a"}', "no_id"),
        (b'{"id": null, "plain_text": "a"}', "no_id"),
        (b'{"id": 1, "text": "a"}', "other_file"),
        (b'{"id": 1, "plain_text": "caf\xe9"}', "invalid_utf8"),
        (b'{"id": 1, "html": "' + b"<b>" * 9000 + b'"}', "too_deep"),
    ],
)
def test_json_that_gives_no_document_is_rejected(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    """Each with its reason, as a file and as a line among others."""
    (tmp_path / "1.json").write_bytes(content)
    assert [found for _, found in summary(read_file(tmp_path / "1.json"))] == [reason]
    good = json.dumps(opinion(plain_text="a")).encode()
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress((content or b" ") + b"\n" + good))
    assert summary(read_file(tmp_path / "x.jsonl.gz")) == [
        ("x.jsonl.gz:1", reason),
        ("x.jsonl.gz:2", "freelaw/7"),
    ]


def test_half_a_surrogate_pair_does_not_stop_html(tmp_path: Path) -> None:
    """JSON can spell one; in plain text it is handed on, in HTML replaced."""
    assert outcome(tmp_path, opinion(html="<p>a\ud800</p>")) == "a\ufffd"
    assert outcome(tmp_path, opinion(plain_text="a\ud800")) == "a\ud800"


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    """Another table of the same bucket, a cut file, a name that tells nothing."""
    (tmp_path / "dockets.csv").write_text('id,court_id\n"1","scotus"\n', encoding="utf-8")
    (tmp_path / "cut.csv.bz2").write_bytes(CSV.read_bytes()[:-100])
    (tmp_path / "cut.csv").write_bytes(bz2.decompress(CSV.read_bytes())[:-100])
    (tmp_path / "opinions.txt").write_text("a", encoding="utf-8")
    for name in ("dockets.csv", "cut.csv.bz2", "cut.csv", "opinions.txt"):
        with pytest.raises(UnreadableFile, match=name):
            read_file(tmp_path / name)


def test_ids_that_repeat_are_numbered(tmp_path: Path) -> None:
    """Within a file, ids stay unique."""
    line = json.dumps(opinion(plain_text="a")) + "\n"
    (tmp_path / "x.jsonl").write_text(line * 2, encoding="utf-8")
    found = [name for _, name in summary(read_file(tmp_path / "x.jsonl"))]
    assert found == ["freelaw/7", "freelaw/7/r2"]


def test_an_unknown_fidelity_is_an_error() -> None:
    """The error names those there are."""
    with pytest.raises(ValueError, match="published, published-2021, corrected"):
        read_file(CSV, fidelity="best")


LISTING = b"""<?xml version="1.0"?><ListBucketResult><Contents><Key>bulk-data/opinions-2026-09-30.csv.bz2</Key>
<LastModified>x</LastModified><Size>41</Size></Contents><Contents><Key>bulk-data/opinions-2026-10-31.csv.bz2</Key>
<Size>42</Size></Contents><Contents><Key>bulk-data/opinions-old.csv</Key><Size>1</Size></Contents></ListBucketResult>"""


def test_a_plan_takes_the_newest_snapshot() -> None:
    """Or the one of a day; and volumes of CAP beside or instead."""
    (newest,) = plan(SOURCE.defaults, lambda _url: LISTING)
    assert newest == RawFile(
        "https://storage.courtlistener.com/bulk-data/opinions-2026-10-31.csv.bz2",
        "opinions-2026-10-31.csv.bz2",
        42,
    )
    chosen = {**SOURCE.defaults, "snapshot": "2026-09-30", "volumes": ("us/410",)}
    assert [raw.name for raw in plan(chosen, lambda _url: LISTING)] == [
        "opinions-2026-09-30.csv.bz2",
        "cap/us-410.zip",
    ]
    (volume,) = plan({**chosen, "snapshot": "none"}, lambda _url: b"")
    assert volume.url == "https://static.case.law/us/410.zip"


@pytest.mark.parametrize(
    ("option", "value"),
    [("snapshot", "2020-01-01"), ("volumes", ("../secret",)), ("volumes", ("us",))],
)
def test_a_plan_refuses_what_it_cannot_find(option: str, value: str | tuple[str, ...]) -> None:
    """A day that is not listed, a volume of another form."""
    with pytest.raises(ValueError, match=r"2026-10-31|us/410"):
        list(plan({**SOURCE.defaults, option: value}, lambda _url: LISTING))
    with pytest.raises(ValueError, match="no XML"):
        list(plan(SOURCE.defaults, lambda _url: b"<html>"))


@pytest.mark.real
@pytest.mark.parametrize(("version", "fidelity"), [("v1", "published"), ("head", "published-2021")])
def test_real_opinions_give_what_they_gave(
    version: str, fidelity: str, golden: Path, tmp_path: Path
) -> None:
    """All 44 inputs, by both versions of the original; it dropped where there is no text."""
    wanted = {}
    for line in (golden / "freelaw.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        number, of_version, _ = entry["record"].split(" ", 2)
        if of_version == f"{version}:":
            wanted[int(number)] = entry["text"]
    found = {}
    for line in (golden / "freelaw_inputs.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)["opinion"]
        text = outcome(tmp_path, record, fidelity)
        found[record["id"]] = None if text in {"no_text", "apology"} else text
    assert len(wanted) == 44
    assert found == wanted


@pytest.mark.real
def test_real_cases_are_all_read(samples: Path) -> None:
    """Fifteen cases of CAP give their text."""
    items = [
        item
        for path in sorted((samples / "freelaw").glob("cap_*.json"))
        for item in read_file(path)
    ]
    assert [type(item) for item in items] == [Document] * 15
