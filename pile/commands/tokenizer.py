"""``pile tokenizer``: compare tokenizers, and show a text as tokens."""

import os
import re
import sys
from itertools import cycle
from pathlib import Path
from typing import Annotated

import typer

from pile import tokenizers
from pile.commands.options import DEFAULT_CONFIG, open_run
from pile.commands.render import table
from pile.terminal import AsJson, Debug, emit, errors
from pile.tokenizers import Compared
from tokenizer.compare import Fit

app = typer.Typer(
    name="tokenizer",
    help="Compare tokenizers, and show a text as tokens. Example: pile tokenizer show 'a  b'",
    no_args_is_help=True,
)

ConfigPath = Annotated[
    Path | None, typer.Option("-c", "--config", help="The pipeline.toml of a run.")
]

_SHADES = (153, 186, 182, 151, 223)
_MEGABYTE = 1_000_000
_NONE = "-"
_REPEATED = re.compile(r"(.)\1{7,}")


@app.command("compare")
def compare_command(  # noqa: PLR0913, PLR0917 - one parameter an option of the command line
    tokenizer_files: Annotated[
        list[Path], typer.Argument(metavar="TOKENIZER...", help="tokenizer.json, or its folder.")
    ],
    config: ConfigPath = None,
    text: Annotated[
        list[Path] | None, typer.Option("--text", help="A text, or a corpus file (.jsonl.zst).")
    ] = None,
    megabytes: Annotated[float, typer.Option(min=0.0, help="Text at most, in MB.")] = 64.0,
    longest: Annotated[int, typer.Option(min=0, help="How many of the longest tokens.")] = 10,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say how tokenizers fit the sources of a run, or texts: tokens a byte, white space, overlap.

    Examples: pile tokenizer compare work/latest/tokenizer 20B_tokenizer.json -c pipeline.toml;
    pile tokenizer compare 20B_tokenizer.json --text novel.txt --text code.py

    Of a run, what is held out is read first. Components of the Pile stand beside what was published
    of GPT-2's and GPT-NeoX-20B's tokens.
    """
    with errors(debug):
        files = list(text or ())
        if config is not None:
            files += tokenizers.corpus_files(*open_run(config))
        texts = tokenizers.texts(files, int(megabytes * _MEGABYTE))
        found = tokenizers.compare(tokenizer_files, texts, longest)
        emit(tokenizers.to_json(found), comparison(found), as_json=as_json)


@app.command("show")
def show_command(
    what: Annotated[str, typer.Argument(metavar="TEXT|FILE", help="A text, or a file of one.")],
    tokenizer_file: Annotated[
        Path | None, typer.Option("-t", "--tokenizer", help="A tokenizer.json, or its folder.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Print the tokens of a text, coloured on a terminal, between bars elsewhere.

    Examples: pile tokenizer show 'a  b' -t 20B_tokenizer.json;
    pile tokenizer show notes.txt -c pipeline.toml --json

    Without -t it is the tokenizer of the run that -c (pipeline.toml) describes.
    """
    with errors(debug):
        if tokenizer_file is None:
            tokenizer_file = tokenizers.trained(*open_run(config or DEFAULT_CONFIG))
        found = tokenizers.tokens_of(tokenizers.load(tokenizer_file), tokenizers.read_or_take(what))
        value = [{"id": number, "text": text} for number, text in found]
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        shown = coloured(found) if colour else barred(found)
        emit(value, shown, as_json=as_json)


def coloured(tokens: list[tuple[int, str]]) -> str:
    """Return tokens on grounds that alternate; one that begins a character is a mark."""
    parts = (
        f"\x1b[30;48;5;{shade}m{visible(text)}\x1b[0m"
        for (_, text), shade in zip(tokens, cycle(_SHADES), strict=False)
    )
    return "".join(parts).replace("\n\x1b[0m", "\x1b[0m\n") + f"\n{_count(tokens)}"


def barred(tokens: list[tuple[int, str]]) -> str:
    """Return tokens between bars."""
    return "|".join(visible(text) for _, text in tokens) + f"\n{_count(tokens)}"


def visible(text: str) -> str:
    """Return a token with controls as pictures of them; a newline is one, and a newline.

    Nothing of a text may move the cursor or change the terminal. A token that completes no
    character is a middle dot.
    """
    shown = "".join(map(_character, text))
    return shown or "\u00b7"


def _character(character: str) -> str:
    if character == "\n":
        return "\u21b5\n"
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\u2421"
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


def _count(tokens: list[tuple[int, str]]) -> str:
    return f"{len(tokens):,} token{'' if len(tokens) == 1 else 's'}"


def comparison(found: Compared) -> str:
    """Return a comparison as text: vocabularies, sources, the longest tokens."""
    parts = [_vocabularies(found)]
    if found.overlaps:
        parts.append(_overlaps(found))
    if found.fits:
        parts.append(_sources(found))
    if found.longest:
        parts += [_longest(found)]
    return "\n\n".join(parts)


def _vocabularies(found: Compared) -> str:
    rows = [
        (_letter(place), f"{len(v.tokens):,}", f"{len(v.unreachable):,}", one.name)
        for place, one in enumerate(found.tokenizers)
        for v in (one.vocabulary,)
    ]
    return table(("", "ENTRIES", "UNREACHABLE", "TOKENIZER"), rows, (1, 2))


def _overlaps(found: Compared) -> str:
    return "\n".join(
        f"A and {_letter(place)} have {count:,} entries in common"
        for place, (_, _, count) in enumerate(found.overlaps, start=1)
    )


def _sources(found: Compared) -> str:
    """Return tokens a byte and the share of white space, by source and tokenizer."""
    letters = [_letter(place) for place in range(len(found.tokenizers))]
    header = ["SOURCE", "BYTES"]
    for letter in letters:
        header += [f"{letter} TOKENS/BYTE", f"{letter} SPACE"]
    header += [f"{letter}/A" for letter in letters[1:]]
    header += ["GPT-2 SPACE", "20B SPACE", "20B/GPT-2"]
    rows = [_source_row(found, source) for source in found.fits]
    return table(header, rows, range(1, len(header)))


def _source_row(found: Compared, source: str) -> list[str]:
    fits = found.fits[source]
    row = [source, f"{fits[0].text_bytes:,}"]
    for fit in fits:
        row += [f"{fit.tokens_per_byte:.4f}", f"{fit.space_share:.1%}"]
    row += [_ratio(fit, fits[0]) for fit in fits[1:]]
    published = found.published(source)
    if published is None:
        return [*row, _NONE, _NONE, _NONE]
    return [
        *row,
        f"{published.gpt2_space_share:.1%}",
        f"{published.neox_space_share:.1%}",
        f"{published.ratio:.3f}",
    ]


def _ratio(one: Fit, other: Fit) -> str:
    return f"{one.tokens / other.tokens:.3f}" if other.tokens else _NONE


def _longest(found: Compared) -> str:
    lines = []
    for place, one in enumerate(found.tokenizers):
        tokens = (_shortened(token) for token in one.vocabulary.longest(found.longest))
        lines.append(f"longest of {_letter(place)}: {'  '.join(tokens)}")
    return "\n".join(lines)


def _shortened(token: str) -> str:
    """Return a token in quotes, long repetitions of a character as one and their number."""
    return _REPEATED.sub(lambda found: f"{found[1]}\u00d7{len(found[0])}", repr(token))


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"T{place}"
