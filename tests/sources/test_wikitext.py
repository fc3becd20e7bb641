"""Wikitext: the text that the published cleaning made, found without a tree, in bounded time."""

import re
import time
from contextlib import suppress

import mwparserfromhell
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mwparserfromhell.parser import ParserError

from sources.formats import wikitext_tokens
from sources.formats.wikitext import CORRECTED, PUBLISHED, page_text
from sources.formats.wikitext_tokens import DEPTH, TangledError, is_tidy, tokenize

NOTE_LISTS = ("reflist", "notelist", "notelist-ua", "notelist-lr", "notelist-ur", "notelist-lg")

PIECES = st.sampled_from(
    [
        *(
            "[[File:a.png|thumb|",
            "[[image:b|",
            "[[a|",
            "[[Category:c",
            "]]",
            "[[a]]",
            "|",
            "=",
            "}}",
        ),
        *("{{reflist}}", "{{Notelist}}", "{{reflist|2}}", "{{a|b=", "{{a}}", "{{", "{{{1|x", "}}}"),
        *(
            "<ref>",
            "<ref name=a />",
            "</ref>",
            "<Ref>x</Ref>",
            "<table>",
            "</table>",
            "<td>",
            "<br>",
        ),
        *(
            "<div>",
            "</div>",
            "<math>x</math>",
            "<nowiki>",
            "</nowiki>",
            "<!-- c -->",
            "<b>",
            "</b>",
        ),
        *("{|", "\n|-\n", "\n| x || y", "\n! z", "\n|}", "\n{|\n|", "\n* ", "\n; a : b", "\n----"),
        *(
            "''",
            "'''",
            "'''''",
            "\n== h ==\n",
            "== h ==",
            "\n\n",
            "\n",
            " ",
            "x",
            "y.",
            "__NOTOC__",
        ),
        *(
            "http://a.b/c",
            "[http://a b]",
            "[http://a]",
            "&amp;",
            "&#65;",
            "&x;",
            "&",
            "<",
            ">",
            "[",
        ),
    ]
)
MARKUP = st.lists(PIECES, max_size=16).map("".join)


def searched(wikitext: str) -> str:
    """Return the text as the published code found it: in a tree, searched again and again."""
    sections = []
    for section in mwparserfromhell.parse(wikitext).get_sections(flat=True, include_lead=True):
        for found in (
            section.ifilter_wikilinks(
                matches=lambda link: re.match(
                    "(?:File|Image|Media):", str(link.title), re.IGNORECASE
                )
            ),
            section.ifilter_templates(matches=lambda one: one.name.lower() in NOTE_LISTS),
            section.ifilter_tags(matches=lambda tag: str(tag.tag) in {"ref", "table"}),
        ):
            for node in found:
                if section.contains(node):
                    section.remove(node)
        sections.append(section.strip_code().strip())
    return "\n\n".join(sections)


@settings(max_examples=500, deadline=None)
@given(MARKUP)
def test_the_text_is_what_a_search_of_the_tree_gives(wikitext: str) -> None:
    """All that the published code does, by intent or not, is done from the tokens alone."""
    try:
        expected = searched(wikitext)
    except ParserError:
        with pytest.raises(ParserError):
            page_text(wikitext, PUBLISHED)
    else:
        assert page_text(wikitext, PUBLISHED) == expected


@settings(max_examples=200, deadline=None)
@given(MARKUP)
def test_both_tokenizers_give_the_same_text(wikitext: str) -> None:
    """Tidiness decides the speed alone."""
    if is_tidy(wikitext):
        fast = page_text(wikitext, PUBLISHED)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wikitext_tokens, "CTokenizer", None)
            assert page_text(wikitext, PUBLISHED) == fast


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''A''' is ''[[b|c]]'', a [[d]].", "A is c, a d."),
        ("a<ref>b</ref> c<ref name=d /> e", "a c e"),
        ("{{Infobox|a=b}}\na\n\n\n\n\nb", "a\n\nb"),
        ("x {| class=y\n| a\n|}", "x {| class=y\n| a\n|}"),
        ("x\n{| class=y\n| a\n|}\ny", "x\n\ny"),
        ("[[File:a.png|thumb|The ''[[b]]'']]c", "c"),
        ("a <!-- b --> c <math>d</math> e", "a  c  e"),
        ("[http://a.b c] [http://d.e] http://f.g", "c  http://f.g"),
        ("&eacute; &#x41; &#xD800; &x;", "é A \ufffd &x;"),
        ("== A ==\n=== B ===\nb", "\n\nA\n\nB \nb"),
        ("* a\n# b\n; c : d", "a\n b\n c  d"),
        ("{{{1|a}}} {{{2}}}", "a"),
        ("a\n[[Category:B]]\n__NOTOC__", "a\nCategory:B\n__NOTOC__"),
        ("<graph>a</graph>", "a"),
    ],
)
def test_published_text(wikitext: str, text: str) -> None:
    """What stays of each kind of markup."""
    assert page_text(wikitext, PUBLISHED) == text


@pytest.mark.parametrize(
    ("wikitext", "published", "corrected"),
    [
        ("<div>a<ref>b</ref><ref>c</ref></div>", "ac", "a"),
        ("''[[File:a]][[File:b]][[File:c]]''", "File:b", ""),
        ("a<Ref>b</Ref>", "ab", "a"),
        ("a [[ file : b]]", "a  file : b", "a"),
        ("a\n[[Category:B]]\n[[:Category:C]]", "a\nCategory:B\n:Category:C", "a\n\n:Category:C"),
        (
            "==A==\n__NOTOC__\n__init__ __FILE__",
            "\n\nA\n__NOTOC__\n__init__ __FILE__",
            "A\n\n__init__ __FILE__",
        ),
    ],
)
def test_corrected_text(wikitext: str, published: str, corrected: str) -> None:
    """What the published code overlooks is removed, and no room left for nothing."""
    assert page_text(wikitext, PUBLISHED) == published
    assert page_text(wikitext, CORRECTED) == corrected


def test_markup_is_followed_as_deep_as_in_2020() -> None:
    """Forty cells that are never closed stay markup; later releases follow a hundred."""
    text = page_text("<td>''x''" * (DEPTH + 1), PUBLISHED)
    assert "<td>''x''" in text
    assert len(text) < len("<td>''x''") * (DEPTH + 1)
    assert "<td>" not in str(mwparserfromhell.parse("<td>''x''" * (DEPTH + 1)).strip_code())


@pytest.mark.parametrize(
    "piece",
    [
        *("{{a|", "[[a|", "{|\n|-\n| a\n", "<div ", "<div a='", "<b><i>", "[http://a ", "<!--"),
        *('<td a="', "<ref name=", "{{{a|{{b|[[c|", "<b>''</b>\n", "<nowiki>", "<tr>''</tr>\n:"),
    ],
)
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    """What would take the C tokenizer minutes or days is read or refused in a second."""
    wikitext = piece * (12_000 // len(piece))
    assert not is_tidy(wikitext)
    start = time.process_time()
    with suppress(TangledError):
        tokenize(wikitext)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("wikitext", "tidy"),
    [
        ("{{a|[[b|''c'']]}} <ref name=\"d\">e</ref> [http://f g]\n{|\n| h\n|}", True),
        ("'''''a'' b''' < c <nowiki>{{</nowiki> <!-- [[ --> <br>", True),
        ("{{a " * 9, False),
        ("<b>" * 20 + "</b>" * 20, False),
        ("<nowiki>", False),
        ("x" * (1 << 19), False),
    ],
)
def test_what_is_tidy(wikitext: str, tidy: bool) -> None:
    """A few mishaps are; many, deep nesting, and long pages are not."""
    assert is_tidy(wikitext) is tidy
