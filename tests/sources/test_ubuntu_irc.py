"""Ubuntu IRC: from daily logs to weeks of a channel."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from sources import ubuntu_irc
from sources.fetch import UpstreamError
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile
from sources.ubuntu_irc import SITE, SOURCE, document_of, read_together

EXAMPLES = Path(__file__).parents[2] / "examples/raw/ubuntu_irc"
MONDAY = "2008/04/21/#ubuntu-lighthouse.txt"
TALK = b"[10:00] <a> hello\n"


def outcomes(files: Mapping[str, Path], **options: Option) -> list[Document | Rejected]:
    """Read files of these names together, with options over the defaults."""
    raw_files = [(path, RawFile("", name)) for name, path in files.items()]
    return list(read_together(raw_files, {**SOURCE.defaults, **options}))


def logs(
    folder: Path, contents: Mapping[str, bytes], **options: Option
) -> list[Document | Rejected]:
    """Write files and read them together."""
    files = {}
    for number, (name, content) in enumerate(contents.items()):
        files[name] = folder / f"{number}{Path(name).suffix}"
        files[name].write_bytes(content)
    return outcomes(files, **options)


def text(folder: Path, content: bytes, **options: Option) -> str:
    """Return what a day's log says below its heading."""
    (only,) = logs(folder, {"2012/01/02/#a.txt": content}, **options)
    assert isinstance(only, Document)
    return only.text.removeprefix("#a 2012-01-02\n")


def test_a_day_is_a_heading_and_what_was_said() -> None:
    """Times go, and the server's lines about who comes and goes."""
    assert outcomes({MONDAY: EXAMPLES / MONDAY}) == [
        Document(
            id="ubuntu_irc/ubuntu-lighthouse/w17",
            text=(
                "#ubuntu-lighthouse 2008-04-21\n"
                "<mira> does anybody else's lamp go out when the screen saver starts?\n"
                "<keeper> mira: which release?\n"
                " * keeper finds his glasses\n"
                "<mira> hardy, café edition\n"
                "<keeper> the ☕ edition then\n"
                "* netsplit, 14 users gone\n"
                "<mira_away> never mind, it was the bulb\n"
            ),
            origin=f"{MONDAY}:1",
            licence=ubuntu_irc.LICENCE,
            meta={"channel": "ubuntu-lighthouse", "month": 17},
        )
    ]


def test_every_example_has_an_outcome() -> None:
    """A log without talk and a file of another kind are rejected."""
    tuesday = MONDAY.replace("21", "22")
    gulls = "2009/04/20/%23ubuntu-gulls.txt"
    found = [
        item
        for name in (MONDAY, tuesday, gulls, "2009/04/20/index.html")
        for item in SOURCE.read(EXAMPLES / name, RawFile("", name), SOURCE.defaults)
    ]
    assert [getattr(item, "reason", None) or getattr(item, "id", None) for item in found] == [
        "ubuntu_irc/ubuntu-lighthouse/w17",
        "no_talk",
        "ubuntu_irc/ubuntu-gulls/w17",
        "not_a_log",
    ]


def test_published_weeks_have_no_year() -> None:
    """Corrected ones have ISO's, which begins and ends with a week."""
    keys = [
        (
            document_of(RawFile("", f"logs/{day}/%23a.txt.gz"), SOURCE.defaults),
            document_of(RawFile("", f"{day}/#a.txt"), {**SOURCE.defaults, "fidelity": "corrected"}),
        )
        for day in ("2005/01/01", "2009/12/31", "2006/01/02", "2006/01/08", "2007/01/01")
    ]
    assert keys == [
        ("ubuntu_irc/a/w53", "ubuntu_irc/a/2004-w53"),
        ("ubuntu_irc/a/w53", "ubuntu_irc/a/2009-w53"),
        ("ubuntu_irc/a/w01", "ubuntu_irc/a/2006-w01"),
        ("ubuntu_irc/a/w01", "ubuntu_irc/a/2006-w01"),
        ("ubuntu_irc/a/w01", "ubuntu_irc/a/2007-w01"),
    ]


def test_logs_join_in_order_of_days(tmp_path: Path) -> None:
    """Whatever their order and folders; a log is counted once."""
    found = logs(
        tmp_path,
        {
            "a/2007/01/01/#x.txt": b"[10:00] <a> later",
            "b/2006/01/03/#x.txt": b"[10:00] <a> next",
            "c/2006/01/02/%23x.txt": b"[10:00] <a> first",
            "d/2006/01/02/#x.txt": b"[10:00] <a> again",
        },
    )
    assert isinstance(found[0], Rejected)
    assert (found[0].origin, found[0].reason) == ("d/2006/01/02/#x.txt", "repeated_day")
    assert isinstance(found[1], Document)
    assert found[1].origin == "c/2006/01/02/%23x.txt:3"
    assert found[1].text == (
        "#x 2006-01-02\n<a> first#x 2006-01-03\n<a> next#x 2007-01-01\n<a> later"
    )


@pytest.mark.parametrize(
    ("log", "published", "corrected"),
    [
        (b"[10:00] <a> b\n", "<a> b\n", "<a> b\n"),
        (b"[10:00] <a> b", "<a> b", "<a> b\n"),
        (b"[10:00] <a> b\r\n", "<a> b\r\n", "<a> b\n"),
        (b"no time here\n[10:00] <a> b\n", "here\n<a> b\n", "no time here\n<a> b\n"),
        (b"\n\n", "\n\n", None),
        (b"=== a\n", None, None),
        (b"=== a\n\n", "* a\n\n", None),
        (b"", None, None),
        (b"===a\n" + TALK, "* \n<a> hello\n", "* a\n<a> hello\n"),
        (b"=== b has joined #x\n" + TALK, "<a> hello\n", "<a> hello\n"),
        (b"=== b has quit\n" + TALK, "* b has quit\n<a> hello\n", "* b has quit\n<a> hello\n"),
        (b"[10:00] <a> b has joined #x\n", "<a> b has joined #x\n", "<a> b has joined #x\n"),
        (b"[10:00] <a> caf\xe9\n", "<a> caf\ufffd\n", "<a> café\n"),
        (b"[10:00] <a> caf\xc3\xa9\n", "<a> café\n", "<a> café\n"),
    ],
)
def test_lines(tmp_path: Path, log: bytes, published: str | None, corrected: str | None) -> None:
    """Published, a line loses eight characters whatever they are; None is for no talk."""
    for fidelity, expected in (("published", published), ("corrected", corrected)):
        if expected is None:
            (only,) = logs(tmp_path, {"2012/01/02/#a.txt": log}, fidelity=fidelity)
            assert isinstance(only, Rejected)
            assert only.reason == "no_talk"
        else:
            assert text(tmp_path, log, fidelity=fidelity) == expected


def test_the_charset_may_be_latin(tmp_path: Path) -> None:
    """What the published reader took without a word of the server."""
    assert text(tmp_path, b"[10:00] <a> caf\xc3\xa9\n", encoding="iso-8859-1") == "<a> cafÃ©\n"


def test_an_unreadable_log_does_not_spoil_the_week(tmp_path: Path) -> None:
    """It is rejected; a week without another log is refused."""
    cut = b"\x1f\x8b\x08\x00"
    found = logs(tmp_path, {"2012/01/02/#a.txt.gz": cut, "2012/01/03/#a.txt": TALK})
    assert [getattr(item, "reason", "") for item in found] == ["unreadable_file", ""]
    with pytest.raises(UnreadableFile):
        logs(tmp_path, {"2012/01/02/#a.txt.gz": cut, "2012/01/03/#a.txt.gz": cut})


def test_a_monster_is_rejected_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of it than the limit."""
    monkeypatch.setattr(ubuntu_irc, "LONGEST", 10)
    (only,) = logs(tmp_path, {"2012/01/02/#a.txt": TALK})
    assert isinstance(only, Rejected)
    assert only.reason == "too_large"


@pytest.mark.parametrize(
    "name",
    ["2012/13/02/#a.txt", "2012/01/02/a.txt", "2012/01/02/#a.html", "#a.txt", "x2012/01/02/#a.txt"],
)
def test_names_that_tell_no_day(tmp_path: Path, name: str) -> None:
    """Such a file is read by itself, and rejected."""
    (only,) = logs(tmp_path, {name: TALK})
    assert isinstance(only, Rejected)
    assert only.reason == "not_a_log"
    assert document_of(RawFile("", name), SOURCE.defaults) == f"{name}:"


def test_logs_are_planned_from_the_days_indexes() -> None:
    """By day and name; some channels can be chosen."""
    page = b'<a href="%23b.txt">#b</a> <a href="%23b.html">x</a> <a href="%23a.txt">y</a> <a href="../">'
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        return page

    options = {**SOURCE.defaults, "first": "2008-02-29", "last": "2008-03-01"}
    planned = list(SOURCE.plan(options, get))
    assert asked == [f"{SITE}2008/02/29/", f"{SITE}2008/03/01/"]
    assert [raw.name for raw in planned] == [
        "2008/02/29/#a.txt",
        "2008/02/29/#b.txt",
        "2008/03/01/#a.txt",
        "2008/03/01/#b.txt",
    ]
    assert planned[0].url == f"{SITE}2008/02/29/%23a.txt"
    some = list(SOURCE.plan({**options, "channels": ("#b",)}, get))
    assert [raw.name for raw in some] == ["2008/02/29/#b.txt", "2008/03/01/#b.txt"]


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    """The message names what there is."""
    with pytest.raises(ValueError, match="published or corrected"):
        text(tmp_path, TALK, fidelity="faithful")
    with pytest.raises(ValueError, match="utf-8 or iso-8859-1"):
        text(tmp_path, TALK, encoding="koi8-r")
    for wrong in ({"first": "2021-01-01"}, {"last": "yesterday"}):
        with pytest.raises(ValueError, match=r"after last|isoformat"):
            list(SOURCE.plan({**SOURCE.defaults, **wrong}, lambda url: b""))
    with pytest.raises(TypeError, match="a list of names"):
        list(SOURCE.plan({**SOURCE.defaults, "channels": "ubuntu"}, lambda url: b""))


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 46 are equal: 27 read as UTF-8, the 19 that differ also as ISO-8859-1."""
    equal = 0
    with (golden / "ubuntu_irc.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            channel, *days = entry["record"].split()
            names = [f"{day.replace('-', '/')}/{channel}.txt" for day in days]
            paths = [samples / stored for stored in entry["file"].split(", ")]
            encoding = entry["meta"].pop("_decoded_as")
            (only,) = outcomes(dict(zip(names, paths, strict=True)), encoding=encoding)
            assert isinstance(only, Document)
            assert only.text == entry["text"]
            assert only.meta == entry["meta"]
            equal += 1
    assert equal == 46


def test_a_document_takes_no_more_days_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that would be too many are rejected, by what wide characters take; others go on."""
    monkeypatch.setattr(ubuntu_irc, "MOST", 500)
    wide = TALK + "[10:01] <b> \U0001f600\n".encode()
    found = logs(
        tmp_path,
        {
            "2012/01/02/#a.txt": TALK * 5,
            "2012/01/03/#a.txt": TALK * 20,
            "2012/01/04/#a.txt": wide * 2,
            "2012/01/05/#a.txt": TALK,
        },
    )
    assert [(each.origin, getattr(each, "reason", "")) for each in found] == [
        ("2012/01/03/#a.txt", "document_full"),
        ("2012/01/04/#a.txt", "document_full"),
        ("2012/01/02/#a.txt:2", ""),
    ]


def test_a_day_that_the_site_does_not_have_is_one_without_logs() -> None:
    """But not a month of them: then the site has moved; nor is any other failure a gap."""

    def get(url: str) -> bytes:
        if url.endswith(("/02/", "/03/")):
            raise UpstreamError(url, "answers 404", "", missing=True)
        if "/2012/02/" in url:
            raise UpstreamError(url, "answers 403", "")
        return b'<a href="%23a.txt">'

    def planned(first: str, last: str) -> list[str]:
        options = {**SOURCE.defaults, "first": first, "last": last}
        return [raw.name for raw in SOURCE.plan(options, get)]

    assert planned("2012-01-01", "2012-01-04") == ["2012/01/01/#a.txt", "2012/01/04/#a.txt"]
    with pytest.raises(UpstreamError, match="404"):
        planned("2012-01-02", "2012-01-03")
    with pytest.raises(UpstreamError, match="403"):
        planned("2012-01-04", "2012-02-28")

    def gone(url: str) -> bytes:
        raise UpstreamError(url, "answers 404", "", missing=True)

    with pytest.raises(UpstreamError, match="404"):
        list(SOURCE.plan(SOURCE.defaults, gone))
