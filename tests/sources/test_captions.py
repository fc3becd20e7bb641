"""Captions: cues of WebVTT, SubRip and JSON."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.captions import Cue, MalformedError, Track, from_json, from_text
from sources.formats.language_names import LANGUAGE_NAMES, language_name
from sources.source import Json

VTT = """WEBVTT
Kind: captions

STYLE
::cue { color: white }

first
00:01.000 --> 00:02.500 align:start
&gt;&gt; One <b>bell</b>
at noon

01:00:00.000 --> 01:00:01.000
Two
01:00:01.000 --> 01:00:01.001
Three
"""


def test_cues_of_webvtt() -> None:
    """They end at an empty line or the next; all else is left alone."""
    assert from_text(VTT, "en") == Track(
        "en",
        generated=False,
        cues=(
            Cue(">> One bell\nat noon", 1.0, 1.5),
            Cue("Two", 3600.0, 1.0),
            Cue("Three", 3601.0, 0.001),
        ),
    )


def test_cues_of_subrip() -> None:
    """With commas, any line ends, and blanks kept at the ends of lines."""
    srt = "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\none \r\n\r\n2\r00:00:03,500 --> 00:00:04,000\rtwo"
    assert from_text(srt, "en").cues == (Cue("one ", 1.0, 1.0), Cue("two", 3.5, 0.5))


def test_times_of_words_tell_a_machine() -> None:
    """Downloaded captions of that kind have them; their cues are read all the same."""
    track = from_text("00:00:01.000 --> 00:00:02.000\na<00:00:01.500><c> bell</c>", "en")
    assert track == Track("en", generated=True, cues=(Cue("a bell", 1.0, 1.0),))


@pytest.mark.parametrize(
    "text",
    ["", "WEBVTT\n\n", "00:00:01,000 -> 00:00:02,000\na\n", "00:02.000 --> 00:01.000\na\n"],
)
def test_what_is_no_captions(text: str) -> None:
    """No cue, or one that ends before it begins."""
    with pytest.raises(MalformedError):
        from_text(text, "en")


@pytest.mark.parametrize(
    ("start", "duration", "minute"), [(58.0, 1.999, 0), (58.0, 2.0, 1), (0.0, 0.0, 0), (541, 1, 9)]
)
def test_a_cue_counts_for_the_minute_it_ends_in(start: float, duration: float, minute: int) -> None:
    """Counted from 0."""
    assert Cue("a", start, duration).minute() == minute


def test_tracks_of_json() -> None:
    """All of a video's, or the cues of one whose language is known otherwise."""
    cues: list[Json] = [
        {"text": "a", "start": 1, "duration": 0.5},
        {"text": "", "start": 2, "duration": 1},
    ]
    read = (Cue("a", 1.0, 0.5),)
    tracks: list[Json] = [
        {"language_code": "fr", "is_generated": True, "transcript": cues},
        {"language_code": "en", "transcript": []},
    ]
    assert from_json(tracks, "und") == (Track("fr", True, read), Track("en", False, ()))
    assert from_json(cues, "de") == (Track("de", False, read),)


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"text": "a"},
        ["a"],
        [{"transcript": []}],
        [{"language_code": "en", "transcript": None}],
        [{"language_code": "en", "transcript": ["a"]}],
        [{"text": "a", "start": 1}],
        [{"text": 1, "start": 1, "duration": 1}],
        [{"text": "a", "start": -1, "duration": 1}],
        [{"text": "a", "start": float("nan"), "duration": 1}],
        [{"text": "a", "start": 1e300, "duration": 1}],
        [{"text": "a", "start": 9e6, "duration": 9e6}],
    ],
)
def test_json_of_another_form(content: Json) -> None:
    """It is refused, also for times out of all time."""
    with pytest.raises(MalformedError):
        from_json(content, "en")


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="<>&;a \n", max_size=60))
def test_no_tag_is_left(text: str) -> None:
    """Whatever stands between angle brackets goes, and never more than one cue comes of one."""
    try:
        track = from_text(f"00:00:01.000 --> 00:00:02.000\nx{text}", "en")
    except MalformedError:
        pytest.fail("a cue with a text is one")
    (cue,) = track.cues
    assert cue.text.startswith("x")
    assert "<" not in cue.text or ">" not in cue.text[cue.text.index("<") :]


def test_tags_that_never_end_take_no_time() -> None:
    """A megabyte of them is read at once."""
    brackets = "<" * (1 << 20)
    assert from_text(f"00:01.000 --> 00:02.000\n{brackets}", "en").cues[0].text == brackets


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("en", "English"),
        ("EN", "English"),
        ("en-GB", "English"),
        ("el", "Modern Greek (1453-)"),
        ("zh-Hant-TW", "Chinese"),
        ("hak", "Hakka Chinese"),
        ("hak-TW", "hak-TW"),
        ("iw", "iw"),
        ("", ""),
    ],
)
def test_names_of_languages(code: str, name: str) -> None:
    """A region is left out behind two letters; what has no name keeps its code."""
    assert language_name(code) == name


def test_all_two_letter_codes_have_names() -> None:
    """ISO 639-1 had 184 in 2020."""
    assert sum(len(code) == 2 for code in LANGUAGE_NAMES) == 184
