"""Object stores as they list what they hold: S3 (ListObjectsV2) and Google Cloud Storage (JSON)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from standin import NOT_FOUND, Ask, Host, Reply, file

S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def s3_bucket(objects: Mapping[str, bytes], page: int = 2) -> Host:
    """Play a bucket of S3; its listing has ``page`` entries a page, where S3 has 1,000."""

    def answer(ask: Ask) -> Reply:
        if ask.path:
            return file(objects[ask.path]) if ask.path in objects else NOT_FOUND
        if ask.query.get("list-type") != "2":
            return Reply(b"<Error><Code>InvalidRequest</Code></Error>", 400)
        return _s3_listing(objects, ask.query, page)

    return answer


def _s3_listing(objects: Mapping[str, bytes], query: Mapping[str, str], page: int) -> Reply:
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    entries: dict[str, str] = {}
    for key in sorted(key for key in objects if key.startswith(prefix)):
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        entry = f"{prefix}{head}{found}" if found else key
        entries[entry] = _folder(entry) if found else _object(key, objects[key])
    start = int(query.get("continuation-token", "next:0").removeprefix("next:"))
    shown = list(entries.values())[start : start + page]
    more = start + page < len(entries)
    token = f"<NextContinuationToken>next:{start + page}</NextContinuationToken>" if more else ""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult {S3}><Name>bucket</Name>'
        f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(shown)}</KeyCount><MaxKeys>{page}</MaxKeys>"
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(shown)}</ListBucketResult>"
    )
    return Reply(body.encode(), 200, {"Content-Type": "application/xml"})


def _folder(prefix: str) -> str:
    return f"<CommonPrefixes><Prefix>{escape(prefix)}</Prefix></CommonPrefixes>"


def _object(key: str, content: bytes) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-01T01:00:00.000Z</LastModified>"
        f"<ETag>&quot;{hashlib.md5(content).hexdigest()}&quot;</ETag><Size>{len(content)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def cloud_storage(buckets: Mapping[str, Mapping[str, bytes]], page: int = 2) -> Host:
    """Play storage.googleapis.com: objects below their bucket, listings below ``storage/v1/b``."""

    def answer(ask: Ask) -> Reply:
        if ask.path.startswith("storage/v1/b/"):
            bucket, _, rest = ask.path.removeprefix("storage/v1/b/").partition("/")
            if rest != "o" or bucket not in buckets:
                return NOT_FOUND
            return _gcs_listing(buckets[bucket], ask.query, page)
        bucket, _, name = ask.path.partition("/")
        objects = buckets.get(bucket, {})
        return file(objects[name]) if name in objects else NOT_FOUND

    return answer


def _gcs_listing(objects: Mapping[str, bytes], query: Mapping[str, str], page: int) -> Reply:
    names = sorted(name for name in objects if name.startswith(query.get("prefix", "")))
    start = int(query.get("pageToken", "p0")[1:])
    items = [
        {
            "name": name,
            "size": str(len(objects[name])),
            "md5Hash": base64.b64encode(hashlib.md5(objects[name]).digest()).decode(),
        }
        for name in names[start : start + page]
    ]
    more = {"nextPageToken": f"p{start + page}"} if start + page < len(names) else {}
    body = json.dumps({"items": items, **more}).encode()
    return Reply(body, 200, {"Content-Type": "application/json; charset=UTF-8"})
