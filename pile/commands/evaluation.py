"""``pile eval``: bits per UTF-8 byte of a model on what a corpus holds out, by source."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from tqdm import tqdm

from pile.commands import render
from pile.commands.options import DEFAULT_CONFIG, ConfigPath, open_run
from pile.config import Config, ConfigError
from pile.evaluation.bits import Figures, evaluate, figures
from pile.evaluation.held_out import HeldOut, Split, chosen, held_out, mixed, some
from pile.evaluation.models import Asked, Dtype, load
from pile.evaluation.published import Bits, beside
from pile.terminal import AsJson, Debug, emit, errors
from sources.published import PILE_SET_NAMES


def eval_command(  # noqa: PLR0913, PLR0917 - one parameter an option of the command line
    model: Annotated[str, typer.Argument(help="Folder of a model, or its name on the HF hub.")],
    config: ConfigPath = DEFAULT_CONFIG,
    tokenizer: Annotated[str, typer.Option(help="Its tokenizer, if not in its folder.")] = "",
    split: Annotated[Split, typer.Option(help="What is held out.")] = "test",
    source: Annotated[
        list[str] | None, typer.Option(help="This source alone; give it again for more.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Documents of a source; 0: all.")] = 0,
    length: Annotated[int, typer.Option(min=0, help="Tokens it sees; 0: all it can.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Windows scored at a time.")] = 8,
    device: Annotated[str, typer.Option(help="cpu, cuda:1 …; if not given, a GPU if any.")] = "",
    dtype: Annotated[
        Dtype, typer.Option(help="Of its weights; auto: as they were saved.")
    ] = "auto",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say how well a language model predicts what is held out: bits per UTF-8 byte, by source.

    Examples: pile eval ./model -c examples/demo.toml --tokenizer work/demo/latest/tokenizer;
    pile eval EleutherAI/pythia-160m --limit 100

    It needs torch and transformers. The figures are those that lm-evaluation-harness has for the
    tasks of `pile export lm-eval`. With --limit they are of the first documents: a sample, as the
    corpus is shuffled. Components of the Pile stand beside what its paper has of GPT-2 and GPT-3.
    """
    with errors(debug):
        settings, graph = open_run(config)
        corpus = mixed(settings, graph)
        wanted = _known(settings, source or ())
        asked = Asked(model, tokenizer, length, device, dtype)
        what = f"{' or '.join(wanted) or 'any source'} in {split}"
        documents = some(chosen(held_out(corpus, split), wanted, limit), what)
        found = figures(evaluate(_shown(documents), load(asked), batch), list(PILE_SET_NAMES))
        emit(_rows(found), table(found), as_json=as_json)


def _known(settings: Config, names: Sequence[str]) -> Sequence[str]:
    known = [one.name for one in settings.enabled]
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no source {name!r} here; these are: {', '.join(known)}")
    return names


def _shown(documents: Iterable[HeldOut]) -> Iterator[HeldOut]:
    """Pass documents on, with a bar of how many there were."""
    yield from tqdm(documents, desc="eval", unit=" documents", unit_scale=True, disable=None)


def _rows(found: Sequence[Figures]) -> list[dict[str, object]]:
    """Return figures as JSON has them: beside them those that were published of a component."""
    published = beside([one.source for one in found])
    return [
        asdict(one) | {"published": asdict(bits) if (bits := published.get(one.source)) else None}
        for one in found
    ]


def table(found: Sequence[Figures]) -> str:
    """Return the figures of sources as columns; at the right, bits that were published of other models."""
    header = ["source", "documents", "bytes", "tokens", "tokens/byte", "ppl/token", "bits/byte"]
    header += ["GPT-2", "GPT-2 XL", "GPT-3"]
    published = beside([one.source for one in found])
    rows = [[*_cells(one), *_bits(published.get(one.source))] for one in found]
    return render.table(header, rows, range(1, len(header)))


def _cells(one: Figures) -> list[str]:
    return [
        one.source,
        f"{one.documents:,}",
        render.size(one.bytes),
        f"{one.tokens:,}",
        f"{one.tokens_per_byte:.4f}",
        f"{one.token_perplexity:,.2f}",
        f"{one.bits_per_byte:.4f}",
    ]


def _bits(published: Bits | None) -> list[str]:
    if published is None:
        return [""] * 3
    return [f"{one:.4f}" for one in (published.gpt2, published.gpt2_xl, published.gpt3_davinci)]
