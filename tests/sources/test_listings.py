"""Listings of upstreams: read to their end, and an answer of another form never passes for an empty one."""

import pytest

from sources.formats.listings import Listed, folders, json_object, objects, xml_root

BUCKET = "https://bucket.example/"


def page(body: str, token: str = "") -> bytes:
    """Build one page of a bucket's listing."""
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsTruncated>{str(bool(token)).lower()}</IsTruncated>{more}{body}</ListBucketResult>"
    ).encode()


def entry(key: str, size: int) -> str:
    """Build what a listing says of an object."""
    return f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>"


def test_a_bucket_is_listed_page_after_page() -> None:
    """Each page names the next by a token; the last has none."""
    query = f"{BUCKET}?list-type=2&prefix=a%20b/"
    pages = {
        query: page(entry("a b/1", 10) + entry("a b/2", 0), "t+1="),
        f"{query}&continuation-token=t%2B1%3D": page(entry("a b/3", 30)),
    }
    found = list(objects(BUCKET, "a b/", pages.__getitem__))
    assert found == [Listed("a b/1", 10), Listed("a b/2", 0), Listed("a b/3", 30)]


def test_folders_are_listed_by_their_prefixes() -> None:
    """A delimiter asks for the first folders alone."""
    query = f"{BUCKET}?list-type=2&delimiter=/&prefix=x"
    body = "<CommonPrefixes><Prefix>x1/</Prefix></CommonPrefixes>" + entry("x2", 1)
    assert list(folders(BUCKET, "x", {query: page(body)}.__getitem__)) == ["x1/"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"<Error><Code>AccessDenied</Code></Error>",
        page("<Contents><Key>a</Key></Contents>"),
        page(entry("a", 1), "again"),
        page(entry("b", 1) + entry("a", 1)),
        page(entry("a", 1) + entry("a", 1)),
        page("").replace(b"false", b"true"),
    ],
    ids=["nothing", "a page", "an error", "no size", "in a circle", "back", "twice", "cut"],
)
def test_a_listing_of_another_form_is_refused(answer: bytes) -> None:
    """The message names the address."""
    with pytest.raises(ValueError, match=r"https://bucket\.example/\?list-type=2"):
        list(objects(BUCKET, "", lambda _: answer))


@pytest.mark.parametrize("names", [("x1/", "x1/"), ("x2/", "x1/")])
def test_folders_that_come_again_end_the_listing(names: tuple[str, ...]) -> None:
    """A circle of pages would have no end, whatever its tokens."""
    body = "".join(f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>" for name in names)
    with pytest.raises(ValueError, match="never end"):
        list(folders(BUCKET, "x", lambda _: page(body)))


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[1]", b"null", b"\xff", b"[" * 100_000])
def test_json_of_another_form_is_refused(answer: bytes) -> None:
    """The message names the address."""
    with pytest.raises(ValueError, match=r"bucket\.example.*form may have changed"):
        json_object(BUCKET, lambda _: answer)
    assert json_object(BUCKET, lambda _: b'{"a": 1}') == {"a": 1}


def test_xml_with_another_root_is_refused() -> None:
    """The message names both roots."""
    with pytest.raises(ValueError, match="answers with <b>, not <a>"):
        xml_root(BUCKET, "a", lambda _: b"<b/>")
    assert xml_root(BUCKET, "a", lambda _: b"<a/>").tag == "a"
