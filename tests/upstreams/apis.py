"""Upstreams that are asked by an API: GitHub, the Open Data Portal, HackerNews, RePORTER, archive.org."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standin import NOT_FOUND, Ask, Host, Reply, file, redirect

UNAUTHORISED = Reply(b'{"message": "Bad credentials"}', 401, {"Content-Type": "application/json"})
FORBIDDEN = Reply(b'{"message": "Forbidden"}', 403, {"Content-Type": "application/json"})
RATE = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29", "X-RateLimit-Reset": "1793491200"}


def _json(value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Reply(json.dumps(value).encode(), 200, {**kind, **(headers or {})})


def github(archives: Mapping[str, bytes], token: str, codeload: str) -> Host:
    """Play api.github.com: a search in pages, and archives that redirect to ``codeload``."""

    def answer(ask: Ask) -> Reply:
        if ask.headers.get("authorization") != f"Bearer {token}":
            return UNAUTHORISED
        if ask.path == "search/repositories":
            size, page = int(ask.query["per_page"]), int(ask.query["page"])
            names = sorted(archives)[(page - 1) * size : page * size]
            items = [{"full_name": name, "stargazers_count": 101} for name in names]
            found = {"total_count": len(archives), "incomplete_results": False, "items": items}
            return _json(found, RATE)
        match = re.fullmatch(r"repos/([^/]+/[^/]+)/tarball", ask.path)
        if match is None or match[1] not in archives:
            return NOT_FOUND
        return redirect(f"{codeload}{match[1]}/legacy.tar.gz/refs/heads/main")

    return answer


def codeload(archives: Mapping[str, bytes]) -> Host:
    """Play codeload.github.com, which has no use for the token."""

    def answer(ask: Ask) -> Reply:
        name = ask.path.removesuffix("/legacy.tar.gz/refs/heads/main")
        if "authorization" in ask.headers:
            return FORBIDDEN
        return file(archives[name], "application/x-gzip") if name in archives else NOT_FOUND

    return answer


@dataclass(frozen=True)
class Weekly:
    """A file of a product of the Open Data Portal."""

    product: str
    day: str
    name: str
    content: bytes


def open_data_portal(files: Sequence[Weekly], key: str, signed: str) -> Host:
    """Play api.uspto.gov: products that list their files, which redirect to signed addresses."""
    base = "api/v1/datasets/products/"

    def answer(ask: Ask) -> Reply:
        if ask.headers.get("x-api-key") != key:
            return FORBIDDEN
        product = ask.path.removeprefix(base)
        held = [weekly for weekly in files if weekly.product == product]
        if held:
            return _json({"count": 1, "bulkDataProductBag": [_product(product, held)]})
        name = ask.path.rpartition("/")[2]
        if ask.path.startswith(f"{base}files/") and any(one.name == name for one in files):
            return redirect(f"{signed}{name}?Expires=1793491200&Signature=made-up")
        return NOT_FOUND

    return answer


def _product(product: str, files: Sequence[Weekly]) -> dict[str, Any]:
    bag = [
        {
            "fileName": one.name,
            "fileSize": len(one.content),
            "fileDataFromDate": one.day,
            "fileDataToDate": one.day,
            "fileTypeText": "Data",
            "fileDownloadURI": (
                "https://api.uspto.gov/api/v1/datasets/products/files/"
                f"{product}/{one.day[:4]}/{one.name}"
            ),
        }
        for one in reversed(files)
    ]
    return {
        "productIdentifier": product,
        "productFileTotalQuantity": len(bag),
        "productFileBag": {"count": len(bag), "fileDataBag": bag},
    }


def signed_files(files: Sequence[Weekly]) -> Host:
    """Play data.uspto.gov, which wants the signature and not the key."""
    held = {one.name: one.content for one in files}

    def answer(ask: Ask) -> Reply:
        if "Signature" not in ask.query or "x-api-key" in ask.headers:
            return FORBIDDEN
        return file(held[ask.path], "application/zip") if ask.path in held else NOT_FOUND

    return answer


def firebase(items: Mapping[int, bytes]) -> Host:
    """Play hacker-news.firebaseio.com: an item a request, ``null`` where there is none."""

    def answer(ask: Ask) -> Reply:
        if ask.path == "v0/maxitem.json":
            return _json(max(items))
        match = re.fullmatch(r"v0/item/(\d+)\.json", ask.path)
        if match is None:
            return NOT_FOUND
        content = items.get(int(match[1]), b"null")
        return Reply(content, 200, {"Content-Type": "application/json; charset=utf-8"})

    return answer


def reporter(years: Mapping[int, bytes]) -> Host:
    """Play reporter.nih.gov: a zip a fiscal year, named by a header alone."""

    def answer(ask: Ask) -> Reply:
        match = re.fullmatch(r"exporter/abstracts/download/(\d{4})", ask.path)
        if match is None or int(match[1]) not in years:
            return NOT_FOUND
        name = f"RePORTER_PRJABS_C_FY{match[1]}.zip"
        reply = file(years[int(match[1])], "application/zip")
        disposition = {"Content-Disposition": f"attachment; filename={name}"}
        return Reply(reply.body, 200, {**reply.headers, **disposition})

    return answer


def archive_org(items: Mapping[str, Mapping[str, bytes]], node: str) -> Host:
    """Play archive.org: an item's list of files, and files that redirect to a ``node``."""

    def answer(ask: Ask) -> Reply:
        _, _, place = ask.path.partition("download/")
        item, _, name = place.partition("/")
        files = items.get(item, {})
        if name == f"{item}_files.xml":
            return Reply(_files_xml(files), 200, {"Content-Type": "text/xml"})
        return redirect(f"{node}{place}") if name in files else NOT_FOUND

    return answer


def _files_xml(files: Mapping[str, bytes]) -> bytes:
    entries = "".join(
        f'  <file name="{name}" source="original"><mtime>1735689600</mtime>'
        f"<size>{len(content)}</size><md5>{hashlib.md5(content).hexdigest()}</md5>"
        f"<sha1>{hashlib.sha1(content).hexdigest()}</sha1><format>7z</format></file>\n"
        for name, content in sorted(files.items())
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<files>\n{entries}</files>\n'.encode()
