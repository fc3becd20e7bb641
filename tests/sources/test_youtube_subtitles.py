"""YoutubeSubtitles: from tracks to a video's captions, minute by minute."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sources import youtube_subtitles
from sources.formats.captions import captions_memory
from sources.formats.language_names import language_name
from sources.source import Document, Json, RawFile, Rejected, UnreadableFile
from sources.youtube_subtitles import SOURCE, read_together, video_of

EXAMPLES = Path(__file__).parents[2] / "examples/raw/youtube_subtitles"


def outcomes(paths: Mapping[str, Path], fidelity: str = "published") -> list[Document | Rejected]:
    """Read files of these names together."""
    files = [(path, RawFile("", name)) for name, path in paths.items()]
    return list(read_together(files, {"fidelity": fidelity}))


def track(code: str, *cues: tuple[str, float], generated: bool = False) -> dict[str, Json]:
    """Return a track of cues that last a second each, from text and start."""
    return {
        "language_code": code,
        "is_generated": generated,
        "transcript": [{"text": text, "start": start, "duration": 1.0} for text, start in cues],
    }


def text(folder: Path, tracks: Sequence[Json], fidelity: str = "published") -> str | None:
    """Return what the document of a video of these tracks says, or None."""
    path = folder / "video.json"
    path.write_text(json.dumps(tracks), encoding="utf-8")
    documents = [o for o in outcomes({path.name: path}, fidelity) if isinstance(o, Document)]
    return documents[0].text if documents else None


def test_a_video_is_said_minute_by_minute() -> None:
    """In each of its languages, by name."""
    name = "prismlens001.json"
    generated, video = outcomes({name: EXAMPLES / name})
    assert isinstance(generated, Rejected)
    assert generated.reason == "generated"
    assert video == Document(
        id="youtube_subtitles/prismlens001",
        text=(
            "\nEnglish: \nA lighthouse lens\nis a stack of prisms.\nEach bends the light a little.\n"
            "\nSpanish: \nLa lente de un faro\nes una pila de prismas.\n"
            "\nEnglish: \n[bell]\n\nSpanish: \n[campana]\n"
        ),
        origin="prismlens001.json:2",
        licence=youtube_subtitles.LICENCE,
        meta={"languages": ["en", "es-419"]},
    )


def test_every_example_has_an_outcome() -> None:
    """Captions give documents; other files, and what is malformed or machine-made, do not."""
    found = [
        (path.name, [getattr(o, "reason", "") for o in outcomes({path.name: path}, "corrected")])
        for path in sorted(EXAMPLES.iterdir())
    ]
    assert found == [
        ("links.csv", ["not_captions"]),
        ("prismlens001.json", ["generated", ""]),
        ("stairs000199.en.vtt", [""]),
        ("stairs000200.en.srt", [""]),
        ("stairs000201.en.vtt", ["generated"]),
        ("stairs000202.en.srt", ["malformed"]),
    ]


def test_files_of_a_video_make_one_document(tmp_path: Path) -> None:
    """Whatever their formats; the name tells video and language."""
    contents = {
        "a/v_1.de.srt": "1\n00:00:01,000 --> 00:00:02,000\nEins.\n",
        "a/v_1.en-GB.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n",
        "a/v_1.fr.json": '[{"text": "Un.", "start": 1.0, "duration": 1.0}]',
        "a/v_1.txt": "",
    }
    paths = {name: tmp_path / name.replace("/", "_") for name in contents}
    for name, content in contents.items():
        paths[name].write_text(content, encoding="utf-8")
    assert {video_of(RawFile("", name), {}) for name in contents} == {"a/v_1", "a/v_1.txt:"}
    assert video_of(RawFile("", "a/v_1.json.gz"), {}) == "a/v_1"
    other, video = outcomes(paths)
    assert isinstance(other, Rejected)
    assert other.reason == "not_captions"
    assert isinstance(video, Document)
    assert (video.id, video.origin) == ("youtube_subtitles/a/v_1", "a/v_1.de.srt:3")
    assert video.text == "\nGerman: \nEins.\n\nEnglish: \nOne.\n\nFrench: \nUn.\n"


@pytest.mark.parametrize(
    ("tracks", "published", "corrected"),
    [
        ([track("en", ("a", 0), ("b", 1))], "a\nb\n", "a\nb\n"),
        ([track("en", ("a", 0)), track("en", ("b", 0))], "\nEnglish: \nb\n", "a\n"),
        ([track("en", ("a", 0)), track("fr")], "\nEnglish: \na\n", "a\n"),
        ([track("en", ("a", 0)), track("fr", ("x", 0), generated=True)], "a\n", "a\n"),
        (
            [track("en", ("a", 0)), track("fr", ("c", 70), ("b", 0))],
            "\nEnglish: \na\n\nFrench: \nb\n\nFrench: \nc\n",
            "\nEnglish: \na\n\nFrench: \nb\n\nFrench: \nc\n",
        ),
        (
            [track("en", *((f"{minute}", minute * 60) for minute in (0, 9, 33, 2, 64, 1)))],
            "0\n64\n2\n33\n1\n9\n",
            "0\n1\n2\n9\n33\n64\n",
        ),
        ([track("en", ("a", 0), generated=True)], "", None),
        ([track("en")], "", None),
        ([], None, None),
    ],
)
def test_tracks(
    tmp_path: Path, tracks: Sequence[Json], published: str, corrected: str | None
) -> None:
    """The last of a language counts, corrected the first; minutes may be out of order."""
    assert text(tmp_path, tracks) == published
    assert text(tmp_path, tracks, "corrected") == corrected


def test_tracks_that_do_not_count_are_rejected(tmp_path: Path) -> None:
    """Each once, with its reason."""
    path = tmp_path / "v.json"
    tracks = [
        track("en", ("a", 0)),
        track("en", ("b", 0)),
        track("fr"),
        track("de", generated=True),
    ]
    path.write_text(json.dumps(tracks), encoding="utf-8")
    for fidelity, expected in (
        ("published", ["repeated_language", "generated", ""]),
        ("corrected", ["repeated_language", "no_cues", "generated", ""]),
    ):
        found = outcomes({"v.json": path}, fidelity)
        assert [getattr(item, "reason", "") for item in found] == expected


@pytest.mark.parametrize("content", [b"\xff", b"{", b"[" * 100_000, b'"a"', b"9" * 9999])
def test_json_of_another_form_is_rejected(tmp_path: Path, content: bytes) -> None:
    """However broken."""
    path = tmp_path / "v.json"
    path.write_bytes(content)
    (only,) = outcomes({"v.json": path})
    assert isinstance(only, Rejected)
    assert only.reason == "malformed"


def test_a_monster_is_rejected_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of it than the limit."""
    monkeypatch.setattr(youtube_subtitles, "LONGEST", 10)
    path = tmp_path / "v.json"
    path.write_bytes(b" " * 11)
    (only,) = outcomes({"v.json": path})
    assert isinstance(only, Rejected)
    assert only.reason == "too_large"


def test_a_cut_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    """Its track is missing; a video without another is refused."""
    cut = tmp_path / "v.en.vtt.gz"
    cut.write_bytes(b"\x1f\x8b\x08\x00")
    found = outcomes({"v.en.vtt.gz": cut, "v.fr.vtt": EXAMPLES / "stairs000199.en.vtt"})
    assert [getattr(item, "reason", "") for item in found] == ["unreadable_file", ""]
    with pytest.raises(UnreadableFile):
        outcomes({"v.en.vtt.gz": cut})


def test_nothing_is_downloaded() -> None:
    """The user brings captions, or takes an open substitute."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    assert list(SOURCE.plan(SOURCE.defaults, get)) == []
    assert "common-pile/youtube" in SOURCE.manual


def test_an_unknown_fidelity_is_refused(tmp_path: Path) -> None:
    """The message names the two there are."""
    with pytest.raises(ValueError, match="published, corrected"):
        text(tmp_path, [], "faithful")


@pytest.mark.real
def test_documents_equal_the_original_readers(golden: Path, tmp_path: Path) -> None:
    """All 13 are equal; the two with languages in another order, from tracks in that order."""
    equal = 0
    with (golden / "youtube_subtitles.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            path = golden / entry["file"].removeprefix("golden:")
            tracks = json.loads(path.read_text(encoding="utf-8"))
            order = -1 if "reversed" in entry["record"] else 1
            assert text(tmp_path, tracks[::order]) == entry["text"]
            equal += 1
    assert equal == 13


@pytest.mark.real
def test_captions_files_equal_the_transcripts(samples: Path, golden: Path) -> None:
    """Real WebVTT and SubRip give the documents that their transcripts give."""
    compared = 0
    for path in sorted((golden / "youtube_items").glob("*.json")):
        tracks = json.loads(path.read_text(encoding="utf-8"))
        stored = tracks[0].get("origin", "") if isinstance(tracks, list) else ""
        if len(tracks) != 1 or not stored.endswith((".vtt", ".srt")):
            continue
        *_, transcript = outcomes({"v.json": path})
        *_, captions = outcomes({f"v.en{stored[-4:]}": samples / stored})
        assert isinstance(transcript, Document)
        assert isinstance(captions, Document)
        assert transcript.text == captions.text
        compared += 1
    assert compared == 5


@pytest.mark.real
def test_names_equal_those_of_the_library(golden: Path) -> None:
    """All 183 that the published reader was asked for."""
    stored = golden / "youtube_items" / "language_names_pycountry_20.7.3.json"
    names = json.loads(stored.read_text(encoding="utf-8"))
    assert {code: language_name(code) for code in names} == names
    assert len(names) == 183


def test_a_video_takes_no_more_tracks_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that would be too much is rejected, and a smaller one after it is read."""
    cue = "00:00:01.000 --> 00:00:02.000\nahoy\n\n"
    sizes = {"v.de.srt": 10, "v.en.srt": 20, "v.fr.srt": 1}
    raw_files = []
    for name, cues in sizes.items():
        (tmp_path / name).write_text(cue * cues, encoding="utf-8")
        raw_files.append((tmp_path / name, RawFile("", name)))
    monkeypatch.setattr(youtube_subtitles, "MOST", captions_memory(cue.encode() * 20))
    full, document = youtube_subtitles.read_together(raw_files, SOURCE.defaults)
    assert full == Rejected("v.en.srt", "video_full", "v.en.srt")
    assert isinstance(document, Document)
    assert document.meta == {"languages": ["de", "fr"]}
