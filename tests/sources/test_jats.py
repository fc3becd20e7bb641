"""What a JATS article says of itself."""

import pytest

from sources.formats import creative_commons
from sources.formats.jats import Front, front

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def article(meta: str, rest: str = "<body/>") -> bytes:
    """Build an article with this front matter."""
    return f"<article {XLINK}><front><article-meta>{meta}</article-meta></front>{rest}</article>".encode()


@pytest.mark.parametrize(
    ("statement", "identifier"),
    [
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/legalcode", "CC-BY-NC-ND-3.0"),
        ("See CreativeCommons.org/Licenses/BY-SA/2.5.", "CC-BY-SA-2.5"),
        ("http://creativecommons.org/licences/by-nc/2.0", "CC-BY-NC-2.0"),
        ("https://creativecommons.org/licenses/by/3.0/igo/", "CC-BY-3.0-IGO"),
        ("http://creativecommons.org/licenses/by/", "CC-BY"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"),
        ("under the Creative Commons\n Attribution License, which permits", "CC-BY"),
        ("under the Creative Commons CC0 public domain dedication", "CC0-1.0"),
        ("the Creative Commons Attribution Non-Commercial License", None),
        ("© 2020 A Publisher. All rights reserved.", None),
        ("", None),
    ],
)
def test_creative_commons_licences_have_identifiers(statement: str, identifier: str | None) -> None:
    """Addresses are read first, two set phrases after them."""
    assert creative_commons.identifier(statement) == identifier


def test_an_address_counts_more_than_words() -> None:
    """The words often leave out what the address says."""
    statement = (
        "Creative Commons Attribution License http://creativecommons.org/licenses/by-nd/4.0/"
    )
    assert creative_commons.identifier(statement) == "CC-BY-ND-4.0"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ('<article-id pub-id-type="pmc">123</article-id>', {"pmcid": "PMC123"}),
        ('<article-id pub-id-type="pmcid">PMC123</article-id>', {"pmcid": "PMC123"}),
        ('<article-id pub-id-type="pmc">pmc7/../x</article-id>', {}),
        (
            (
                '<article-id pub-id-type="pmid"> 7 </article-id>'
                '<article-id pub-id-type="doi">10.1/x</article-id>'
                '<article-id pub-id-type="publisher-id">p</article-id><article-id/>'
            ),
            {"pmid": "7", "doi": "10.1/x"},
        ),
        (f'<article-id pub-id-type="doi">{"x" * 1000}</article-id>', {}),
    ],
)
def test_ids_are_read(ids: str, expected: dict[str, str]) -> None:
    """PMCIDs get their prefix; what is no id is left out."""
    assert front(article(ids)).ids == expected


@pytest.mark.parametrize(
    "permissions",
    [
        '<permissions><license xlink:href="http://creativecommons.org/licenses/by/4.0"/></permissions>',
        (
            "<permissions><license><license-p>See <ext-link"
            ' xlink:href="http://creativecommons.org/licenses/by/4.0">here</ext-link>.</license-p>'
            "</license></permissions>"
        ),
        (
            '<permissions><ali:license_ref xmlns:ali="http://www.niso.org/schemas/ali/1.0/">'
            "http://creativecommons.org/licenses/by/4.0</ali:license_ref></permissions>"
        ),
        "<copyright-statement>http://creativecommons.org/licenses/by/4.0</copyright-statement>",
    ],
)
def test_the_licence_is_found_wherever_it_is_stated(permissions: str) -> None:
    """Generations of tag sets put it in different places."""
    assert front(article(permissions)).licence == "CC-BY-4.0"


def test_the_licence_of_a_figure_is_not_the_articles() -> None:
    """Only the front matter counts."""
    figure = '<body><fig><permissions><license xlink:href="http://creativecommons.org/licenses/by/4.0"/></permissions></fig></body>'
    assert front(article("", figure)).licence is None


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (b"", Front("")),
        (b"\x00\x01\x02", Front("")),
        (b"a,b,c\n", Front("")),
        (b"<html><body/></html>", Front("html")),
        (b"<article><body><p>x</p>", Front("article")),
        (
            (
                b'<article><front><article-meta><article-id pub-id-type="pmid">7</article-id>'
                b"</article-meta></front><body><p>not closed"
            ),
            Front("article", {"pmid": "7"}),
        ),
    ],
)
def test_what_is_broken_is_passed_over(xml: bytes, expected: Front) -> None:
    """Whether an article can be converted is not decided here."""
    assert front(xml) == expected


def test_entities_are_not_expanded() -> None:
    """Neither a file of the system nor a bomb becomes an id."""
    doctype = '<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    xml = doctype.encode() + article('<article-id pub-id-type="doi">&x;</article-id>')
    assert front(xml).ids == {}
