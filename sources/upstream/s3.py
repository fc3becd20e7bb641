"""One S3 request at a time, under the rules of the other transports; boto3 carries it.

A request is anonymous first. Only when that is denied does it go out again, in a turn of its own, signed
with what boto3 finds of the user's credentials, as do all later ones to that bucket; and that the requester pays is offered only if the guest may spend.
A part is asked for under ``If-Match``, so that it is of the known version or none comes. In how many
parts ever it comes, an object is to be checked against the MD5 that its ETag is, as S3's documentation
says, for one that was uploaded whole and is not encrypted by a key of its owner's, except in directory
buckets.
``AWS_ENDPOINT_URL_S3`` and its kin lead elsewhere, as for all AWS tools. No message shows more of a
refusal than its code: its text may name the account and the key.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import boto3
import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - that of botocore: no connection, whatever the reason
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from requests.structures import CaseInsensitiveDict

from sources.upstream.answer import UNKNOWN, Answer, Version
from sources.upstream.attempts import CHECK_URL, Interrupted, Patience, UpstreamError
from sources.upstream.flow import flowing
from sources.upstream.guest import ALONE, Guest
from sources.upstream.http import (
    CHUNK,
    NOT_TO_BE_HAD,
    PASSING_STATUSES,
    REMEDIES,
    retry_after,
    unanswered,
    user_agent,
)

DIRECTORY_BUCKET = "--x-s3"
"""End of the name of a directory bucket (S3 Express One Zone), whose ETags are no MD5."""

DEFAULT_REGION = "us-east-1"
PASSING_CODES = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException"}
DENIED = {"AccessDenied", "403"}
SIGNED: set[str] = set()
"""Buckets that gave this process a signed request what they denied an anonymous one."""

NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
)
SET_CREDENTIALS = (
    "set AWS credentials where boto3 finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a"
    " profile (`aws configure`)"
)
SET_SPENDING = (
    "if its bucket lets whoever asks pay, say how many dollars it may cost: [run] spend_usd; of a source"
    " without a known price, get the file by other means, and give it as one of your own"
)


@contextmanager
def ask(
    url: str,
    patience: Patience,
    start: int = 0,
    known: Version = UNKNOWN,
    guest: Guest = ALONE,
) -> Iterator[Answer]:
    """Ask for an object, or for what follows byte ``start`` of its ``known`` version.

    Raises UpstreamError, or Interrupted (also from ``pieces``) if asking again may help.
    """
    wanted = _place(url)
    part = bool(start and known.etag)
    if part:
        wanted |= {"Range": f"bytes={start}-", "IfMatch": str(known.etag)}
    asked_signed = (True,) if wanted["Bucket"] in SIGNED else (False, True)
    for signed in asked_signed:
        with guest.manners.turn(_host(wanted), patience.budget):
            try:
                response = _response(url, wanted, patience, guest, signed=signed)
            except ClientError as error:
                if not signed and _code(error) in DENIED:
                    continue
                if not (part and _status(error) == 416 and start == known.size):
                    raise _held(_refusal(url, error), guest, _host(wanted)) from None
                # If-Match holds before a range is looked at: the known version ends here.
                yield Answer(known, start, True, iter(()))
                return
            if signed:
                SIGNED.add(wanted["Bucket"])
            with response["Body"] as body:
                answer = _answer(body, response, patience, start if part else 0, known)
                if not part:
                    version = replace(answer.version, md5=_md5(response, wanted["Bucket"]))
                    answer = replace(answer, version=version)
                yield answer
            return


def _held(refusal: Exception, guest: Guest, host: str) -> Exception:
    """Leave a host alone for as long as its refusal says."""
    if isinstance(refusal, Interrupted):
        guest.manners.hold(host, refusal.retry_after)
    return refusal


def _place(url: str) -> dict[str, str]:
    """Return bucket and key; the key is all that follows, as it stands."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not bucket or not key or not set("@:?#%").isdisjoint(bucket):
        raise UpstreamError(url, "not of the form s3://bucket/key", CHECK_URL)
    return {"Bucket": bucket, "Key": key}


def _host(wanted: Mapping[str, str]) -> str:
    """Return the host that a pace is stated for, wherever the endpoint is."""
    return f"{wanted['Bucket']}.s3.amazonaws.com"


def _response(
    url: str, wanted: Mapping[str, str], patience: Patience, guest: Guest, *, signed: bool
) -> Mapping[str, Any]:
    """Ask once, anonymously or as the user; raises ClientError for a refusal."""
    agent = user_agent(guest.manners.contact)
    if not signed:
        return _sent(url, wanted, patience, agent, signed=False)
    try:
        payer = {"RequestPayer": "requester"} if guest.spend else {}
        return _sent(url, {**wanted, **payer}, patience, agent, signed=True)
    except NO_CREDENTIALS as error:
        what = (
            "it denies anonymous requests (or has no such object), and boto3 has no credentials"
            f" ({type(error).__name__})"
        )
        remedy = SET_CREDENTIALS if guest.spend else f"{SET_CREDENTIALS}; {SET_SPENDING}"
        raise UpstreamError(url, what, remedy) from None
    except ClientError as error:
        if _code(error) not in DENIED or guest.spend:
            raise
        what = "it denies this request, anonymous and signed"
        raise UpstreamError(url, what, SET_SPENDING) from None


def _sent(
    url: str, wanted: Mapping[str, str], patience: Patience, agent: str, *, signed: bool
) -> Mapping[str, Any]:
    """Send one request; raises ClientError for a refusal, and for missing credentials."""
    try:
        get = client(signed, agent, patience.connect_timeout, patience.read_timeout)
        return get(**wanted)
    except (*NO_CREDENTIALS, ClientError):
        raise
    except (ConnectionError, HTTPClientError, urllib3.exceptions.HTTPError) as error:
        raise unanswered(url, error) from None
    except (ValueError, OverflowError) as error:  # of headers that botocore cannot read
        raise Interrupted(f"an answer that cannot be read ({type(error).__name__})") from None
    except BotoCoreError as error:
        what = f"a request that cannot be made ({type(error).__name__})"
        raise UpstreamError(url, what, CHECK_URL) from None


def has_credentials() -> bool:
    """Tell whether boto3 finds credentials of the user's, wherever it looks for them."""
    try:
        return boto3.session.Session().get_credentials() is not None
    except BotoCoreError:
        return False


@lru_cache(maxsize=8)
def client(
    signed: bool, agent: str, connect_timeout: float, read_timeout: float
) -> Callable[..., Mapping[str, Any]]:
    """Return the method of a client that asks once for an object; making one takes long."""
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"total_max_attempts": 1},
        user_agent=agent,
        response_checksum_validation="when_required",
        signature_version=None if signed else UNSIGNED,
    )
    session = boto3.session.Session()
    if signed and session.get_credentials() is None:
        raise NoCredentialsError
    region = session.region_name or DEFAULT_REGION
    get: Callable[..., Mapping[str, Any]] = session.client(
        "s3", region_name=region, config=config
    ).get_object
    return get


def _answer(
    body: urllib3.HTTPResponse,
    response: Mapping[str, Any],
    patience: Patience,
    start: int,
    known: Version,
) -> Answer:
    length, etag = response.get("ContentLength"), response.get("ETag")
    stated = response.get("ContentRange")
    if start:
        size = known.size if known.size is not None else start + (length or 0)
        same = etag == known.etag and length == size - start
        if not same or stated != f"bytes {start}-{size - 1}/{size}":
            what = f"a wrong part came (Content-Range: {stated!r} for bytes={start}-)"
            raise Interrupted(what, start_over=True)
        version = known
    elif stated is not None:
        raise Interrupted(f"a part came unasked (Content-Range: {stated!r})", start_over=True)
    else:
        version = _version(response)
    pieces = flowing(lambda: _read(body), length, patience)
    return Answer(version, start, length is not None, pieces)


def _version(response: Mapping[str, Any]) -> Version:
    etag, modified = response.get("ETag"), response.get("LastModified")
    strong = etag if etag is not None and etag.startswith('"') else None
    stamp = modified.isoformat() if modified is not None else None
    return Version(etag, stamp, strong, response.get("ContentLength"))


def _md5(response: Mapping[str, Any], bucket: str) -> str | None:
    """Return the MD5 that an object's ETag is, where it is one."""
    match = re.fullmatch(r'"([0-9a-f]{32})"', response.get("ETag") or "")
    owners_key = response.get("SSECustomerAlgorithm") or response.get("SSEKMSKeyId")
    return match[1] if match and not owners_key and not bucket.endswith(DIRECTORY_BUCKET) else None


def _read(body: urllib3.HTTPResponse) -> bytes:
    try:
        return body.read1(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Interrupted(f"the answer broke off ({type(error).__name__})") from None


def _refusal(url: str, error: ClientError) -> Exception:
    status, code = _status(error), _code(error)
    what = f"answers {status} {code}"
    if code in PASSING_CODES or status in PASSING_STATUSES or status >= 500:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return Interrupted(what, retry_after(CaseInsensitiveDict(headers)))
    if status in {412, 416}:
        return Interrupted(what, start_over=True)
    if status in {400, 401, 403}:
        return UpstreamError(
            url, what, f"it refuses this request as it is signed: {SET_CREDENTIALS}"
        )
    return UpstreamError(
        url, what, REMEDIES.get(status, CHECK_URL), missing=status in NOT_TO_BE_HAD
    )


def _code(error: ClientError) -> str:
    """Return the code of a refusal if it looks like one."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if code.isascii() and code.isalnum() and len(code) < 50 else "unknown"


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
