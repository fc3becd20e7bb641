"""From Reddit's submissions to the pages that OpenWebText2 listed."""

import bz2
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import reddit_links
from sources.formats.reddit_links import REASONS, Choice, Tally, pages, sort_dump
from sources.source import Json, UnreadableFile

Post = dict[str, Json]
PUBLISHED = Choice()


def post(identifier: str, url: str, score: int = 5, **more: Json) -> Post:
    """Return a submission that links out."""
    return {
        "id": identifier,
        "is_self": False,
        "url": url,
        "score": score,
        "title": f"title {identifier}",
        "subreddit": "clocks",
        "created_utc": 1_500_000_000,
        **more,
    }


def listing(
    folder: Path, *dumps: list[Post], choice: Choice = PUBLISHED, room: int = 1 << 20
) -> tuple[list[dict[str, Json]], Tally]:
    """Return the pages that dumps give, and what was counted."""
    tally, runs = Tally(), []
    for number, posts in enumerate(dumps):
        path = folder / f"RS_{number}"
        path.write_text("".join(json.dumps(one) + "\n" for one in posts), encoding="utf-8")
        dump = sort_dump(path, number, folder, room)
        tally.add(dump)
        runs.extend(dump.runs)
    found = [json.loads(page.line()) for page in pages(runs, folder, choice, tally)]
    assert tally.submissions == tally.given + tally.rejected.total()
    assert set(tally.rejected) <= set(REASONS)
    return found, tally


A, B, LAST = "https://a.example/1", "https://b.example/1", "https://z.example/1"


def test_a_page_has_all_its_submissions(tmp_path: Path) -> None:
    """Those of any dump, in order of ids, their scores summed."""
    found, tally = listing(
        tmp_path,
        [post("zz", A, 1, created_utc="1119552233"), post("1", B)],
        [post("10", A, 2, title="T", created_utc=1_706_745_600.0)],
        choice=Choice(fidelity="corrected"),
    )
    assert found[0] == {
        "url": A,
        "reddit_id": [36, 1295],
        "subreddit": ["clocks", "clocks"],
        "reddit_score": [2, 1],
        "reddit_title": ["T", "title zz"],
        "reddit_created_utc": [1_706_745_600, 1_119_552_233],
    }
    assert [page["url"] for page in found] == [A, B]
    assert (tally.submissions, tally.given, tally.pages) == (3, 3, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_self": True}, "self_post"),
        ({"is_self": "yes"}, "self_post"),
        ({"is_self": None}, "no_is_self"),
        ({"url": ""}, "no_url"),
        ({"url": None}, "no_url"),
        ({"url": ["a"]}, "malformed"),
        ({"url": "https://a.example/\ud800"}, "malformed"),
        ({"id": "1_0"}, "malformed"),
        ({"id": None}, "malformed"),
        ({"score": "5"}, "malformed"),
        ({"score": 1 << 80}, "malformed"),
        ({"created_utc": "yesterday"}, "malformed"),
        ({"created_utc": True}, "malformed"),
        ({"score": 2}, "low_score"),
        ({"score": None}, "low_score"),
        ({"url": "https://i.imgur.com/a"}, "blocked_domain"),
        ({"url": "https://a.example/1.gif"}, "blocked_extension"),
        ({"url": "/r/clocks/1"}, "not_http"),
    ],
)
def test_what_is_no_link_is_counted(tmp_path: Path, change: Post, reason: str) -> None:
    """Each under its reason; the page after it is listed."""
    found, tally = listing(tmp_path, [{**post("1", A), **change}, post("2", B), post("3", LAST)])
    assert tally.rejected == {reason: 1}
    assert [page["url"] for page in found] == [B, LAST]


def test_lines_that_are_no_submissions_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rubbish, and lines beyond the limit; the last line counts without a newline too."""
    monkeypatch.setattr(reddit_links, "LINE_LIMIT", 400)
    path = tmp_path / "RS_2011-01"
    good = json.dumps(post("1", A, title="half \ud800 pair")).encode()
    path.write_bytes(b"{\n[]\n" + b"[" * 300 + b"\n" + b" " * 500 + b"\n" + good)
    dump = sort_dump(path, 0, tmp_path)
    assert dump.submissions == 5
    assert dump.rejected == {"malformed": 3, "overlong": 1}
    (page,) = pages(dump.runs, tmp_path, Choice(fidelity="corrected"), Tally())
    assert json.loads(page.line())["reddit_title"] == ["half ? pair"]


def test_a_submission_counts_once_for_a_page(tmp_path: Path) -> None:
    """That of the first dump; the same id may link elsewhere."""
    found, tally = listing(
        tmp_path, [post("1", A, 2), post("1", B)], [post("1", A, 9)], [post("2", A, 1)]
    )
    assert found[0]["reddit_score"] == [2, 1]
    assert tally.rejected == {"repeated": 1}


def test_addresses_are_the_same_only_to_the_letter(tmp_path: Path) -> None:
    """Neither case nor a slash is overlooked."""
    urls = [A, A.upper(), A + "/", A + "#1", A.replace("https", "http")]
    found, _ = listing(tmp_path, [post(str(place), url) for place, url in enumerate(urls)])
    assert [page["url"] for page in found] == sorted(urls)


def test_the_last_page_goes_untested_as_published(tmp_path: Path) -> None:
    """Listed if its file of 100,000 held a page before it, lost if not; corrected, it is tested."""
    low, high = post("2", LAST, 1), post("2", LAST, 9)
    assert [page["url"] for page in listing(tmp_path, [post("1", A), low])[0]] == [A, LAST]
    assert listing(tmp_path, [high]) == ([], Tally(1, 0, 0, {"last_page": 1}))  # type: ignore[arg-type] # equal to a Counter
    corrected = Choice(fidelity="corrected")
    found, tally = listing(tmp_path, [post("1", A), low], choice=corrected)
    assert [page["url"] for page in found] == [A]
    assert tally.rejected == {"low_score": 1}
    assert len(listing(tmp_path, [high], choice=corrected)[0]) == 1


def test_the_originals_files_were_filled_by_score_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that the filter of addresses leaves out count for whether the last is lost."""
    monkeypatch.setattr(reddit_links, "PUBLISHED_FILE", 2)
    posts = [post("1", "https://a.example/1.gif"), post("2", B), post("3", LAST)]
    found, tally = listing(tmp_path, posts)
    assert [page["url"] for page in found] == [B]
    assert tally.rejected == {"blocked_extension": 1, "last_page": 1}


def with_a_long_window(content: bytes) -> bytes:
    """Compress for a decoder that must look further back than most allow."""
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return bytes(writer.compress(content) + writer.flush())


@pytest.mark.parametrize(
    "compress", [bz2.compress, lzma.compress, zstandard.compress, with_a_long_window]
)
def test_dumps_come_in_every_form(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """Told by their bytes; a cut one is refused."""
    content = "".join(json.dumps(post(str(n), f"{A}{n}")) + "\n" for n in range(999)).encode()
    path = tmp_path / "RS_v2_2008-01"
    packed = compress(content)
    path.write_bytes(packed)
    assert sort_dump(path, 0, tmp_path).submissions == 999
    path.write_bytes(packed[:-9])
    with pytest.raises(UnreadableFile, match="cut"):
        sort_dump(path, 1, tmp_path)


URLS = st.text(alphabet="ab\0\1\n\x0a\x0b\x10\x1a\u00e9\U0001f600", min_size=1, max_size=4)


@given(st.lists(st.tuples(st.integers(0, 40), URLS, st.integers(-2, 4)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_pages_come_in_order_whatever_their_letters(
    tmp_path_factory: pytest.TempPathFactory, posts: list[tuple[int, str, int]]
) -> None:
    """Of addresses' bytes, with scores summed, as a dictionary in memory tells; one run or many."""
    folder = tmp_path_factory.mktemp("runs")
    urls = [f"http://a.example/{url}" for _, url, _ in posts]
    dump = [
        post(format(number, "x"), url, score)
        for url, (number, _, score) in zip(urls, posts, strict=True)
    ]
    expected: dict[str, dict[int, int]] = {}
    for url, (number, _, score) in zip(urls, posts, strict=True):
        expected.setdefault(url, {}).setdefault(int(format(number, "x"), 36), score)
    tally = Tally()
    written = folder / "RS"
    written.write_text("".join(json.dumps(one) + "\n" for one in dump), encoding="utf-8")
    runs = sort_dump(written, 0, folder, room=500).runs
    found = list(reddit_links._grouped(reddit_links.merged(runs, folder), tally))
    assert [page.url for page in found] == sorted(expected, key=str.encode)
    assert [page.score for page in found] == [sum(expected[page.url].values()) for page in found]


def test_a_line_holds_the_best_scored_of_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order of ids; all scores count, and what is stated sums to enough."""
    monkeypatch.setattr(reddit_links, "MOST_STATED", 3)
    many = [post(str(n), A, n % 5 - 2, title="t" * 300) for n in range(1, 10)]
    found, tally = listing(tmp_path, [*many, post("z", LAST, 3)], choice=Choice(min_score=-100))
    assert (tally.submissions, tally.given) == (10, 10)
    assert (found[0]["reddit_id"], found[0]["reddit_score"]) == ([3, 4, 9], [1, 2, 2])
    monkeypatch.setattr(reddit_links, "LONGEST_LINE", 600)
    found, _ = listing(tmp_path, [*many, post("z", LAST, 3)], choice=Choice(min_score=-100))
    assert found[0]["reddit_id"] == [4]


@pytest.mark.real
def test_real_submissions_are_read(samples: Path, tmp_path: Path) -> None:
    """Every one is a page's or has a reason."""
    tally = Tally()
    for number, path in enumerate(sorted((samples / "openwebtext2").glob("*submissions*.json"))):
        tally.add(sort_dump(path, number, tmp_path))
    list(pages(sorted(tmp_path.iterdir()), tmp_path, Choice(), tally))
    assert tally.submissions == tally.given + tally.rejected.total() >= 10
    assert "malformed" not in tally.rejected
