"""What stands in for pandoc: plain text of JATS and LaTeX."""

import time

import pytest

from sources.formats.plain_extraction import jats_text, latex_text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<sec><title>Ebb</title><p>a <b>b</b> c</p></sec>", "Ebb\n\na b c\n\n"),
        ("<p>one<!-- not this --> line\n of two</p>", "one line of two\n\n"),
        ("<list><list-item><p>a</p></list-item><list-item>b</list-item></list>", "a\n\nb\n\n"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>1</td></tr></table>", "a | b\n\n1\n\n"),
        ("<p>x<tex-math>\\begin{document}</tex-math>y</p>", "xy\n\n"),
        ("<p>never closed", "never closed\n\n"),
        ("", ""),
    ],
)
def test_jats_gives_block_after_block(body: str, text: str) -> None:
    """Headings, paragraphs, items and rows of the body; nothing of the front."""
    front = "<front><article-title>T</article-title></front>"
    assert jats_text(f"<article>{front}<body>{body}</body></article>".encode()) == text


def test_hostile_xml_gives_nothing_of_the_system() -> None:
    """Entities stay unresolved, and what is no XML has no text."""
    bomb = b"""<!DOCTYPE article [<!ENTITY a "lol"><!ENTITY f SYSTEM "file:///etc/passwd">]>
    <article><body><p>kept &f; too</p></body></article>"""
    assert "root:" not in jats_text(bomb)
    assert jats_text(b"") == jats_text(b"\0") == ""


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\section{Ebb} The \emph{tide} goes.", "Ebb The tide goes.\n"),
        ("one % not this\n  line, 5\\% of it", "one line, 5% of it\n"),
        (r"Caf\'e, na\"{\i}ve, {\'e}", "Café, naïve, é\n"),
        (r"see \cite[p.~1]{k} and \ref{a}, {\bf bold}", "see  and , bold\n"),
        (r"\begin{itemize}\item one\item two\end{itemize}", "one\n\ntwo\n"),
        (r"of $x_{1} \ref{a}$~euros", "of $x_{1} \\ref{a}$ euros\n"),
        ("\\begin{equation}\na = \\frac{b}{c}\n\\end{equation}", "\\begin{equation}\na = \\frac{b}{c}\n\\end{equation}\n"),
        (r"pages 1--2 --- all", "pages 1\u20132 \u2014 all\n"),
    ],
)  # fmt: skip
def test_latex_gives_words_and_formulas(tex: str, text: str) -> None:
    """Of commands their arguments, unless these say nothing."""
    document = f"\\documentclass{{a}}\\title{{T}}\\begin{{document}}{tex}\\end{{document}} junk"
    assert latex_text(document) == text


@pytest.mark.parametrize(
    "unit", ["\\begin{", "$", "\\cite{", "{", "}", "\\'", "%\n", "\\", "[", "\n "]
)
def test_time_grows_with_length_alone(unit: str) -> None:
    """Whatever is repeated."""
    started = time.process_time()
    latex_text(unit * 50_000)
    assert time.process_time() - started < 5
