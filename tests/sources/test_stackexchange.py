"""StackExchange: which questions become documents, with which answers, in which order."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.formats import stack_waiting
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile
from sources.stackexchange import SOURCE

EXAMPLE = (
    Path(__file__).parents[2] / "examples" / "raw" / "stackexchange" / "demo.stackexchange.com.7z"
)
NAME = "tea.stackexchange.com/Posts.xml"
HEAD = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'


def row(**attributes: object) -> str:
    """Return a row as the dumps write it."""
    pairs = (
        f"{key}={quoteattr(str(value), {chr(10): '&#xA;'})}" for key, value in attributes.items()
    )
    return f"  <row {' '.join(pairs)} />\n"


def question(number: int, answers: int, **more: object) -> str:
    """Return a question's row."""
    stated = {"AnswerCount": answers, "Title": f"T{number}", "Body": "<p>B</p>", **more}
    return row(Id=number, PostTypeId=1, **stated)


def answer(number: int, parent: int, score: int, body: str = "", **more: object) -> str:
    """Return an answer's row."""
    body = body or f"<p>A{number}</p>"
    return row(Id=number, PostTypeId=2, ParentId=parent, Score=score, Body=body, **more)


def outcomes(path: Path, name: str = NAME, **options: Option) -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", name), {**SOURCE.defaults, **options}))


def read(
    folder: Path, *rows: str, tail: str = "</posts>", **options: Option
) -> list[Document | Rejected]:
    """Read a Posts.xml made of these rows."""
    path = folder / "Posts.xml"
    path.write_text(HEAD + "".join(rows) + tail, encoding="utf-8")
    return outcomes(path, **options)


def texts(items: list[Document | Rejected]) -> list[str]:
    """Return the texts of the documents."""
    return [item.text for item in items if isinstance(item, Document)]


def reasons(items: list[Document | Rejected]) -> list[str]:
    """Return the reasons of the rejections."""
    return [item.reason for item in items if isinstance(item, Rejected)]


def test_a_question_and_its_answer_are_laid_out_as_published(tmp_path: Path) -> None:
    """Q:, title, body, A:, body; HTML as text; an empty line after each."""
    body = "<p>Yes &amp; <b>no</b>.</p>\n\n\n<pre><code>x &lt; 1\n</code></pre>"
    (item,) = read(tmp_path, question(1, 1), answer(2, 1, 3, body))
    assert isinstance(item, Document)
    assert item.text == "Q:\n\nT1\n\nB\n\nA:\n\nYes & no.\nx < 1\n\n"


def test_a_document_says_whose_words_it_holds(tmp_path: Path) -> None:
    """Site, ids, owners, scores and tags are in the meta; licences are those the posts state."""
    item, _ = read(
        tmp_path,
        question(
            *(1, 2),
            Score=7,
            OwnerUserId=100,
            Tags="<tea><green-tea>",
            ContentLicense="CC BY-SA 3.0",
        ),
        answer(2, 1, 2, OwnerUserId=5),
        answer(3, 1, 4, OwnerDisplayName="Ann", ContentLicense="CC BY-SA 4.0"),
        question(4, 0, Tags="|tea|"),
    )
    assert isinstance(item, Document)
    assert item.id == "stackexchange/tea.stackexchange.com/1"
    assert item.origin == "tea.stackexchange.com/Posts.xml:3"
    assert item.licence == "CC-BY-SA-3.0 AND CC-BY-SA-4.0"
    assert item.meta == {
        "site": "tea.stackexchange.com",
        "question": 1,
        "answers": [3],
        "owners": ["100", "Ann"],
        "scores": [7, 4],
        "tags": ["tea", "green-tea"],
    }


@pytest.mark.parametrize(
    ("day", "version"),
    [
        ("2011-04-07T23:59:59.997", "2.5"),
        ("2011-04-08T00:00:00.000", "3.0"),
        ("2018-05-01T23:59:59.000", "3.0"),
        ("2018-05-02T00:00:00.000", "4.0"),
    ],
)
def test_a_post_that_states_no_licence_has_that_of_its_day(
    day: str, version: str, tmp_path: Path
) -> None:
    """Dumps before 2019 do not say which; what a post states counts before its day."""
    (item,) = read(
        tmp_path,
        question(1, 1, CreationDate=day),
        answer(2, 1, 3, CreationDate="2009-01-01T00:00:00", ContentLicense="CC BY-SA 4.0"),
    )
    assert isinstance(item, Document)
    assert item.licence == " AND ".join(sorted({f"CC-BY-SA-{version}", "CC-BY-SA-4.0"}))


def test_a_licence_that_cannot_be_told_has_no_version(tmp_path: Path) -> None:
    """Neither stated, nor a day."""
    (item,) = read(tmp_path, question(1, 1, Tags="|a|b|"), answer(2, 1, 3))
    assert isinstance(item, Document)
    assert item.licence == "CC-BY-SA"
    assert item.meta["tags"] == ["a", "b"]


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


def test_a_title_is_read_as_html_unless_corrected(tmp_path: Path) -> None:
    """A title is plain text, so what looks like a tag is lost in the published text."""
    rows = [question(1, 1, Title="Why <b> &amp; not <i>?"), answer(2, 1, 3)]
    assert texts(read(tmp_path, *rows))[0].startswith("Q:\n\nWhy  & not ?\n\n")
    corrected = texts(read(tmp_path, *rows, fidelity="corrected"))
    assert corrected[0].startswith("Q:\n\nWhy <b> &amp; not <i>?\n\n")


def test_documents_come_as_their_last_answers_do(tmp_path: Path) -> None:
    """The second question is complete first."""
    rows = [question(1, 1), question(2, 1), answer(3, 2, 5), answer(4, 1, 5)]
    assert [text[4:6] for text in texts(read(tmp_path, *rows))] == ["T2", "T1"]


def test_every_row_that_gives_no_document_is_rejected_with_its_reason(tmp_path: Path) -> None:
    """Nothing is dropped in silence; what never was complete comes at the end."""
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
        answer(11, 10, 3, "<![x " * 10_000),
        "  <other />\n",
        "text\n",
        row(Id="12a", PostTypeId=2, ParentId=5, Score=3, Body=""),
        row(Id=13, PostTypeId=2, ParentId=5, Score=3),
        row(Id=14, PostTypeId=2, ParentId=5, Score="high", Body=""),
        answer(15, 3, 9),
    )
    assert reasons(items) == [
        *("unanswered", "unanswered", "no_answer_kept", "no_question", "other_post"),
        *("malformed", "repeated", "broken_html", "malformed", "malformed"),
        *("malformed", "malformed", "malformed", "no_question", "answers_missing"),
    ]
    assert not texts(items)


def test_an_incomplete_question_is_given_at_the_end_if_corrected(tmp_path: Path) -> None:
    """Its count is wrong for good where an answer was deleted or moved."""
    rows = [question(1, 2), answer(2, 1, 4), question(3, 1)]
    assert reasons(read(tmp_path, *rows)) == ["answers_missing", "answers_missing"]
    items = read(tmp_path, *rows, fidelity="corrected")
    assert texts(items) == ["Q:\n\nT1\n\nB\n\nA:\n\nA2\n\n"]
    assert reasons(items) == ["answers_missing"]


def test_a_completed_question_does_not_begin_again(tmp_path: Path) -> None:
    """An id gives one document at most, so ids are unique."""
    items = read(tmp_path, *[question(1, 1), answer(2, 1, 3)] * 2)
    assert len(texts(items)) == 1
    assert reasons(items) == ["repeated", "no_question"]


POSTS = st.lists(
    st.tuples(st.sampled_from(["question", "answer"]), st.integers(1, 4), st.integers(0, 4)),
    max_size=30,
)


def paired(posts: list[tuple[str, int, int]]) -> tuple[list[tuple[int, list[int]]], int]:
    """Return the documents of posts, as question and answers, and how many rejections there are."""
    documents, rejections = [], 0
    waiting: dict[int, tuple[int, list[tuple[int, int]]]] = {}
    done = set()
    for number, (kind, thread, size) in enumerate(posts, start=10):
        if kind == "question" and size and thread not in {*waiting, *done}:
            waiting[thread] = (size, [])
        elif kind == "answer" and thread in waiting:
            wanted, met = waiting[thread]
            met.append((-size, number))
            if len(met) == wanted:
                del waiting[thread]
                done.add(thread)
                kept = [answer for score, answer in sorted(met) if -score >= 3]
                documents += [(thread, kept[:3])] if kept else []
                rejections += not kept
        else:
            rejections += 1
    return documents, rejections + len(waiting)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(POSTS)
def test_records_are_documents_and_rejections(
    tmp_path: Path, posts: list[tuple[str, int, int]]
) -> None:
    """Each question, and each answer for which none waits, comes out once, as the rules say."""
    items = read(
        tmp_path,
        *(
            question(thread, size) if kind == "question" else answer(number, thread, size)
            for number, (kind, thread, size) in enumerate(posts, start=10)
        ),
    )
    documents = [
        (item.meta["question"], item.meta["answers"])
        for item in items
        if isinstance(item, Document)
    ]
    assert (documents, len(reasons(items))) == paired(posts)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HEAD + question(1, 1) + answer(2, 1, 3), "without </posts>"),
        (HEAD, "without </posts>"),
        ("", "does not begin"),
        ("<users>\n</users>\n", "does not begin"),
        (HEAD.replace("utf-8", "utf-16"), "does not begin"),
        ("<posts>" + "x" * (2 << 20) + "</posts>", "does not begin"),
        ("\n" * 50 + HEAD + "</posts>", "does not begin"),
    ],
    ids=["cut", "cut early", "empty", "of users", "UTF-16", "one line", "far away"],
)
def test_a_file_that_is_no_whole_posts_xml_is_refused(
    content: str, problem: str, tmp_path: Path
) -> None:
    """Neither a cut file nor another one passes for a site without posts."""
    path = tmp_path / "Posts.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=problem):
        outcomes(path)


def test_the_forms_a_head_has(tmp_path: Path) -> None:
    """With or without a byte order mark, a DOCTYPE, and CR before LF."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\r\n<!DOCTYPE posts SYSTEM \'posts.dtd\'>\r\n<posts>\r\n'
    body = (question(1, 1) + answer(2, 1, 3)).replace("\n", "\r\n")
    path = tmp_path / "Posts.xml"
    path.write_bytes((head + body + "</posts>").encode())
    assert len(texts(outcomes(path))) == 1


def test_entities_are_not_followed(tmp_path: Path) -> None:
    """What a DOCTYPE declares reaches no row; no file is read, nothing expands."""
    bomb = '<!DOCTYPE posts [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>\n'
    path = tmp_path / "Posts.xml"
    rows = '<row Id="&a;" PostTypeId="1" />\n<row Id="&b;" PostTypeId="1" />\n' + bomb
    path.write_text(f"{bomb}<posts>\n{rows}</posts>", encoding="utf-8")
    assert reasons(outcomes(path)) == ["malformed"] * 3


def test_broken_rows_spoil_no_others(tmp_path: Path) -> None:
    """Invalid UTF-8, NUL, a repeated attribute and an endless row are each rejected alone."""
    path = tmp_path / "Posts.xml"
    good = (question(1, 1) + answer(2, 1, 3)).encode()
    broken = [
        b'<row Id="3" Body="\xff" />\n',
        b'<row Id="4" Body="\0" />\n',
        b'<row Id="5" Id="6" />\n',
        b'<row Id="7" Body="' + b"x" * (20 << 20) + b'" />\n',
        b'<row Id="8"><row Id="9" /></row>\n',
    ]
    path.write_bytes(HEAD.encode() + b"".join(broken) + good + b"</posts>\n<row />\n")
    items = outcomes(path)
    assert Counter(reasons(items)) == {"malformed": 4, "overlong": 1, "other_post": 1}
    assert len(texts(items)) == 1


def test_waiting_questions_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long questions that wait for good lie on disk; reading holds a few of them."""
    monkeypatch.setattr(stack_waiting, "CACHE_KIB", 64)
    path = tmp_path / "Posts.xml"
    body = "x" * 20_000
    rows = (question(number, 1, Body=body) for number in range(1, 1001))
    path.write_text(HEAD + "".join(rows) + "</posts>", encoding="utf-8")
    raw = RawFile("", NAME)
    tracemalloc.start()
    count = sum(1 for _ in SOURCE.read(path, raw, SOURCE.defaults))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1000
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("coffee.stackexchange.com.7z", "coffee.stackexchange.com"),
        ("2024/stackoverflow.com-Posts.7z", "stackoverflow.com"),
    ],
)
def test_the_example_archive_is_read(name: str, site: str) -> None:
    """The 7z dump is streamed; its site is told by the file's name."""
    items = outcomes(EXAMPLE, name)
    documents = [item for item in items if isinstance(item, Document)]
    assert len(documents) == 20
    assert documents[0].id == f"stackexchange/{site}/4"
    assert documents[0].origin == f"{name}:Posts.xml:6"
    assert Counter(reasons(items)) == {
        "unanswered": 1,
        "other_post": 1,
        "no_question": 1,
        "malformed": 1,
        "answers_missing": 1,
        "no_answer_kept": 1,
    }


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    """A flipped byte in the middle does not pass for another text."""
    content = bytearray(EXAMPLE.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / EXAMPLE.name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        outcomes(path, EXAMPLE.name)


def test_a_site_must_be_named(tmp_path: Path) -> None:
    """Ids of two sites overlap, so a file that does not tell its site is refused."""
    path = tmp_path / "Posts.xml"
    path.write_text(HEAD + "</posts>", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="folder named after the site"):
        outcomes(path, "Posts.xml")


def test_an_unknown_fidelity_is_refused(tmp_path: Path) -> None:
    """A typing error does not pass for one of the two."""
    with pytest.raises(ValueError, match="'exact', not one of published, corrected"):
        read(tmp_path, fidelity="exact")


LISTING = b"""<files>
  <file name="b.stackexchange.com.7z" source="original"><size>20</size><sha1>%s</sha1></file>
  <file name="a.stackexchange.com.7z" source="original"><size>10</size><sha1>%s</sha1></file>
  <file name="stackoverflow.com-Posts.7z"><size>30</size></file>
  <file name="stackoverflow.com-Votes.7z"><size>30</size></file>
  <file name="../evil.7z" /><file name="readme.txt"><size>1</size></file></files>""" % (
    b"b" * 40,
    b"a" * 40,
)


def planned(**options: Option) -> list[RawFile]:
    """Return what is planned of the listing."""
    return list(SOURCE.plan({**SOURCE.defaults, **options}, lambda _: LISTING))


def test_the_plan_lists_an_items_dumps_with_their_digests() -> None:
    """Names, sizes and SHA-1 come from the item's own list; tables that are not posts do not."""
    assert planned(item="dump") == [
        RawFile(f"https://archive.org/download/dump/{name}", name, size, checksum)
        for name, size, checksum in [
            ("a.stackexchange.com.7z", 10, "sha1:" + "a" * 40),
            ("b.stackexchange.com.7z", 20, "sha1:" + "b" * 40),
            ("stackoverflow.com-Posts.7z", 30, None),
        ]
    ]


def test_the_plan_takes_chosen_sites() -> None:
    """A site that is not listed is an error, not a gap."""
    names = [file.name for file in planned(sites=("b.stackexchange.com", "stackoverflow.com"))]
    assert names == ["b.stackexchange.com.7z", "stackoverflow.com-Posts.7z"]
    with pytest.raises(ValueError, match=r"lists no dump of c\.stackexchange\.com"):
        planned(sites=("a.stackexchange.com", "c.stackexchange.com"))


@pytest.mark.parametrize("listing", [b"", b"<html>", b"<files/>"])
def test_a_listing_of_another_form_is_refused(listing: bytes) -> None:
    """An empty plan would pass for an item without files."""
    with pytest.raises(ValueError, match=r"archive\.org/download"):
        list(SOURCE.plan(SOURCE.defaults, lambda _: listing))


@pytest.mark.real
def test_real_sites_give_the_published_documents(samples: Path, golden: Path) -> None:
    """All documents of four real sites, in order, to the byte."""
    expected: dict[str, list[Mapping[str, object]]] = {}
    for line in (golden / "stackexchange.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        expected.setdefault(entry["file"], []).append(entry)
    for file, entries in expected.items():
        items = outcomes(samples / file, file.removeprefix("stackexchange/"))
        documents = [item for item in items if isinstance(item, Document)]
        assert [one.text for one in documents] == [entry["text"] for entry in entries]
        assert [str(one.meta["question"]) for one in documents] == [
            entry["record"] for entry in entries
        ]
    assert sum(map(len, expected.values())) == 1124
