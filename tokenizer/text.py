"""Text that can be encoded: a string without lone surrogates."""


class UnencodableText(ValueError):  # noqa: N818 - the name says what is wrong with the text
    """A document that cannot be turned into tokens without loss."""


def utf8(text: str, number: int) -> bytes:
    """Return the document's UTF-8 bytes; `UnencodableText` names it by number if it has none."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        code_point = ord(text[error.start])
        raise UnencodableText(
            f"document {number}: lone surrogate U+{code_point:04X} at character {error.start}; "
            "it is no Unicode text: replace the character (by U+FFFD, say) where it is read"
        ) from None
