"""What upstreams answer to those who ask what there is: JSON, and S3's lists of a bucket.

An answer of another form than was agreed raises ValueError with the address that gave it, so that
a moved upstream never passes for an empty one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lxml import etree

from sources.formats.xml_records import tree
from sources.source import Get, UnreadableFile

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of a bucket: its key, its size in bytes, and its MD5 where its ETag is one."""

    key: str
    size: int
    md5: str = ""


def json_object(url: str, get: Get) -> dict[str, Any]:
    """Return the JSON object at an address; raises ValueError for anything else."""
    try:
        found = json.loads(get(url))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{url} answers with no JSON ({error}): its form may have changed"
        ) from None
    if not isinstance(found, dict):
        raise ValueError(f"{url} answers with no JSON object: its form may have changed")  # noqa: TRY004 - a listing's form
    return found


def xml_root(url: str, root: str, get: Get) -> etree._Element:
    """Return the root of the XML at an address; raises ValueError for one not called ``root``."""
    try:
        found = tree(get(url), url)
    except UnreadableFile:
        raise ValueError(f"{url} answers with no XML: its form may have changed") from None
    if etree.QName(found).localname != root:
        raise ValueError(
            f"{url} answers with <{found.tag}>, not <{root}>: its form may have changed"
        )
    return found


def objects(bucket: str, prefix: str, get: Get) -> Iterator[Listed]:
    """Yield the objects of a bucket whose keys begin with ``prefix``, in order of their keys.

    ``bucket`` is its HTTP address, with a slash behind it. Raises ValueError.
    """
    key = ""
    for url, page in _pages(f"{bucket}?list-type=2&prefix={quote(prefix)}", get):
        for entry in page.iterfind("{*}Contents"):
            last, key = key, entry.findtext("{*}Key", "")
            size = entry.findtext("{*}Size", "")
            if not key or not size.isdecimal():
                raise ValueError(f"{url} lists an object without key or size")
            require_onward(url, last, key)
            etag = entry.findtext("{*}ETag", "").strip('"').lower()
            yield Listed(key, int(size), etag if _MD5.fullmatch(etag) else "")


def folders(bucket: str, prefix: str, get: Get) -> Iterator[str]:
    """Yield the first folders below ``prefix``, each with its slash, in their order.

    Raises ValueError.
    """
    name = ""
    for url, page in _pages(f"{bucket}?list-type=2&delimiter=/&prefix={quote(prefix)}", get):
        for folder in page.iterfind("{*}CommonPrefixes/{*}Prefix"):
            last, name = name, folder.text or ""
            require_onward(url, last, name)
            yield name


def require_onward(url: str, last: str, name: str) -> None:
    """Raise ValueError unless a name stands behind the last one, as stores list: no circle ends."""
    if name <= last:
        raise ValueError(f"{url} lists {name[:200]!r} behind {last[:200]!r}: it would never end")


def _pages(query: str, get: Get) -> Iterator[tuple[str, etree._Element]]:
    """Yield the answers to a listing request, each with its address, to the last."""
    url, seen = query, {""}
    while True:
        page = xml_root(url, "ListBucketResult", get)
        yield url, page
        token = page.findtext("{*}NextContinuationToken", "")
        if token in seen:
            if token or page.findtext("{*}IsTruncated") == "true":
                raise ValueError(f"{url} says that more follows, and not where")
            return
        seen.add(token)
        url = f"{query}&continuation-token={quote(token, safe='')}"
