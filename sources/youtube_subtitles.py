r"""YoutubeSubtitles: captions that people wrote for videos, of all languages minute by minute.

Raw formats, per video (named by its id, in any folder, also compressed):

* ``VIDEO.json``: all its tracks, a list of objects with ``language_code``, ``is_generated`` and
  ``transcript``, a list of ``text``, ``start`` and ``duration`` in seconds, as the library
  youtube-transcript-api gives them;
* ``VIDEO.LANGUAGE.vtt``, ``.srt`` or ``.json`` (a transcript alone): a track each, as downloaders
  name them. Times within a text tell machine-made captions.

Published extraction: machine-made tracks are skipped. Every cue goes to the minute in which it ends.
Minute by minute, each language that has it gives its cues, a line each, no matter how
many lines a cue has. If there is more than one track, the name of the language stands before them:
a line end, ``Spanish: `` (with a space), a line end. Names are pycountry 20.7.3's, of codes it does
not have (``iw``) the code.

Traps: of two tracks in one language the later takes the place of the earlier. The order of languages
in a minute was drawn anew in each run; here it is that of the tracks, by file. Minutes without
cues in between come in the order of CPython's sets: 0, 64, 2, 33, 1, 9. A video with nothing but
machine-made captions is an empty document.

``fidelity = "corrected"`` takes minutes in their order, the first track of a language, names a language
only beside another, and gives a video without human captions no document.

Known differences: of codes with three letters only some have names (`sources.formats.language_names`).

A video's files are read together. A document's place is the name of its first file with a track and,
behind a colon, how many tracks it is made of. The id is ``youtube_subtitles/VIDEO``, with the folder.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.archives import open_stream
from sources.formats.captions import Track, captions_memory, from_json, from_text
from sources.formats.language_names import language_name
from sources.formats.packed import uncompressed_name
from sources.formats.parse_memory import MOST, json_memory
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Grouping,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
    nothing_to_download,
)

LICENCE = "uploaders' copyright, or CC-BY-3.0 where they say so; YouTube's terms of service"
MANUAL = (
    "Bring captions of videos whose licence lets you: VIDEO.LANGUAGE.vtt or .srt files, or"
    " VIDEO.json with all tracks of a video, as sources/youtube_subtitles.py describes them, and"
    " name them in this source's table (files = [...]). YouTube's terms forbid to collect them by machine."
    " Open substitutes are common-pile/youtube (transcripts of CC-BY channels) and YouTube-Commons."
)
LONGEST = 16 << 20
"""Bytes of one file; the longest honest ones have 10 MiB."""
UNKNOWN = "und"
"""Code of the language of a track whose file does not tell it."""

_NAME = re.compile(
    r"(?P<video>.+?)(?:\.(?P<language>[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*))?\.(?P<kind>json|vtt|srt)"
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A track, and the name of the file it was in."""

    origin: str
    track: Track


@dataclass(frozen=True, slots=True)
class Reading:
    """Which tracks count, whether languages are named, and how minutes are ordered.

    ``keeps_empty`` is whether a video without tracks that count is a document.
    """

    choose: Callable[[Sequence[Placed]], Sequence[Placed]]
    is_headed: Callable[[Sequence[Placed], Sequence[Placed]], bool]
    order: Callable[[Iterable[int]], Iterable[int]]
    keeps_empty: bool


def video_of(raw: RawFile, options: Options) -> str:
    """Return the video that a file belongs to; a file of another kind belongs to none but itself."""
    del options
    match = _NAME.fullmatch(uncompressed_name(raw.name))
    return match["video"] if match else f"{raw.name}:"


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield the document that one file gives by itself, and rejections; see the module."""
    yield from read_together([(path, raw)], options)


def read_together(
    raw_files: Sequence[tuple[Path, RawFile]], options: Options
) -> Iterator[Document | Rejected]:
    """Yield rejections for the tracks of a video that do not count, then the video's document.

    Raises `UnreadableFile` if none of its files can be read.
    """
    reading = by_fidelity(options, FIDELITIES)
    tracks: list[Placed] = []
    errors, room = 0, MOST
    for path, raw in raw_files:
        try:
            found, memory = _tracks(path, raw, room)
            tracks += [Placed(raw.name, track) for track in found]
            room -= memory
        except UnreadableFile as error:
            errors += 1
            if errors == len(raw_files):
                raise
            yield Rejected(raw.name, "unreadable_file", excerpt(str(error)))
        except _Unusable as unusable:
            yield Rejected(raw.name, unusable.reason, excerpt(unusable.shown))
    if tracks:
        yield from _outcomes(video_of(raw_files[0][1], options), tracks, reading)


class _Unusable(Exception):  # noqa: N818 - says what the file is
    """A file without tracks: the reason, and what to show of it."""

    def __init__(self, reason: str, shown: str) -> None:
        super().__init__(reason, shown)
        self.reason = reason
        self.shown = shown


def _tracks(path: Path, raw: RawFile, room: int) -> tuple[tuple[Track, ...], int]:
    """Return a file's tracks and an upper bound of the memory that they take; at most ``room``.

    Raises `UnreadableFile` and `_Unusable`.
    """
    match = _NAME.fullmatch(uncompressed_name(raw.name))
    if match is None:
        raise _Unusable("not_captions", raw.name)
    with open_stream(path) as stream:
        content = stream.read(LONGEST + 1)
    parsed = json_memory if match["kind"] == "json" else captions_memory
    if len(content) > LONGEST or (memory := parsed(content)) > MOST:
        raise _Unusable("too_large", raw.name)
    if memory > room:
        raise _Unusable("video_full", raw.name)
    language = match["language"] or UNKNOWN
    try:
        if match["kind"] == "json":
            return from_json(json.loads(content.decode("utf-8")), language), memory
        return (from_text(content.decode("utf-8"), language),), memory
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, no captions
        raise _Unusable("malformed", str(error)) from error


def _outcomes(
    video: str, tracks: Sequence[Placed], reading: Reading
) -> Iterator[Document | Rejected]:
    human = [placed for placed in tracks if not placed.track.generated]
    chosen = reading.choose(human)
    counted = {id(placed) for placed in chosen}
    for placed in tracks:
        if id(placed) not in counted:
            yield Rejected(placed.origin, _reason(placed.track), excerpt(_shown(placed.track)))
    if not (chosen or reading.keeps_empty):
        return
    first = next((placed for placed in tracks if id(placed) in counted), tracks[0])
    yield Document(
        id=f"youtube_subtitles/{video}",
        text=_text(chosen, reading.is_headed(human, chosen), reading.order),
        origin=f"{first.origin}:{len(chosen)}",
        licence=LICENCE,
        meta={"languages": [placed.track.language for placed in chosen]},
    )


def _reason(track: Track) -> str:
    """Return why a track that was not chosen was not."""
    if track.generated:
        return "generated"
    return "repeated_language" if track.cues else "no_cues"


def _shown(track: Track) -> str:
    return f"{track.language}: {track.cues[0].text if track.cues else ''}"


def _text(
    tracks: Sequence[Placed], headed: bool, order: Callable[[Iterable[int]], Iterable[int]]
) -> str:
    """Return what is said, minute by minute, in each language."""
    minutes: list[dict[int, list[str]]] = []
    for placed in tracks:
        heading = [f"\n{language_name(placed.track.language)}: \n"] if headed else []
        said: dict[int, list[str]] = {}
        for cue in placed.track.cues:
            said.setdefault(cue.minute(), heading.copy()).append(f"{cue.text}\n")
        minutes.append(said)
    ordered = order(minute for said in minutes for minute in said)
    return "".join(text for minute in ordered for said in minutes for text in said.get(minute, ()))


def _last_of_each(tracks: Sequence[Placed]) -> Sequence[Placed]:
    """Return the last track of each language, in the place of its first."""
    return list({placed.track.language: placed for placed in tracks}.values())


def _first_of_each(tracks: Sequence[Placed]) -> Sequence[Placed]:
    """Return the first track of each language that has cues."""
    found: dict[str, Placed] = {}
    for placed in tracks:
        if placed.track.cues:
            found.setdefault(placed.track.language, placed)
    return list(found.values())


def _among_tracks(tracks: Sequence[Placed], chosen: Sequence[Placed]) -> bool:
    del chosen
    return len(tracks) > 1


def _among_chosen(tracks: Sequence[Placed], chosen: Sequence[Placed]) -> bool:
    del tracks
    return len(chosen) > 1


def _distinct(minutes: Iterable[int]) -> Iterable[int]:
    """Return each minute once, as CPython's sets order numbers; it depends on nothing else."""
    return set(minutes)


def _ascending(minutes: Iterable[int]) -> Iterable[int]:
    return sorted(set(minutes))


FIDELITIES = {
    "published": Reading(_last_of_each, _among_tracks, _distinct, keeps_empty=True),
    "corrected": Reading(_first_of_each, _among_chosen, _ascending, keeps_empty=False),
}


SOURCE = Source(
    name="youtube_subtitles",
    pile_set_name=PILE_SET_NAMES["youtube_subtitles"],
    licence=LICENCE,
    access="local",
    version=1,
    read=read,
    plan=nothing_to_download,
    reasons={
        "unreadable_file": "a file that is cut or damaged",
        "not_captions": "a file whose name ends neither in .json nor in .vtt or .srt",
        "too_large": f"more than {LONGEST >> 20} MiB, or of more values than memory holds",
        "video_full": "a file of a video whose other tracks fill what memory there is for one",
        "malformed": "no UTF-8, no JSON of that form, no cues, or a cue out of all time",
        "generated": "a track that a machine heard",
        "repeated_language": "a track whose language another track of the video has",
        "no_cues": "a track without cues (`corrected` alone)",
    },
    defaults={"fidelity": "published"},
    homepage="https://github.com/sdtblck/youtube_subtitle_dataset",
    manual=MANUAL,
    grouping=Grouping(key=video_of, read=read_together),
)
