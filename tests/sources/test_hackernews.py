"""HackerNews: from items to stories with chains of comments."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sources import hackernews
from sources.formats import hn_threads
from sources.hackernews import API, SOURCE, one_group, read_together
from sources.source import Document, Json, RawFile, Rejected, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples/raw/hackernews"
BULK = EXAMPLES / "items-0001.jsonl.gz"


def outcomes(*paths: Path, fidelity: str = "published") -> list[Document | Rejected]:
    """Read files together as the source does."""
    files = [(path, RawFile("", path.name)) for path in paths]
    return list(read_together(files, {"fidelity": fidelity}))


def read_items(
    folder: Path, items: Sequence[Mapping[str, Json] | None], fidelity: str = "published"
) -> list[Document | Rejected]:
    """Write items, one a line, and read them."""
    path = folder / "items.jsonl"
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items), encoding="utf-8")
    return outcomes(path, fidelity=fidelity)


def story(**fields: Json) -> dict[str, Json]:
    """Return the story number 1, titled T, by a, with one comment, 2."""
    item: dict[str, Json] = {"id": 1, "type": "story", "title": "T", "by": "a", "kids": [2]}
    return {**item, "score": 1, "descendants": 1, **fields}


def comment(number: int, *kids: int, **fields: Json) -> dict[str, Json]:
    """Return a comment that says its number."""
    item: dict[str, Json] = {"id": number, "type": "comment", "by": "b", "text": f"{number}"}
    return {**item, "kids": list(kids), **fields}


def outcome(
    folder: Path, items: Sequence[Mapping[str, Json] | None], fidelity: str = "published"
) -> str:
    """Return the text, or else the reason, of the one story among some items."""
    (only,) = read_items(folder, items, fidelity)
    return only.text if isinstance(only, Document) else only.reason


def test_every_item_but_comments_has_an_outcome() -> None:
    """What is no item comes first, then stories by id."""
    assert [
        (item.id if isinstance(item, Document) else item.reason, item.origin)
        for item in outcomes(BULK)
    ] == [
        ("no_item", "items-0001.jsonl.gz:6"),
        ("malformed_json", "items-0001.jsonl.gz:10"),
        ("not_an_item", "items-0001.jsonl.gz:11"),
        ("repeated_item", "items-0001.jsonl.gz:22"),
        ("hackernews/101", "items-0001.jsonl.gz:1"),
        ("hackernews/110", "items-0001.jsonl.gz:9"),
        ("not_a_story", "items-0001.jsonl.gz:13"),
        ("dead", "items-0001.jsonl.gz:14"),
        ("incomplete", "items-0001.jsonl.gz:15"),
        ("low_score", "items-0001.jsonl.gz:16"),
        ("no_comments", "items-0001.jsonl.gz:17"),
        ("missing_comment", "items-0001.jsonl.gz:18"),
        ("incomplete_comment", "items-0001.jsonl.gz:20"),
    ]


def test_a_story_is_its_header_and_chains() -> None:
    """Each goes on with the answer that has the most answers; links break at hyphens."""
    found = next(item for item in outcomes(BULK) if isinstance(item, Document))
    assert found == Document(
        id="hackernews/101",
        text="""
A lamp that counts ships - mira
http://lamp.example/counting-ships
======
keeper
> counts ships

How does it tell a ship from a ferry's reflection? See
[http://lamp.example/a-long-list-of-well-kno...](http://lamp.example/a-long-
list-of-well-known-reflections-by-season)

------
gull
It counts gulls too.

Ours reported _four hundred_ ships on a quiet Sunday, and the harbour master
wrote a letter about it to the ministry.

~~~
ferry
Code or it did not happen.

~~~
gull

|  for ship in sea:
|      count += 1
|

""".replace("\n|", "\n    "),
        origin="items-0001.jsonl.gz:1",
        licence=hackernews.LICENCE,
        meta={"id": "101", "comments": 4, "descendants": 6},
    )


def test_corrected_says_everything_once() -> None:
    """Text becomes Markdown, nothing is wrapped, no story is lost over a comment."""
    found = {
        item.id: item.text
        for item in outcomes(BULK, fidelity="corrected")
        if isinstance(item, Document)
    }
    assert sorted(found) == ["hackernews/101", "hackernews/110", "hackernews/117"]
    assert found["hackernews/110"] == (
        "Ask HN: Which oil for an old lamp? - mira\nMine _smokes_.\n======\nkeeper\nLess of it.\n"
    )
    assert found["hackernews/117"] == (
        "One of its comments is gone - mira\n======\nkeeper\nStill here.\n"
    )
    assert "ships on a quiet Sunday, and the harbour master wrote" in found["hackernews/101"]


def test_files_are_read_together() -> None:
    """A story's comments may lie in any of them; other files are rejected."""
    alone = EXAMPLES / "item" / "130.json"
    assert [getattr(item, "reason", "") for item in outcomes(alone)] == ["missing_comment"]
    found = outcomes(alone, BULK, EXAMPLES / "maxitem.txt")
    assert isinstance(found[-1], Document)
    assert found[-1].text == "A story by itself - mira\n======\nkeeper\nLess of it.\n\n"
    assert any(item.reason == "not_items" for item in found if isinstance(item, Rejected))
    assert one_group(RawFile("", "a"), {}) == one_group(RawFile("", "b"), {})


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ({}, "T - a\n"),
        ({"url": "u"}, "\nT - a\nu\n"),
        ({"url": ""}, "\nT - a\n\n"),
        ({"text": "<p>x &amp; y"}, "\nT - a\n<p>x &amp; y\n"),
        ({"url": "u", "text": "x"}, "\n\nT - a\nu\nx\n"),
        ({"dead": False}, "T - a\n"),
    ],
)
def test_published_headers(tmp_path: Path, fields: Mapping[str, Json], header: str) -> None:
    """A line end before each repetition, and a text as raw HTML."""
    text = outcome(tmp_path, [story(**fields), comment(2)])
    assert text == f"{header}======\nb\n2\n\n"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"dead": True, "type": "job"}, "dead"),
        ({"type": "poll"}, "not_a_story"),
        ({"score": 0}, "low_score"),
        ({"score": None}, "incomplete"),
        ({"descendants": 0}, "no_comments"),
        ({"title": None}, "incomplete"),
        ({"url": None}, "incomplete"),
        ({"kids": None}, "incomplete"),
    ],
)
def test_stories_that_are_left_out(tmp_path: Path, fields: Mapping[str, Json], reason: str) -> None:
    """For the first of the reasons that holds."""
    assert outcome(tmp_path, [story(**fields), comment(2)]) == reason


@pytest.mark.parametrize("key", ["type", "score", "descendants", "title", "by", "kids"])
def test_stories_need_their_fields(tmp_path: Path, key: str) -> None:
    """Without any of them there is no document."""
    item = story()
    del item[key]
    assert outcome(tmp_path, [item, comment(2)]) == "incomplete"


@pytest.mark.parametrize(
    ("comments", "published", "corrected"),
    [
        ([comment(2)], "b\n2\n\n", "b\n2\n"),
        ([comment(2, text="")], "b\n\n\n", "b\n\n"),
        ([comment(2, text=None)], "", "no_comments"),
        ([comment(2, dead=True)], "", "no_comments"),
        ([comment(2, dead=False)], "b\n2\n\n", "b\n2\n"),
        ([comment(2, text=5)], "incomplete_comment", "incomplete_comment"),
        ([comment(2, by=None)], "incomplete_comment", "no_comments"),
        ([], "missing_comment", "no_comments"),
        ([comment(2, 3)], "missing_comment", "b\n2\n"),
        ([comment(2, 2)], "b\n2\n\n", "b\n2\n"),
        ([comment(2, 3), comment(3, 2)], "b\n2\n\n~~~\nb\n3\n\n", "b\n2\n~~~\nb\n3\n"),
        (
            [comment(2, 3, 4, 5), comment(3), comment(4, 6), comment(5, 6), comment(6)],
            "b\n2\n\n~~~\nb\n4\n\n~~~\nb\n6\n\n",
            "b\n2\n~~~\nb\n4\n~~~\nb\n6\n",
        ),
    ],
)
def test_chains(
    tmp_path: Path, comments: list[Mapping[str, Json]], published: str, corrected: str
) -> None:
    """A comment may be empty, not absent; of equals the first goes on; what turns back ends."""
    for fidelity, expected in (("published", published), ("corrected", corrected)):
        text = outcome(tmp_path, [story(), *comments], fidelity)
        assert text.removeprefix("T - a\n======\n") == expected


def test_comments_of_a_story_are_parted_by_lines(tmp_path: Path) -> None:
    """In the order of their rank; those that do not count leave no trace."""
    items = [story(kids=[3, 4, 2]), comment(2), comment(3), comment(4, text=None)]
    assert outcome(tmp_path, items) == "T - a\n======\nb\n3\n\n------\nb\n2\n\n"


def test_growth_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a document's length, an item's answers, and an item's bytes."""
    monkeypatch.setattr(hn_threads, "LONGEST_DOCUMENT", 100)
    assert outcome(tmp_path, [story(), comment(2, text="x" * 100)]) == "too_large"
    monkeypatch.setattr(hn_threads, "MOST_ANSWERS", 3)
    assert outcome(tmp_path, [story(kids=[2] * 4), comment(2)]) == "too_large"
    monkeypatch.setattr(hackernews, "LONGEST", 50)
    assert outcome(tmp_path, [story()]) == "too_large"
    single = tmp_path / "1.json"
    single.write_text(json.dumps(story()), encoding="utf-8")
    assert [getattr(item, "reason", "") for item in outcomes(single)] == ["too_large"]


def test_markup_beyond_sense_is_rejected(tmp_path: Path) -> None:
    """Its story is, with it."""
    deep = "<blockquote>" * 1000 + "x"
    assert outcome(tmp_path, [story(), comment(2, text=deep)]) == "unreadable_markup"
    number = f"&#{'9' * 5000};"
    assert outcome(tmp_path, [story(), comment(2, text=number)]) == "unreadable_markup"


def test_a_cut_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    """Nothing of it counts; with no other it is refused."""
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(BULK.read_bytes()[:-40])
    with pytest.raises(UnreadableFile):
        outcomes(cut)
    found = outcomes(cut, BULK)
    assert isinstance(found[0], Rejected)
    assert found[0].reason == "unreadable_file"
    assert found[1:] == outcomes(BULK)


def test_items_are_planned_by_the_ten_thousand() -> None:
    """One file by default, to the newest if asked for; files end at fixed numbers."""
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        return b"12\n"

    (only,) = SOURCE.plan({**SOURCE.defaults, "first": 11, "last": 0}, get)
    assert only == RawFile(
        f"{API}item/{{11..12}}.json", "items/000000011-000000012.jsonl", form="items"
    )
    assert asked == [f"{API}maxitem.json"]
    names = [raw.name for raw in SOURCE.plan({**SOURCE.defaults, "last": 20_001}, get)]
    assert names == [
        "items/000000001-000010000.jsonl",
        "items/000010001-000020000.jsonl",
        "items/000020001-000020001.jsonl",
    ]
    longer = [raw.name for raw in SOURCE.plan({**SOURCE.defaults, "last": 40_000}, get)]
    assert longer[:2] == names[:2]
    assert len(longer) == 4
    assert len(asked) == 1
    with pytest.raises(ValueError, match="count from 1"):
        SOURCE.plan({**SOURCE.defaults, "first": 0}, get)
    for answer in (b"<html>", b"9" * 12):
        with pytest.raises(ValueError, match="no number"):
            SOURCE.plan({**SOURCE.defaults, "last": 0}, lambda url, answer=answer: answer)


def test_a_story_is_whole_though_its_comments_lie_in_other_files(tmp_path: Path) -> None:
    """Files of planned form, with null where upstream has no item, in any division."""
    lines = [json.dumps(item) for item in (story(kids=[3, 2]), comment(2, 4), comment(3))]
    lines += ["null", json.dumps(comment(4))]
    found = []
    for size in (1, 2, 5):
        paths = []
        for start in range(0, len(lines), size):
            path = tmp_path / f"{start + 1:08d}-{start + size:08d}.jsonl"
            path.write_text("\n".join(lines[start : start + size]) + "\n", encoding="utf-8")
            paths.append(path)
        null, document = outcomes(*paths)
        assert isinstance(null, Rejected)
        assert isinstance(document, Document)
        assert null.reason == "no_item"
        found.append((document.id, document.text))
    assert len(set(found)) == 1
    assert found[0][1].endswith("======\nb\n3\n\n------\nb\n2\n\n~~~\nb\n4\n\n")


def test_an_unknown_fidelity_is_refused() -> None:
    """The message names the two there are."""
    with pytest.raises(ValueError, match="published, corrected"):
        outcomes(BULK, fidelity="faithful")


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 50 are equal, and no other story gives one."""
    items = sorted((golden / "hackernews_items").glob("[0-9]*.json"))
    items += sorted((samples / "hackernews" / "firebase").glob("[0-9]*.json"))
    found = outcomes(*items)
    with (golden / "hackernews.jsonl").open(encoding="utf-8") as lines:
        expected = {entry["record"]: entry["text"] for entry in map(json.loads, lines)}
    documents = [item for item in found if isinstance(item, Document)]
    assert len(documents) == 50
    assert {str(document.meta["id"]): document.text for document in documents} == expected
