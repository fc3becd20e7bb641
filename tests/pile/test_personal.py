"""Personal data is found where it is, and masked."""

import ipaddress
import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.cleaning.addresses import REACHABLE, SPECIAL, is_public
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
    for text in (f"*{address}*", f"{address}_ says", f"{address}--and so on"):
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
    for text in (
        address,
        f"[{address}]",
        f"from {address}.",
        f"at {address}, then",
        f"从{address}来",
    ):
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
        "224.0.0.251",
        "3fff::1",
    ],
)
def test_what_is_no_public_ip_address(text: str) -> None:
    """Addresses that are nobody's, versions, times and scopes stay."""
    assert found(text) == []


def test_which_addresses_are_public_is_ianas_word_and_no_pythons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Verdicts that differ between versions of Python 3.11 to 3.14 are the registry's."""
    for name in ("is_global", "is_private"):
        for kind in (ipaddress.IPv4Address, ipaddress.IPv6Address):
            monkeypatch.setattr(kind, name, property(_unasked))
    public = (
        "192.0.0.9 192.0.0.10 2001:1::1 2001:1::3 2001:3::1 2001:4:112::1 2001:20::1 2001:30::1"
    )
    nobodys = (
        "192.0.0.8 192.0.0.170 192.88.99.2 2001:1::4 2001:10::1 2001:1ff:: 2001:db8::1 3fff:fff::"
    )
    assert [one for one in public.split() if not is_public(one)] == []
    assert [one for one in nobodys.split() if is_public(one)] == []
    assert is_public("2002:102:304::1")  # 6to4 holds the IPv4 address of its user, and so does
    assert is_public("2001:0:102:304::1")  # Teredo


def _unasked(address: object) -> bool:
    raise AssertionError(address)


def test_ranges_are_special_up_to_their_ends() -> None:
    """First and last address of each range are in it, those beside it in another or in none."""
    for network in SPECIAL:
        first, last = network[0], network[-1]
        assert not is_public(str(first)) or network == ipaddress.ip_network("2001::/23")
        assert not is_public(str(last))
        for beside in (int(first) - 1, int(last) + 1):
            if 0 <= beside < 2**network.max_prefixlen:
                address = type(first)(beside)
                assert is_public(str(address)) != any(address in one for one in SPECIAL)
    assert all(
        any(one.subnet_of(other) for other in SPECIAL if one.version == other.version)
        for one in REACHABLE
    )  # type: ignore[arg-type]
    assert all(is_public(str(one[place])) for one in REACHABLE for place in (0, -1))


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
    for text in (number, f"call {number}, now", f"Tel.: {number}.", f"电话{number}。"):
        assert found(text) == [(number, "phone")]


@pytest.mark.parametrize("number", ["(212) 555-2368", "212-555-2368", "+1 212 555 2368"])
def test_a_figure_before_a_telephone_number_is_not_its_country(number: str) -> None:
    """The number of a room or a year that ends in 1 hides no telephone number."""
    assert found(f"Suite 101 {number}") == [(number, "phone")]


@pytest.mark.parametrize("local", ["212.555.2368", "8.8.8.8"])
def test_of_what_begins_together_the_longest_is_masked(local: str) -> None:
    """An address that begins like a number is masked as a whole."""
    assert found(f"{local}@example.org") == [(f"{local}@example.org", "email")]


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
    """Whatever the text, nothing is masked twice."""
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
