"""Tests of the byte alphabet."""

from tokenizers.pre_tokenizers import ByteLevel

from tokenizer.alphabet import CHARACTER_OF_BYTE, UTF8_BYTES, spelled


def test_the_alphabet_is_the_one_of_hf_tokenizers() -> None:
    """256 characters, each its own byte's."""
    assert sorted(CHARACTER_OF_BYTE) == sorted(ByteLevel.alphabet())
    assert (CHARACTER_OF_BYTE[ord(" ")], CHARACTER_OF_BYTE[ord("\n")]) == ("Ġ", "Ċ")


def test_bytes_are_spelled_as_hf_tokenizers_spells_them() -> None:
    """Every byte that UTF-8 has, each at its place."""
    text = "".join(map(chr, range(0x800))) + "\u0800\ud7ff\uffff\U00010000\U0010ffff"
    pieces = ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    assert spelled(text.encode("utf-8")) == "".join(piece for piece, _ in pieces)


def test_utf8_bytes_are_those_that_some_character_has() -> None:
    """243 of the 256 occur in UTF-8."""
    used: set[int] = set()
    for code_point in [*range(0xD800), *range(0xE000, 0x11_0000, 7), 0x10_FFFF]:
        used.update(chr(code_point).encode("utf-8"))
    assert tuple(sorted(used)) == UTF8_BYTES
    assert len(UTF8_BYTES) == 243
