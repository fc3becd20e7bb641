"""LaTeX sources: what is TeX, which file is the paper, what its bytes mean."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import latex

RUSSIAN = "Эта статья рассказывает про теорию простых чисел. Привет, мир."
CHINESE = "中文論文的標題與摘要關於數論及其應用"

FILES = {
    "main.tex": b"A \\input{one} B",
    "one.tex": b"1 \\input two 1",
    "two.tex": b"2",
    "sections/three.tex": b"3",
    "loop.tex": b"L \\input{loop} \\input{./loop.tex} L",
}


@pytest.mark.parametrize(
    "content",
    [
        rb"\documentclass{article}",
        rb"\documentstyle[12pt]{article}",
        b"% a comment\r\n\\input amstex",
        b"\xef\xbb\xbf\\begin{document}",
        b"caf\xe9 \\section{x}",
        b" " * 4095 + rb"\relax",
    ],
)
def test_tex_is_text_with_a_control_word_near_its_beginning(content: bytes) -> None:
    """Any charset will do; the word may begin up to byte 4095."""
    assert latex.is_tex(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"This paper has been withdrawn.",
        b" " * 4096 + rb"\relax",
        rb"\begin{document}" + b"\x00",
        b"\x01\\documentclass{article}",
        b"%!PS-Adobe-2.0\n%%Title: x.dvi",
        b"<html><body>\\ </body></html>",
        b"%PDF-1.4\n\\begin\x7f",
    ],
)
def test_all_else_is_no_tex(content: bytes) -> None:
    """Bytes that text never has decide before words do."""
    assert not latex.is_tex(content)


@pytest.mark.parametrize(
    ("names", "mains"),
    [
        (["x.tex", "main.tex"], ["main.tex"]),
        (["Main.tex", "MAIN.tex", "paper.tex"], ["Main.tex"]),
        (["paper.tex", "Paper.tex", "t.tex"], ["paper.tex"]),
        (["only.tex", "sub/other.tex", "fig.eps"], ["only.tex"]),
        (["t2.tex", "t1.tex", "plain.tex"], ["t1.tex", "t2.tex"]),
        (["a.tex", "b.tex"], []),
        (["sub/main.tex"], []),
        (["t1.tex", "._t1.tex"], ["t1.tex"]),
        (["paper.TEX", "paper.ltx"], []),
        ([], []),
    ],
)
def test_main_files_are_chosen_as_published(names: list[str], mains: list[str]) -> None:
    r"""A set name, else the only file at the top, else all there with ``\title``."""
    titled = {name: rb"\title{x}" if "t1" in name or "t2" in name else b"" for name in names}
    assert latex.main_files(titled) == tuple(mains)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain", "ascii"),
        ("Gödel, naïve, 数学", "utf-8"),
        ("Gödel", "utf-8-sig"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "iso8859-5"),
        (RUSSIAN, "mac-cyrillic"),
        (RUSSIAN, "utf-16"),
        (CHINESE, "big5"),
        (CHINESE, "gb18030"),
    ],
)
def test_charsets_are_told(text: str, encoding: str) -> None:
    """UTF-8 is tried first; then other scripts, where there is enough to go by."""
    assert latex.decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Poincaré and Gödel, naïvely",
        "One é",
        "“A quotation” \N{EN DASH} and a dash",
        "at 90°, ±1, x², §2, 3µm",
        "Möbius, Hölder, Szegö, Fréchet, Cramér, Rényi, Häggström",
        "Universität München, São Paulo, España",
    ],
)
@pytest.mark.parametrize("rest", ["", r"\begin{theorem} Let $x$ be as in the paper. " * 50])
def test_western_names_are_not_taken_for_another_script(text: str, rest: str) -> None:
    """A few accents in English are Windows-1252, of which Latin-1 is a part."""
    assert latex.decode((rest + text + rest).encode("windows-1252")) == rest + text + rest


def test_bytes_of_no_charset_have_no_text() -> None:
    """What not even Windows-1252 has is given up."""
    assert latex.decode(b"\x81 \x8d \x8f") is None


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_utf8_is_never_taken_for_another(text: str) -> None:
    """Whatever can be UTF-8 is, without its byte order mark."""
    assert latex.decode(text.encode()) == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"A \input{one} B", "A 1 2 1 B"),
        (r"\include{sections/three}\input{ ./two.tex }", "32"),
        (r"\input{missing} \input{../main} \input{}", r"\input{missing} \input{../main} \input{}"),
        ("% \\input{two}\n\\input{two}", "% \\input{two}\n2"),
        (r"50\% \input{two}", r"50\% 2"),
        ("\\\\% \\input{two}", "\\\\% \\input{two}"),
        (r"\inputs{two} \includegraphics{two} \input@{two}", None),
        (r"\input{loop}", r"L \input{loop} \input{./loop.tex} L"),
    ],
)
def test_included_files_are_put_in_their_places(body: str, text: str | None) -> None:
    """Comments are left alone, and so is what is missing or already open."""
    files = {**FILES, "main.tex": body.encode()}
    assert latex.with_inputs("main.tex", files, 1000) == (body if text is None else text)


def test_inclusion_has_a_limit() -> None:
    """Ten files that each include the next ten times stop early, even if they are empty."""
    files = {
        f"{number}.tex": b"\\input{%d}" % (number + 1) * 10 if number < 9 else b""
        for number in range(10)
    }
    with pytest.raises(latex.TooLongError):
        latex.with_inputs("0.tex", files, 100_000)


def test_a_main_file_of_no_charset_has_no_text() -> None:
    """An included one of that kind stays unread."""
    files = {"bad.tex": b"\x81 \x8d \x8f", "main.tex": b"\\input{bad}"}
    assert latex.with_inputs("bad.tex", files, 100) is None
    assert latex.with_inputs("main.tex", files, 100) == r"\input{bad}"
