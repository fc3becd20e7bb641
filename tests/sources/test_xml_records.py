"""XML, record by record."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import xml_records
from sources.formats.xml_records import records, text_of, tree
from sources.source import UnreadableFile

LAUGHS = (
    b"<!DOCTYPE list [<!ENTITY a 'lol'>"
    + b"".join(
        b"<!ENTITY %c '%s'>" % (name + 1, b"&%c;" % name * 10) for name in range(ord("a"), ord("k"))
    )
    + b"]>"
)


def texts(xml: bytes) -> list[str]:
    """Read the records ``r`` of a file whose root is ``list``."""
    return [text_of(record) for record in records(io.BytesIO(xml), "file.xml", ["list"], ["r"])]


def refusal(call: Callable[[], object]) -> str:
    """Return the message of the UnreadableFile that a call raises."""
    with pytest.raises(UnreadableFile) as caught:
        call()
    return str(caught.value)


def test_records_come_in_file_order_with_all_their_text() -> None:
    """Markup within a record is looked through; comments and instructions are no text."""
    xml = b"<list><r>one <i>t<b>w</b>o</i></r>between<r>a<!-- no -->b<?no no?>c</r></list>"
    assert texts(xml) == ["one two", "abc"]


def test_the_outermost_record_is_the_record() -> None:
    """A record within a record is part of it."""
    assert texts(b"<list><r>a<r>b</r></r><r>c</r></list>") == ["ab", "c"]


def test_the_root_may_be_the_record() -> None:
    """A file of one record need not wrap it."""
    assert [text_of(r) for r in records(io.BytesIO(b"<r>x</r>"), "file.xml", ["r"], ["r"])] == ["x"]


def test_a_file_may_hold_no_record() -> None:
    """Nothing comes out of an empty list."""
    assert texts(b"<list> </list>") == []


def test_a_record_is_alone_in_its_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is let go, so memory does not grow with the file."""
    monkeypatch.setattr(xml_records, "CHUNK", 8)
    xml = b"<list>" + b"<other/>text<r>x</r>\n" * 50 + b"</list>"
    for record in records(io.BytesIO(xml), "file.xml", ["list"], ["r"]):
        root = record.getroottree().getroot()
        assert [element.tag for element in root][-2:] in (["other", "r"], ["r"])
        assert len(root) <= 3


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["C"]), min_size=1), max_size=20))
@settings(max_examples=40, deadline=None)
def test_text_survives_but_for_whitespace(words: list[str]) -> None:
    """Any characters come back, with runs of whitespace as single spaces."""
    escaped = (word.replace("&", "&amp;").replace("<", "&lt;") for word in words)
    xml = "<list>" + "".join(f"<r>{word}\n</r>" for word in escaped) + "</list>"
    assert texts(xml.encode()) == [" ".join(word.split()) for word in words]


@given(st.integers(1, 200))
@settings(max_examples=30, deadline=None)
def test_a_cut_file_is_refused(kept: int) -> None:
    """Wherever the file ends early, it is an error."""
    xml = b"<list>" + b"<r>text</r>" * 20 + b"</list>"
    assert "file.xml" in refusal(lambda: texts(xml[:kept]))


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html><body/></html>", id="another root, no record"),
        pytest.param(b"<html><r>x</r></html>", id="another root, with records"),
        pytest.param(b"<list><r>x</list>", id="a tag not closed"),
        pytest.param(b"<list><r>\0</r></list>", id="NUL"),
        pytest.param(b"<list><r>\xff\xfe</r></list>", id="no UTF-8"),
        pytest.param(b"<list>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</list>", id="deep nesting"),
        pytest.param(b'<list><r a="%s"/></list>' % (b"x" * 11_000_000), id="a vast attribute"),
        pytest.param(LAUGHS + b"<list><r>&k;</r></list>", id="a billion laughs"),
        pytest.param(b"plain text", id="no XML"),
    ],
)
def test_what_cannot_be_read_is_refused(xml: bytes) -> None:
    """The file is named, on one line."""
    message = refusal(lambda: texts(xml))
    assert message.startswith("file.xml: ")
    assert "\n" not in message


def test_a_file_of_the_system_is_not_read() -> None:
    """An external entity stays a name."""
    xml = b"<!DOCTYPE list [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><list><r>a &x; b</r></list>"
    assert texts(xml) == ["a &x; b"]


def test_a_record_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded though a record never closes."""
    monkeypatch.setattr(xml_records, "MAX_RECORD", 1 << 20)
    xml = b"<list><r>" + b"<a>x</a>" * 200_000
    assert "more than 1,048,576 bytes" in refusal(lambda: texts(xml))


def test_a_long_file_of_short_records_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is on each record, not on the file."""
    monkeypatch.setattr(xml_records, "MAX_RECORD", 1 << 19)
    assert len(texts(b"<list>" + b"<r>text</r>\n" * 100_000 + b"</list>")) == 100_000


def test_tree_gives_the_root_of_a_small_document() -> None:
    """Listings are read whole."""
    assert tree(b"<a><b>1</b><!-- c --></a>", "listing").findtext("b") == "1"


def test_tree_refuses_what_is_not_well_formed() -> None:
    """The listing is named."""
    assert refusal(lambda: tree(b"<a>", "https://host/listing")).startswith("https://host/listing")
