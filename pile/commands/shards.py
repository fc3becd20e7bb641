"""``pile shards``: look at, check, merge and split token shards of any run, ours or Megatron's.

A shard is named by its prefix, or by either of its files. New shards are written whole or not at all,
all of a command or none, and never over others: the caches of training frameworks would take them for
the old ones.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from pile import store
from pile.config import ConfigError
from pile.exit_codes import UNVERIFIED
from pile.terminal import AsJson, Debug, emit, errors, say
from shards.format import BadShard, paths_of
from shards.merge import Stretch, copy, divide
from shards.reader import Shard
from shards.verify import Problem, verify
from tokenizer.encode import Encoder

app = typer.Typer(
    name="shards",
    no_args_is_help=True,
    help="Check, merge, split or show token shards: pairs of .bin and .idx files, from any tool.\n\n"
    "Example: pile shards verify old/*.idx --tokenizer 20B_tokenizer.json",
)

SHOWN_TOKENS = 32

Prefixes = Annotated[
    list[str], typer.Argument(metavar="SHARD...", help="Prefixes, or .bin or .idx files.")
]
Output = Annotated[Path, typer.Option("-o", "--output", help="Prefix of what is written.")]
TokenizerJson = Annotated[
    Path | None, typer.Option("--tokenizer", help="The tokenizer.json that made the tokens.")
]


@app.command("verify")
def verify_command(
    shards: Prefixes,
    tokenizer: TokenizerJson = None,
    vocabulary: Annotated[int, typer.Option(min=0, help="Ids there are; 0: any.")] = 0,
    eod: Annotated[int, typer.Option(min=-1, help="Id that ends documents; -1: any.")] = -1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check sizes, header, pointers, documents, ids and EODs; exit 6 if something is wrong.

    Examples: pile shards verify train_text_document; pile shards verify train-*.idx --vocabulary
    50277 --eod 0; pile shards verify train-*.idx --tokenizer 20B_tokenizer.json
    """
    with errors(debug):
        ids, end = vocabulary or None, None if eod < 0 else eod
        if tokenizer is not None:
            encoder = _encoder(tokenizer)
            ids, end = ids or encoder.vocabulary_size, encoder.eod if end is None else end
        found: dict[str, list[Problem]] = {}
        for prefix in _prefixes(shards):
            found[prefix] = verify(prefix, vocabulary=ids, eod=end)
            say(f"{prefix}  {'BAD' if found[prefix] else 'ok'}", only_on_terminal=True)
        every = list(chain.from_iterable(found.values()))
        text = "\n".join(f"{one.path}: {one.kind}: {one.message}" for one in every)
        verdict = text or f"verified: {len(found):,} shards, no problem."
        rows = [
            {"shard": prefix, "problems": [asdict(one) for one in problems]}
            for prefix, problems in found.items()
        ]
        emit(rows, verdict, as_json=as_json)
        if every:
            raise typer.Exit(UNVERIFIED)


@app.command("merge")
def merge_command(
    shards: Prefixes, output: Output, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Write the documents of some shards, in the order given, to one shard.

    Pointers have 64 bits: results beyond 2 GiB are right. Memory does not grow with the shards.

    Example: pile shards merge part-*.idx -o merged_text_document
    """
    with errors(debug):
        written = _write(_divided(shards, None), [_prefix(output)])
        emit(written, _listing(written), as_json=as_json)


@app.command("split")
def split_command(
    shards: Prefixes,
    output: Output,
    tokens: Annotated[int, typer.Option(min=0, help="Most tokens of a new shard.")] = 0,
    size: Annotated[int, typer.Option("--bytes", min=0, help="Most bytes of its .bin.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Divide the documents of some shards anew, in order, into shards of a size.

    A shard gets as many whole documents as fit, and at least one. Names are OUTPUT-00000 and so on.

    Example: pile shards split merged_text_document --tokens 1000000000 -o train
    """
    with errors(debug):
        if bool(tokens) == bool(size):
            raise ConfigError("say how large shards are to be: --tokens or --bytes")
        itemsize = Shard.open(_prefixes(shards)[0]).tokens.itemsize
        divided = _divided(shards, size or tokens * itemsize)
        names = [f"{_prefix(output)}-{number:05d}" for number in range(len(divided))]
        written = _write(divided, names)
        emit(written, _listing(written), as_json=as_json)


@app.command("show")
def show_command(
    shard: Annotated[str, typer.Argument(help="Prefix, or .bin or .idx file.")],
    first: Annotated[int, typer.Option(min=0, help="Number of the first document.")] = 0,
    count: Annotated[int, typer.Option("-n", min=0, help="How many documents.")] = 3,
    tokenizer: TokenizerJson = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what a shard holds, and show some of its documents, as text if the tokenizer is named.

    Example: pile shards show train_text_document -n 5 --tokenizer 20B_tokenizer.json
    """
    with errors(debug):
        opened = Shard.open(_prefixes([shard])[0])
        encoder = None if tokenizer is None else _encoder(tokenizer)
        last = min(first + count, opened.documents.size - 1)
        facts = {
            "shard": opened.prefix,
            "documents": opened.documents.size - 1,
            "sequences": len(opened),
            "tokens": opened.tokens.size,
            "dtype": opened.tokens.dtype.name,
            "shown": [_document(opened, number, encoder) for number in range(first, last)],
        }
        emit(facts, _shown(facts), as_json=as_json)


def _prefixes(shards: Sequence[str]) -> list[str]:
    """Return each shard once, by its prefix; raises `ConfigError` for one that is not there."""
    found = list(dict.fromkeys(map(_prefix, shards)))
    for prefix in found:
        if not any(path.exists() for path in paths_of(prefix)):
            raise ConfigError(f"there is no shard {prefix}: neither {prefix}.bin nor {prefix}.idx")
    return found


def _prefix(name: str | Path) -> str:
    return str(name).removesuffix(".idx").removesuffix(".bin")


def _encoder(path: Path) -> Encoder:
    try:
        return Encoder.load(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is no tokenizer.json that can be read: {error}") from error


def _divided(shards: Sequence[str], most: int | None) -> list[list[Stretch]]:
    """Divide shards; raises `BadShard`, and `ConfigError` if they do not go together."""
    try:
        return divide(_prefixes(shards), most)
    except BadShard:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _require_new(prefix: str) -> None:
    for path in paths_of(prefix):
        if path.exists():
            raise ConfigError(f"{path} is there already: choose another --output, or remove it")


def _write(divided: Sequence[Sequence[Stretch]], prefixes: Sequence[str]) -> list[dict[str, Any]]:
    """Write new shards; they get their names once all are whole, so that none is taken for all."""
    for prefix in prefixes:
        _require_new(prefix)
    written = []
    with ExitStack() as stack:
        for stretches, prefix in zip(divided, prefixes, strict=True):
            # Entered first, left last: the index gets its name after the tokens have theirs.
            bin_path, idx_path = paths_of(prefix)
            idx, bin_ = (stack.enter_context(store.publish(path)) for path in (idx_path, bin_path))
            written.append({"shard": prefix, **asdict(copy(stretches, bin_, idx))})
            say(f"{prefix}  {written[-1]['tokens']:,} tokens", only_on_terminal=True)
    return written


def _listing(written: Sequence[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['shard']}  {one['documents']:,} documents, {one['tokens']:,} tokens, "
        f"{one['bin_bytes']:,} bytes"
        for one in written
    )


def _document(opened: Shard, number: int, encoder: Encoder | None) -> dict[str, Any]:
    tokens = opened.document(number)
    found = {"document": number, "length": tokens.size, "tokens": tokens[:SHOWN_TOKENS].tolist()}
    return found if encoder is None else {**found, "text": encoder.decode(tokens)}


def _shown(facts: dict[str, Any]) -> str:
    counts = ", ".join(f"{facts[name]:,} {name}" for name in ("documents", "sequences", "tokens"))
    lines = [f"{facts['shard']}: {counts}, {facts['dtype']}"]
    for one in facts["shown"]:
        more = " …" if one["length"] > SHOWN_TOKENS else ""
        ids = " ".join(map(str, one["tokens"]))
        lines += ["", f"document {one['document']:,}, {one['length']:,} tokens: {ids}{more}"]
        lines += [one["text"]] if "text" in one else []
    return "\n".join(lines)
