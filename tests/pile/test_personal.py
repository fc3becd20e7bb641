"""Personal data is found where it is, and masked."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.cleaning.personal import MaskPersonal, find_personal, mask_personal
from sources.source import Document

ALL = ("email", "ip", "phone")


def found(text: str) -> list[tuple[str, str]]:
    """Return what is found and its kind."""
    return [(text[span.start : span.stop], span.kind) for span in find_personal(text, ALL)]


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.org",
        "bob.smith+news@mail.example.co.uk",
        "b_o-b%x@exa-mple.museum",
        "x@münchen.de",
        f"{'a' * 64}@example.org",
    ],
)
def test_e_mail_addresses(address: str) -> None:
    """An address is found as a whole, between whatever marks it stands."""
    for text in (address, f"<{address}>,", f"mailto:{address}.", f"联系{address}联系"):
        assert found(text) == [(address, "email")]


@pytest.mark.parametrize(
    "text",
    [
        "@example.org",
        "bob@localhost",
        "a @ b.org",
        "bob@example.o",
        "@@@",
        f"{'a' * 65}@x.org",
        "x@y",
    ],
)
def test_what_is_no_e_mail_address(text: str) -> None:
    """A name alone, a host alone, and what is too long are none."""
    assert found(text) == []


@pytest.mark.parametrize("address", ["8.8.8.8", "203.104.10.5", "2001:4860:4860::8888"])
def test_ip_addresses(address: str) -> None:
    """Public addresses of both versions are found."""
    for text in (address, f"[{address}]", f"from {address}.", f"at {address}, then"):
        assert found(text) == [(address, "ip")]


@pytest.mark.parametrize(
    "text",
    [
        "192.168.0.1",
        "127.0.0.1",
        "10.1.2.3",
        "256.8.8.8",
        "1.2.3.4.5",
        "v1.2.3.4",
        "1.2.3",
        "std::vector",
        "2023:10:10",
        "at 12:34:56",
        "20001:4860:4860::8888",
        "fe80::1",
    ],
)
def test_what_is_no_public_ip_address(text: str) -> None:
    """Addresses that are nobody's, versions, times and scopes stay."""
    assert found(text) == []


@pytest.mark.parametrize(
    "number",
    [
        "(212) 555-2368",
        "212-555-2368",
        "212.555.2368",
        "1-212-555-2368",
        "+1 212 555 2368",
        "+1 (212) 555-2368",
        "+12125552368",
        "+49 30 1234567",
        "+44 20 7946 0958",
    ],
)
def test_telephone_numbers(number: str) -> None:
    """American numbers with their marks, and international ones, are found."""
    for text in (number, f"call {number}, now", f"Tel.: {number}."):
        assert found(text) == [(number, "phone")]


@pytest.mark.parametrize(
    "text",
    ["2125552368", "112-555-2368", "2020-10-10", "212-555-23681", "3+4567", "+12 345", "555-2368"],
)
def test_what_is_no_telephone_number(text: str) -> None:
    """Figures without marks, dates and sums stay."""
    assert found(text) == []


def test_placeholders_take_the_places_and_are_counted() -> None:
    """All else of the text stays; the document says how many of each kind were masked."""
    text = "Ask bob@example.org or +1 212 555 2368 (8.8.8.8), or ann@example.org."
    masked = mask_personal(Document("a", text, "a.txt:0", "", {"n": 1}), MaskPersonal())
    assert isinstance(masked, Document)
    assert masked.text == (
        "Ask |||EMAIL_ADDRESS||| or |||PHONE_NUMBER||| (|||IP_ADDRESS|||), or |||EMAIL_ADDRESS|||."
    )
    assert masked.meta == {"n": 1, "masked": {"email": 2, "ip": 1, "phone": 1}}
    assert mask_personal(masked, MaskPersonal()) is masked


def test_kinds_and_placeholders_are_at_choice() -> None:
    """What is not asked for stays."""
    document = Document("a", "bob@example.org, 8.8.8.8", "a.txt:0", "")
    masked = mask_personal(document, MaskPersonal(kinds=("email",), email="<mail>"))
    assert isinstance(masked, Document)
    assert masked.text == "<mail>, 8.8.8.8"


@settings(max_examples=200)
@given(st.text(st.sampled_from("@a.b1-+ ()2:f9\n"), max_size=80))
def test_spans_are_in_order_and_apart(text: str) -> None:
    """Whatever the text, nothing is masked twice, and what is left holds nothing more to mask."""
    spans = find_personal(text, ALL)
    assert all(one.stop <= other.start for one, other in itertools.pairwise(spans))
    assert all(span.start < span.stop for span in spans)


@pytest.mark.parametrize(
    "piece", ["a", "@", "1.", "1.1.1.1", "2001:", "+1 ", "(212) 555-", "a@a.", "-"]
)
def test_hostile_text_takes_time_in_proportion(piece: str) -> None:
    """A megabyte of nearly matching text takes a moment."""
    start = time.process_time()
    find_personal(piece * (1_000_000 // len(piece)), ALL)
    assert time.process_time() - start < 10
