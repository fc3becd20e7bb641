"""E-mail bodies: as the published reader gave them, and as they were meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import mail

HEAD = b"Message-ID: <1@dock.example>\nFrom: wilma@dock.example\n"


def text(
    body: bytes, charset: str = "us-ascii", encoding: str = "7bit", kind: str = "plain"
) -> bytes:
    """Return the headers and body of a text part."""
    return (
        f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    ).encode() + body


def multipart(*parts: bytes, boundary: str = "BB") -> bytes:
    """Return headers and parts of a message of several parts."""
    opening = f'Content-Type: multipart/mixed; boundary="{boundary}"\n\nfor old readers\n'.encode()
    return (
        opening
        + b"".join(f"--{boundary}\n".encode() + part + b"\n" for part in parts)
        + f"--{boundary}--\n".encode()
    )


@pytest.mark.parametrize(
    ("message", "published", "corrected"),
    [
        (text(b"  six \r\n\r\nnot\rseven \n"), "six \n\nnot\nseven", "six \n\nnot\nseven"),
        (text("caf\u00e9 5 \u20ac".encode()), "caf 5 \\u20ac", "caf\u00e9 5 \u20ac"),
        (text(b"caf\xe9 \x93x\x94"), "caf x", "caf\u00e9 \u201cx\u201d"),
        (text(b"caf\xe9", charset="iso-8859-1"), "caf", "caf\u00e9"),
        (text("e\u0301".encode(), charset="utf-8"), "e\\u0301", "e\u0301"),
        (text(b"a=93b=\nc =3D", "cp1252", "quoted-printable"), "a\u201cbc =", "a\u201cbc ="),
        (text(b"e=CC=81", "utf-8", "quoted-printable"), "\u00e9", "e\u0301"),
        (text(b"c2l4\n", encoding="base64"), "six", "six"),
        (text(b"ab\xc3\xa9", charset="nowhere"), "ab", "ab\u00e9"),
        (text(b"abc", charset="idna"), "abc", "abc"),
        (text(b"<p>six</p>", kind="html"), "<p>six</p>", "<p>six</p>"),
        (b"\n", "", ""),
        (b"not a header\n\nsix", "not a header\n\nsix", "not a header\n\nsix"),
    ],
)
def test_bodies_of_one_part(message: bytes, published: str, corrected: str) -> None:
    """Published, characters beyond the charset are lost or escaped; corrected, they are kept."""
    assert mail.as_published(HEAD + message).body == published
    assert mail.corrected(HEAD + message).body == corrected


def test_parts_come_by_their_kind() -> None:
    """Plain text, then HTML, then the rest; corrected takes the plain text alone."""
    message = HEAD + multipart(
        text(b"<b>html</b>", kind="html"),
        text(b"one"),
        multipart(text(b"two"), text(b"{rtf}", kind="rtf"), boundary="CC"),
    )
    assert mail.as_published(message).body == mail.BOUNDARY.join(
        ["one", "two", "<b>html</b>", "{rtf}"]
    )
    assert mail.corrected(message).body == "one\n\ntwo"


def test_attachments_are_no_body() -> None:
    """A file name or a Content-ID makes an attachment of a part."""
    message = HEAD + multipart(
        text(b"body"),
        b'Content-Disposition: attachment; filename="log.txt"\n' + text(b"log"),
        b"Content-ID: <1>\n" + text(b"picture"),
    )
    assert mail.as_published(message).body == "body"
    assert mail.corrected(message).body == "body"


def test_the_id_is_kept() -> None:
    """None where a message has none."""
    assert mail.as_published(HEAD + b"\nbody").message_id == "<1@dock.example>"
    assert mail.as_published(b"From: a\n\nbody").message_id is None


@pytest.mark.parametrize("content", [b"", b"\nFrom: a\n\nbody", b"no header here\n\nbody"])
def test_what_has_no_header_is_no_mail(content: bytes) -> None:
    """The same in both readings."""
    for reading in (mail.as_published, mail.corrected):
        with pytest.raises(mail.NotMailError):
            reading(content)


def test_nesting_beyond_sense_is_refused() -> None:
    """Parsing would take time without bound."""
    message = text(b"deep")
    for level in range(mail.MAX_PARTS + 1):
        message = multipart(message, boundary=f"B{level}")
    with pytest.raises(mail.NotMailError, match="more than 100"):
        mail.as_published(HEAD + message)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["7bit", "base64", "quoted-printable", "uuencode"]))
def test_any_bytes_give_text_that_can_be_written(body: bytes, encoding: str) -> None:
    """Neither reading fails on a body, nor gives half a character."""
    message = HEAD + text(body, encoding=encoding)
    for reading in (mail.as_published, mail.corrected):
        reading(message).body.encode("utf-8")
