"""Gutenberg (PG-19): a book a file."""

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sources.gutenberg_pg19 import SOURCE, plan, read
from sources.source import Document, RawFile, Rejected

EXAMPLES = Path(__file__).parents[2] / "examples/raw/gutenberg_pg19"


def read_bytes(folder: Path, content: bytes, name: str = "train/1.txt") -> Document | Rejected:
    """Read the content of a raw file, which is one record."""
    path = folder / Path(name).name
    path.write_bytes(content)
    (item,) = read(path, RawFile("", name), SOURCE.defaults)
    return item


def test_a_book_is_its_file() -> None:
    """Text as it is; name, part and address from where it lies."""
    path = EXAMPLES / "train/10001.txt"
    (book,) = read(path, RawFile("", "train/10001.txt"), SOURCE.defaults)
    assert isinstance(book, Document)
    assert book.id == "gutenberg_pg19/10001"
    assert book.origin == "train/10001.txt"
    assert book.text == path.read_bytes().decode("utf-8")
    assert book.text.startswith("THE CLOCKMAKER OF ST. ARNE\n\n\n")
    assert book.meta == {
        "part": "train",
        "book": 10001,
        "url": "https://www.gutenberg.org/ebooks/10001",
    }


def test_line_ends_become_lf_and_a_mark_stays(tmp_path: Path) -> None:
    """As files read in text mode were."""
    book = read_bytes(tmp_path, b"\xef\xbb\xbfone\r\ntwo\rthree\n\r\nfour")
    assert isinstance(book, Document)
    assert book.text == "\ufeffone\ntwo\nthree\n\nfour"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("metadata.csv", b"10001,The Clockmaker,1901,http://x\n", "not_a_book"),
        ("train/1.txt", b"caf\xe9 au lait", "invalid_utf8"),
        ("train/1.txt", b"\xed\xa0\x80", "invalid_utf8"),
        ("train/1.txt", b"", "empty"),
    ],
)
def test_what_is_no_book_is_rejected(
    name: str, content: bytes, reason: str, tmp_path: Path
) -> None:
    """With the reason, and for bytes that are no text, where they are."""
    item = read_bytes(tmp_path, content, name)
    assert isinstance(item, Rejected)
    assert (item.origin, item.reason) == (name, reason)


def test_a_book_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is rejected, one at it read."""
    monkeypatch.setattr("sources.gutenberg_pg19.LIMIT", 100)
    assert isinstance(read_bytes(tmp_path, b"x" * 100), Document)
    item = read_bytes(tmp_path, b"x" * 101)
    assert isinstance(item, Rejected)
    assert item.reason == "overlong"


def test_a_book_of_another_name_is_named_by_it(tmp_path: Path) -> None:
    """Books from elsewhere are read as well; only a number has an address."""
    book = read_bytes(tmp_path, b"x", "shelf/walden.txt")
    assert isinstance(book, Document)
    assert (book.id, book.meta) == ("gutenberg_pg19/walden", {})


BOOKS = [f"train/{number}.txt" for number in (10, 100, 10001, 11)]


def bucket(url: str) -> bytes:
    """Answer as the bucket's listing does, two objects a page."""
    query = parse_qs(urlsplit(url).query)
    start = int(query.get("pageToken", ["0"])[0])
    md5 = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    names = [*BOOKS, "train/README.md"] if query["prefix"] == ["train/"] else []
    page = names[start : start + 2]
    answer = {"items": [{"name": name, "size": "1", "md5Hash": md5} for name in page]}
    more = {"nextPageToken": str(start + 2)} if start + 2 < len(names) else {}
    return json.dumps({**answer, **more}).encode()


def test_a_plan_lists_the_training_books() -> None:
    """All pages of the listing, with size and checksum; a number of files cuts it."""
    raws = list(plan(SOURCE.defaults, bucket))
    assert [raw.name for raw in raws] == BOOKS
    assert raws[0].url == "https://storage.googleapis.com/deepmind-gutenberg/train/10.txt"
    assert (raws[0].size, raws[0].checksum) == (1, f"md5:{hashlib.md5(b'x').hexdigest()}")
    assert [raw.name for raw in plan({**SOURCE.defaults, "count": 3}, bucket)] == BOOKS[:3]
    with pytest.raises(ValueError, match="no book of test"):
        list(plan({**SOURCE.defaults, "part": "test"}, bucket))


@pytest.mark.parametrize(
    "item", [{"name": "train/1.txt"}, {"name": "train/1.txt", "size": "x", "md5Hash": ""}]
)
def test_a_plan_refuses_what_it_does_not_know(item: dict[str, str]) -> None:
    """A listing without sizes or checksums, and a part there is none of."""
    with pytest.raises(ValueError, match=r"storage\.googleapis\.com/ lists"):
        list(plan(SOURCE.defaults, lambda _url: json.dumps({"items": [item]}).encode()))
    with pytest.raises(ValueError, match="train, validation, test"):
        list(plan({**SOURCE.defaults, "part": "../x"}, bucket))


def test_a_listing_that_goes_in_a_circle_ends() -> None:
    """Pages that name each other would be asked for without end."""

    def circle(url: str) -> bytes:
        token = parse_qs(urlsplit(url).query).get("pageToken", ["a"])[0]
        item = {"name": "train/1.txt", "size": "1", "md5Hash": ""}
        return json.dumps({"items": [item], "nextPageToken": {"a": "b"}.get(token, "a")}).encode()

    with pytest.raises(ValueError, match="never end"):
        list(plan(SOURCE.defaults, circle))


@pytest.mark.real
def test_real_books_are_read_as_in_text_mode(samples: Path) -> None:
    """Python's own text mode is what the original used; books that are Latin-1 it could not read."""
    rejected = []
    for path in sorted((samples / "gutenberg_pg19").glob("*.txt")):
        (item,) = read(path, RawFile("", path.name), SOURCE.defaults)
        if isinstance(item, Document):
            assert item.text == path.read_text(encoding="utf-8")
        else:
            rejected.append(item.reason)
    assert set(rejected) <= {"invalid_utf8"}
