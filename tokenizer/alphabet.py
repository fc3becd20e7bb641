"""The byte alphabet of GPT-2: every byte stands for one printable character.

Bytes that print in Latin-1 stand for themselves; the other 68 are given the code points from U+0100
on, in byte order (https://github.com/openai/gpt-2, ``bytes_to_unicode``).
"""

_PRINTABLE = frozenset([*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)])
_OTHERS = [byte for byte in range(256) if byte not in _PRINTABLE]

CHARACTER_OF_BYTE: tuple[str, ...] = tuple(
    chr(byte if byte in _PRINTABLE else 0x100 + _OTHERS.index(byte)) for byte in range(256)
)
"""The character that stands for each byte, by byte value."""

BYTE_OF_CHARACTER: dict[str, int] = {c: byte for byte, c in enumerate(CHARACTER_OF_BYTE)}
"""The byte that each character stands for."""

UTF8_BYTES: tuple[int, ...] = tuple(
    byte for byte in range(256) if byte not in (0xC0, 0xC1) and byte < 0xF5
)
"""The 243 bytes that occur in well-formed UTF-8 (Unicode 15, Table 3-7), ascending."""


def spelled(text: bytes) -> str:
    """Return the bytes in the alphabet's characters, one for each byte."""
    return "".join(CHARACTER_OF_BYTE[byte] for byte in text)
