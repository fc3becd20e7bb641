r"""Bodies of e-mail messages (RFC 5322, MIME), on the standard library's parser.

`as_published` gives the body that mail-parser 3.12 gave of a file, flaws and all: what is no UTF-8
was dropped as the file was read; a body was stripped at both ends and normalised to NFC; in a body
that is neither quoted-printable nor base64, characters up to U+00FF became one byte and others
``\uXXXX`` before the charset of the header was tried, and what did not fit that was read as UTF-8
without its errors, so that an accent in a message that claims to be ASCII is lost. Text parts
came first, HTML as it stands next, all others last, between lines of ``--- mail_boundary ---``.

`corrected` decodes bytes by the header's charset, else as UTF-8, else as Windows-1252; it takes
plain text alone, parts separated by a blank line, or the rest where no plain text is.

Attachments (a part with a file name or Content-ID) are no body in either.
"""

import codecs
import email
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message
from email.parser import HeaderParser
from unicodedata import normalize

MAX_PARTS = 100
"""Multipart headers of one message; the time that parsing takes grows with their square."""

BOUNDARY = "\n--- mail_boundary ---\n"

_MULTIPART = re.compile(r"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_NO_CHARSETS = frozenset(
    {
        "idna",
        "punycode",
        "undefined",
        "unicode-escape",
        "raw-unicode-escape",
        "utf-7",
        "mbcs",
        "oem",
    }
)
"""Codecs that are none of a text's charset, or that take quadratic time."""


class NotMailError(ValueError):
    """What is no message: it has no headers, or its parts are nested beyond sense."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message's body, and its Message-ID if it has one."""

    message_id: str | None
    body: str


def as_published(content: bytes) -> Mail:
    """Return a message as mail-parser 3.12 read it from a file; raises `NotMailError`."""
    text = content.decode("utf-8", "ignore")
    message = _parsed(text.replace("\r\n", "\n").replace("\r", "\n"))
    bodies = [
        (part, normalize("NFC", _declared(part, payload, _without_errors).strip()))
        for part, payload in _body_parts(message)
    ]
    kept = sorted(
        ((_rank(part), body) for part, body in bodies if body), key=lambda found: found[0]
    )
    return Mail(_message_id(message), BOUNDARY.join(body for _, body in kept))


def corrected(content: bytes) -> Mail:
    """Return a message with its plain text, decoded as well as can be; raises `NotMailError`."""
    message = _parsed(content.decode("ascii", "surrogateescape"))
    ranked: dict[int, list[str]] = {}
    for part, payload in _body_parts(message):
        body = _declared(part, payload, _guessed).replace("\r\n", "\n").replace("\r", "\n").strip()
        if body:
            ranked.setdefault(_rank(part), []).append(body)
    best = ranked[min(ranked)] if ranked else []
    return Mail(_message_id(message), "\n\n".join(best))


def _parsed(text: str) -> Message:
    message = HeaderParser().parsestr(text)
    if not message.keys():
        raise NotMailError("no header")
    if message.get_content_maintype() not in {"multipart", "message"}:
        return message
    if len(_MULTIPART.findall(text)) > MAX_PARTS:
        raise NotMailError(f"more than {MAX_PARTS} parts of parts")
    try:
        return email.message_from_string(text)
    except (MessageError, RecursionError) as error:
        raise NotMailError(f"cannot be parsed: {error}") from error


def _body_parts(message: Message) -> Iterator[tuple[Message, bytes]]:
    """Yield the parts that are no attachment, with their decoded bytes."""
    for part in message.walk():
        if part.is_multipart() or _is_attachment(part):
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield part, payload


def _is_attachment(part: Message) -> bool:
    name = part.get_filename() or str(part.get("content-id", "")).strip()
    return bool(name)


def _rank(part: Message) -> int:
    return {"plain": 0, "html": 1}.get(part.get_content_subtype(), 2)


def _declared(part: Message, payload: bytes, otherwise: Callable[[bytes], str]) -> str:
    """Decode by the charset that the part's header names, or else in another way."""
    charset = str(part.get_content_charset("utf-8"))
    try:
        if codecs.lookup(charset).name in _NO_CHARSETS:
            return otherwise(payload)
        return str(payload, charset)
    except (LookupError, ValueError):  # an unknown charset; bytes or a name that no charset has
        return otherwise(payload)


def _without_errors(payload: bytes) -> str:
    return payload.decode("utf-8", "ignore")


def _guessed(payload: bytes) -> str:
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return payload.decode("cp1252", "replace")


def _message_id(message: Message) -> str | None:
    stated = str(message.get("message-id", "")).strip()
    return stated.encode("utf-8", "replace").decode("utf-8") or None
