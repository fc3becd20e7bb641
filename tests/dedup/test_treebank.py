"""Words in the manner of the Penn Treebank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.treebank import ends_sentence, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good muffins cost $3.88 in York.", "Good muffins cost $ 3.88 in York ."),
        ("Yes, at 10:30, for 1,000 people:", "Yes , at 10:30 , for 1,000 people :"),
        ("It's hers; they'll say we don't.", "It 's hers ; they 'll say we do n't ."),
        ("the dogs' bowls", "the dogs ' bowls"),
        (
            "I cannot, so gimme a plan: I'm gonna go",
            "I can not , so gim me a plan : I 'm gon na go",
        ),
        ("'Tis d'ye more'n wanna go", "'T is d 'ye more ' n wan na go"),
        ("rock 'n roll", "rock ' n roll"),
        ("(see [1] and {2}) <b>", "( see [ 1 ] and { 2 } ) < b >"),
        (
            "Wait... what?! No--never & 5% @home #1 *",
            "Wait ... what ? ! No -- never & 5 % @ home # 1 *",
        ),
        ("", ""),
    ],
)
def test_marks_become_words(text, expected):
    """Punctuation, brackets and clitics are words of their own; numbers stay whole."""
    assert " ".join(words(text)) == expected


def test_double_quotes_are_told_apart():
    """A double quote becomes `` where it opens and '' where it closes; curly quotes stay."""
    spelt = " ".join(words('"Go," he said. "Now" (or "never")'))
    assert spelt == "`` Go , '' he said . `` Now '' ( or `` never '' )"
    assert words("\u201cGo\u201d \u2018now\u2019") == [
        "\u201c",
        "Go",
        "\u201d",
        "\u2018",
        "now",
        "\u2019",
    ]


def test_full_stop_is_split_at_sentence_ends_alone():
    """A full stop stays with an abbreviation, an initial, a dotted name and a list number."""
    text = "Mr. J. Smith of the U.S. Navy left. He came back in 1999. See 3. below etc. and so on."
    assert " ".join(words(text)) == (
        "Mr. J. Smith of the U.S. Navy left . He came back in 1999 . See 3. below etc . and so on ."
    )


def test_sentence_may_end_within_a_run():
    """A full stop before more than closing marks ends a sentence too, unless a later one does."""
    assert words("the end.[1] Next") == ["the", "end", ".", "[", "1", "]", "Next"]
    assert words("(Lee et al.). Next") == ["(", "Lee", "et", "al.", ")", ".", "Next"]


def test_clitic_before_a_line_break_stays():
    """Only a space parts a clitic, as in NLTK 3.5; within a sentence a line break does not."""
    assert words("it's\nhere") == ["it's", "here"]
    assert words("it's here") == ["it", "'s", "here"]


@pytest.mark.parametrize(
    ("field", "following", "expected"),
    [
        ("end.", "Next", True),
        ('end.")', "Next", True),
        ("end.\u201d", "Next", False),  # the model does not look behind curly quotes
        ("why?", "next", True),
        ("Mr.", "Smith", False),
        ("Inc.", "The", True),
        ("(b.", "next", False),
        ("12.", "next", False),
        ("12.", "Next", True),
        ("wait...", "Next", False),
        ("end", "Next", False),
    ],
)
def test_ends_sentence(field, following, expected):
    """The marks at the end and the next word decide whether a sentence ends."""
    assert ends_sentence(field, following) is expected


@given(st.text(alphabet="aA1 .,:'\"`?!()[]-*@\n\t\u2019\u201d\u201cé", max_size=60))
def test_nothing_is_lost(text):
    """Words hold every character of the text, in order; only double quotes are rewritten."""
    spelt = "".join(words(text))
    for quote in ("``", "''", '"', "`", "'"):
        spelt, text = spelt.replace(quote, ""), text.replace(quote, "")
    assert spelt == "".join(text.split())


@pytest.mark.parametrize("run", [".(", "a.)", "'", '"', "``", "a.'", ":,", "cannot"])
def test_long_runs_are_split(run):
    """Runs of marks without a blank, however long, give words."""
    assert len(words(run * 20_000)) >= 1
