"""StackExchange: which questions become documents, with which answers, in which order."""

import json
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from sources.source import Document, Option, RawFile, Rejected, UnreadableFile
from sources.stackexchange import SOURCE

HEAD = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'


def row(**attributes: object) -> str:
    """Return a row as the dumps write it."""
    pairs = (
        f"{key}={quoteattr(str(value), {chr(10): '&#xA;'})}" for key, value in attributes.items()
    )
    return f"  <row {' '.join(pairs)} />\n"


def question(number: int, answers: int, **more: object) -> str:
    """Return a question's row."""
    return row(
        Id=number, PostTypeId=1, AnswerCount=answers, Title=f"T{number}", Body="<p>B</p>", **more
    )


def answer(number: int, parent: int, score: int, body: str = "") -> str:
    """Return an answer's row."""
    return row(
        Id=number, PostTypeId=2, ParentId=parent, Score=score, Body=body or f"<p>A{number}</p>"
    )


def read(
    folder: Path, *rows: str, tail: str = "</posts>\n", **options: Option
) -> list[Document | Rejected]:
    """Read a Posts.xml made of these rows."""
    path = folder / "Posts.xml"
    path.write_text(HEAD + "".join(rows) + tail, encoding="utf-8")
    raw = RawFile(path.as_uri(), "tea.stackexchange.com/Posts.xml")
    return list(SOURCE.read(path, raw, {**SOURCE.defaults, **options}))


def texts(items: list[Document | Rejected]) -> list[str]:
    """Return the texts of the documents."""
    return [item.text for item in items if isinstance(item, Document)]


def test_a_question_and_its_answer_are_laid_out_as_published(tmp_path: Path) -> None:
    """Q:, title, body, A:, body; HTML as text; an empty line after each."""
    body = "<p>Yes &amp; <b>no</b>.</p>\n\n\n<pre><code>x &lt; 1\n</code></pre>"
    (item,) = read(tmp_path, question(1, 1), answer(2, 1, 3, body))
    assert isinstance(item, Document)
    assert item.text == "Q:\n\nT1\n\nB\n\nA:\n\nYes & no.\nx < 1\n\n"
    assert item.id == "stackexchange/tea.stackexchange.com/1"
    assert item.origin == "tea.stackexchange.com/Posts.xml:3"
    assert item.licence == "CC-BY-SA-4.0"


def test_the_three_best_answers_are_written_best_first(tmp_path: Path) -> None:
    """Score decides, the earlier answer comes first among equals, the fourth is cut."""
    rows = [
        question(1, 5),
        *(answer(n, 1, score) for n, score in enumerate((3, 9, 5, 9, 2), start=2)),
    ]
    (text,) = texts(read(tmp_path, *rows))
    assert text.split("A:\n\n")[1:] == ["A3\n\n", "A5\n\n", "A4\n\n"]


def test_an_accepted_answer_is_kept_whatever_its_score(tmp_path: Path) -> None:
    """Published: it counts, but has no precedence; corrected: it comes first."""
    rows = [question(1, 2, AcceptedAnswerId=2), answer(2, 1, -4), answer(3, 1, 8)]
    (text,) = texts(read(tmp_path, *rows))
    assert text.split("A:\n\n")[1:] == ["A3\n\n", "A2\n\n"]
    (text,) = texts(read(tmp_path, *rows, fidelity="corrected"))
    assert text.split("A:\n\n")[1:] == ["A2\n\n", "A3\n\n"]


def test_documents_come_as_their_last_answers_do(tmp_path: Path) -> None:
    """The second question is complete first."""
    rows = [question(1, 1), question(2, 1), answer(3, 2, 5), answer(4, 1, 5)]
    assert [text[4:6] for text in texts(read(tmp_path, *rows))] == ["T2", "T1"]


def test_every_row_that_gives_no_document_is_rejected_with_its_reason(tmp_path: Path) -> None:
    """Nothing is dropped in silence."""
    items = read(
        tmp_path,
        question(1, 0),
        row(Id=2, PostTypeId=1, Title="no count"),
        question(3, 1),
        answer(4, 3, 2),
        question(5, 2),
        answer(6, 5, 9),
        answer(7, 99, 9),
        row(Id=8, PostTypeId=5, Body="a tag"),
        '  <row Id="9" PostTypeId="1" Body="cut\n',
        question(5, 1),
        question(10, 1),
        answer(11, 10, 3, "<div>" * 1000 + "deep"),
        "  <other />\n",
    )
    assert [item.reason for item in items if isinstance(item, Rejected)] == [
        "unanswered",
        "unanswered",
        "no_answer_kept",
        "no_question",
        "other_post",
        "malformed",
        "repeated",
        "too_deep",
        "malformed",
        "answers_missing",
    ]
    assert not texts(items)


def test_a_file_without_its_end_is_refused(tmp_path: Path) -> None:
    """A cut Posts.xml never passes for a shorter site."""
    with pytest.raises(UnreadableFile, match="without </posts>"):
        read(tmp_path, question(1, 1), answer(2, 1, 3), tail="")


def test_entities_are_not_followed(tmp_path: Path) -> None:
    """A row with an entity of its own is malformed; no file is read, nothing expands."""
    items = read(
        tmp_path, '  <!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n', row(Id="&a;")
    )
    assert [item.reason for item in items if isinstance(item, Rejected)] == ["other_post"]
    items = read(tmp_path, '  <row Id="&a;" PostTypeId="1" />\n')
    assert [item.reason for item in items if isinstance(item, Rejected)] == ["malformed"]


def test_an_endless_row_is_passed_over(tmp_path: Path) -> None:
    """A row of 20 MiB is rejected, and the next one is read."""
    items = read(tmp_path, row(Id=1, Body="x" * (20 << 20)), question(2, 1), answer(3, 2, 3))
    assert [item.reason for item in items if isinstance(item, Rejected)] == ["overlong"]
    assert len(texts(items)) == 1


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("coffee.stackexchange.com.7z", "coffee.stackexchange.com"),
        ("stackoverflow.com-Posts.7z", "stackoverflow.com"),
    ],
)
def test_the_example_archive_is_read(name: str, site: str) -> None:
    """The 7z dump is streamed; its site is told by the file's name."""
    path = Path(__file__).parents[2] / "examples/raw/stackexchange/demo.stackexchange.com.7z"
    items = list(SOURCE.read(path, RawFile(path.as_uri(), name), SOURCE.defaults))
    documents = [item for item in items if isinstance(item, Document)]
    assert len(documents) == 16
    assert documents[0].id == f"stackexchange/{site}/1"
    assert {item.reason for item in items if isinstance(item, Rejected)} == {
        "unanswered",
        "other_post",
        "no_question",
        "malformed",
        "answers_missing",
        "no_answer_kept",
    }


def test_the_plan_lists_an_items_dumps_with_their_digests() -> None:
    """Names, sizes and SHA-1 come from the item's own list; sites can be chosen."""
    listing = b"""<files>
      <file name="b.stackexchange.com.7z"><size>20</size><sha1>bb</sha1></file>
      <file name="a.stackexchange.com.7z"><size>10</size><sha1>aa</sha1></file>
      <file name="readme.txt"><size>1</size></file></files>"""
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        return listing

    files = list(SOURCE.plan({**SOURCE.defaults, "item": "dump"}, get))
    assert asked == ["https://archive.org/download/dump/dump_files.xml"]
    assert [(file.name, file.size, file.checksum) for file in files] == [
        ("a.stackexchange.com.7z", 10, "sha1:aa"),
        ("b.stackexchange.com.7z", 20, "sha1:bb"),
    ]
    chosen = {**SOURCE.defaults, "sites": ("b.stackexchange.com",)}
    assert [file.name for file in SOURCE.plan(chosen, get)] == ["b.stackexchange.com.7z"]


@pytest.mark.real
def test_real_sites_give_the_published_documents(samples: Path, golden: Path) -> None:
    """All documents of four real sites, in order, to the byte."""
    expected: dict[str, list[Mapping[str, object]]] = {}
    for line in (golden / "stackexchange.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        expected.setdefault(entry["file"], []).append(entry)
    for file, entries in expected.items():
        path = samples / file
        raw = RawFile(path.as_uri(), file.removeprefix("stackexchange/"))
        documents = [
            item for item in SOURCE.read(path, raw, SOURCE.defaults) if isinstance(item, Document)
        ]
        assert [one.text for one in documents] == [entry["text"] for entry in entries]
        assert [one.id.rpartition("/")[2] for one in documents] == [
            str(one["record"]) for one in entries
        ]
