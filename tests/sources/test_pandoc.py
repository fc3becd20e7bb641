"""Pandoc in its cage: what it gives, and what it is kept from."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from sources.formats import pandoc

PAPER = r"""\documentclass{article}
\title{A title}
\begin{document}
\maketitle
\section{First}
%s
\end{document}
"""
RUNAWAY = r"\def\endless{x\endless}\endless"


LIMITS = pandoc.Limits()


def latex(body: str, limits: pandoc.Limits = LIMITS) -> str:
    """Convert a paper with this body, as the source arxiv does."""
    return pandoc.convert((PAPER % body).encode(), "latex", pandoc.STANDALONE, limits)


def refusal(body: str, limits: pandoc.Limits = LIMITS) -> str:
    """Return why pandoc gives no text for a paper with this body."""
    with pytest.raises(pandoc.PandocError) as caught:
        latex(body, limits)
    return caught.value.reason


def impostor(folder: Path, script: str) -> str:
    """Write a program to run in pandoc's place."""
    program = folder / "pandoc"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def test_headings_are_underlined_and_lines_not_wrapped() -> None:
    """Markdown has the published form, with title and date before it if it stands alone."""
    long_line = "Many words. " * 40
    assert latex(long_line) == f"---\ntitle: A title\n---\n\nFirst\n=====\n\n{long_line.strip()}\n"


def test_without_standalone_the_front_matter_is_left_out() -> None:
    """The default arguments give the body alone."""
    assert pandoc.convert((PAPER % "x").encode(), "latex") == "First\n=====\n\nx\n"


def test_characters_of_any_script_come_back() -> None:
    """Input and output are UTF-8, whatever the locale."""
    assert "Ünïcode 数学 \U0001f9ec" in latex("Ünïcode 数学 \U0001f9ec")


def test_the_day_of_the_run_is_not_printed() -> None:
    r"""``\today`` is the first day of Unix time, so the same input gives the same output."""
    assert "1970-01-01" in latex(r"\today")


def test_version_names_the_bundled_program() -> None:
    """The version is a dotted number."""
    assert all(part.isdigit() for part in pandoc.version().split("."))


def test_no_file_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an absolute path nor one in the caller's folder gets into the text."""
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret.tex"
    secret.write_text("the secret", encoding="utf-8")
    text = latex(
        rf"\input{{{secret}}} \input{{secret}} \include{{secret}} \lstinputlisting{{{secret}}} end"
    )
    assert "the secret" not in text
    assert text.endswith("end\n")


def test_the_users_own_settings_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template in the user's data folder is not found."""
    before = latex("x")
    templates = tmp_path / "pandoc" / "templates"
    templates.mkdir(parents=True)
    (templates / "default.markdown").write_text("mine", encoding="utf-8")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("GHCRTS", "-M1M")
    assert latex("x") == before


def test_broken_latex_is_refused_with_pandocs_words() -> None:
    """The error says where pandoc stopped."""
    with pytest.raises(pandoc.PandocError, match=r"line \d+") as caught:
        latex(r"\begin{itemize}\item x\end{enumerate}")
    assert caught.value.reason == "pandoc_failed"


def test_a_macro_in_terms_of_itself_is_refused() -> None:
    """Pandoc notices plain loops."""
    assert refusal(r"\newcommand{\a}{\b}\newcommand{\b}{\a}\a") == "pandoc_failed"


def test_endless_expansion_ends_at_the_limit_of_time() -> None:
    """Processor time is counted in whole seconds."""
    assert refusal(RUNAWAY, pandoc.Limits(cpu_seconds=1)) == "pandoc_timeout"


def test_endless_expansion_ends_at_the_limit_of_memory() -> None:
    """The heap bound falls first if it is low."""
    assert refusal(RUNAWAY, pandoc.Limits(heap_mib=48)) == "pandoc_memory"


def test_exponential_macros_end_at_a_limit() -> None:
    """Ten times ten times ten ... words are not written."""
    names = "abcdefghijkl"
    laughs = r"\newcommand{\za}{lol }" + "".join(
        rf"\newcommand{{\z{after}}}{{" + rf"\z{name}" * 10 + "}" for name, after in pairwise(names)
    )
    assert refusal(laughs + r"\zl", pandoc.Limits(heap_mib=48)) == "pandoc_memory"


def test_output_has_a_limit() -> None:
    """More than the limit is never written to the disk."""
    listing = b"    " + b"w" * 1_200_000
    with pytest.raises(pandoc.PandocError) as caught:
        pandoc.convert(listing, "commonmark", limits=pandoc.Limits(output_mib=1))
    assert caught.value.reason == "pandoc_output"


def test_entities_of_hostile_xml_are_not_expanded() -> None:
    """A billion laughs and a file of the system end in a refusal, at once."""
    bomb = b"""<?xml version="1.0"?><!DOCTYPE article [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">
    <!ENTITY passwords SYSTEM "file:///etc/passwd">]>
    <article><body><p>&b; &passwords;</p></body></article>"""
    with pytest.raises(pandoc.PandocError, match="Unresolved") as caught:
        pandoc.convert(bomb, "jats")
    assert caught.value.reason == "pandoc_failed"


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refusal no temporary file stands."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert refusal(RUNAWAY, pandoc.Limits(heap_mib=32)) == "pandoc_memory"
    assert list(tmp_path.iterdir()) == []


def test_threads_may_convert_at_once() -> None:
    """Each call has its own process and folder."""
    bodies = [f"Paragraph {number}." for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(latex, bodies)) == [latex(body) for body in bodies]


def test_death_from_outside_is_not_the_documents_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill, as for want of memory, is an error of the machine and may be tried again."""
    monkeypatch.setattr(pandoc, "_binary", lambda: impostor(tmp_path, "kill -9 $$"))
    with pytest.raises(OSError, match="killed from outside"):
        latex("x")


def test_a_machine_without_a_turn_to_give_is_not_the_documents_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits without using time is ended, with all that it started."""
    mark = tmp_path / "mark"
    script = f"(sleep 0.6; echo alive > {mark}) & sleep 60"
    monkeypatch.setattr(pandoc, "_binary", lambda: impostor(tmp_path, script))
    with pytest.raises(OSError, match="got nowhere"):
        latex("x", pandoc.Limits(wall_seconds=0.3))
    monkeypatch.setattr(pandoc, "_binary", lambda: impostor(tmp_path, "sleep 0.7"))
    assert latex("x") == ""
    assert not mark.exists()


def test_limits_that_cannot_be_set_are_not_the_documents_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without its cage pandoc is not started."""
    monkeypatch.setattr(pandoc, "_CAGE", pandoc._CAGE.replace('-t "$2"', "-t nonsense"))
    with pytest.raises(OSError, match="could not be set"):
        latex("x")


def test_fences_of_divs_are_deleted_with_their_newlines() -> None:
    """Only lines that begin with three colons go."""
    markdown = "::: {.note}\nkept ::: \n:::::\n\n ::: kept\n:::"
    assert pandoc.without_div_lines(markdown) == "kept ::: \n\n ::: kept\n"
