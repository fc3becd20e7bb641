"""The tokenizer, what it makes of each source, and the shards."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pile.report import numbers
from pile.report.charts import Axis, bar, histogram
from pile.report.figures import Figures, FitFigures, ShardFigures, SourceFigures, TokenizerFigures
from pile.report.markup import Html, element, join, text
from pile.report.multiples import as_table, multiple, multiples
from pile.report.peers import peers, tokens_a_byte
from pile.report.section import Section, paragraph
from pile.report.tables import (
    Column,
    Row,
    chart,
    count,
    facts,
    number,
    ratio,
    share,
    size,
    table,
    words,
)

_DIGEST = 12  # characters of a digest that are shown; the title holds all

_DENSITIES = 51
"""Bins of tokens a byte, each a fiftieth wide, the last for one and more."""

_REPEATED = re.compile(r"(.)\1{7,}", re.DOTALL)
_WHITE_SPACE = str.maketrans({" ": "\u2423", "\t": "\u21e5", "\n": "\u21b5", "\r": "\u240d"})


def tokenizer(figures: Figures) -> Section:
    """Return the tokenizer's figures and how many tokens it takes for the text of each source."""
    made = figures.tokenizer
    if made is None:
        return Section("tokens", "Tokens", paragraph("This run made no tokens."))
    lead = paragraph(
        "How many tokens a byte of text takes: the fewer, the better the tokenizer fits. EOD tokens "
        "are not counted. The upright mark is the mean over the corpus.",
        "lead",
    )
    tokenized = [source for source in figures.sources if source.fit.tokens]
    return Section(
        "tokens",
        "Tokens",
        join(
            lead,
            _tokenizer_facts(made, tokenized),
            _by_source(tokenized),
            *_densities(tokenized),
            *_published(tokenized),
            *peers(made),
            *_listed("Longest tokens", made.longest),
            *_listed("Entries that no text can give", made.lost),
        ),
    )


def shards(figures: Figures) -> Section:
    """Return every file of tokens with its digest."""
    if not figures.shards:
        return Section("shards", "Shards", paragraph("This run wrote no shards."))
    columns = (
        Column("Shard", kind="text"),
        Column("Split", kind="text"),
        Column("Documents"),
        Column("Tokens"),
        Column("Type", kind="text"),
        Column("Size"),
        Column("SHA-256", kind="text"),
    )
    every = figures.shards
    total = (
        words(f"{numbers.grouped(len(every))} shard{'' if len(every) == 1 else 's'}"),
        words(""),
        count(sum(shard.documents for shard in every)),
        count(sum(shard.tokens for shard in every)),
        words(""),
        size(sum(shard.bytes for shard in every)),
        words(""),
    )
    body = table("Files of tokens", columns, [_shard_row(shard) for shard in every], total)
    return Section("shards", "Shards", body)


def _spaced(token: str) -> Html:
    """Show white space, and long repetitions of a character as one and their number."""
    shown = _REPEATED.sub(lambda run: f"{run[1]}\N{MULTIPLICATION SIGN}{len(run[0])}", token)
    return text(shown.translate(_WHITE_SPACE))


def _listed(heading: str, tokens: Sequence[str]) -> list[Html]:
    if not tokens:
        return []
    shown = (element("li", element("code", _spaced(token))) for token in tokens)
    return [element("h3", text(heading)), element("ul", *shown, class_="tokens")]


def _tokenizer_facts(made: TokenizerFigures, tokenized: Sequence[SourceFigures]) -> Html:
    whole = _sum(tokenized)
    return facts(
        [
            ("Tokenizer", words(made.origin)),
            ("Vocabulary", count(made.vocabulary)),
            ("Merges", count(made.merges)),
            ("Added tokens", count(made.added)),
            ("Unreachable entries", count(made.unreachable)),
            ("Tokens", count(made.tokens)),
            ("Text", size(made.bytes)),
            ("Tokens a byte", ratio(whole.tokens, whole.text_bytes, 3)),
            ("White space", share(whole.space_tokens, whole.tokens)),
        ]
    )


def _sum(sources: Sequence[SourceFigures]) -> FitFigures:
    fits = [source.fit for source in sources]
    return FitFigures(
        sum(fit.text_bytes for fit in fits),
        sum(fit.tokens for fit in fits),
        sum(fit.space_tokens for fit in fits),
    )


def _by_source(tokenized: Sequence[SourceFigures]) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("Tokens a byte", kind="chart"),
        Column("Tokens a byte"),
        Column("Bytes a token"),
        Column("White space", "Share of tokens that are all white space"),
        Column("Tokens", "In the corpus, an EOD for each document among them"),
        Column("of tokens"),
    )
    mean = tokens_a_byte(_sum(tokenized))
    widest = max([mean, *(tokens_a_byte(source.fit) for source in tokenized)]) or 1.0
    tokens = sum(source.tokens for source in tokenized)
    rows = [_fit_row(source, (mean, widest), tokens) for source in tokenized]
    return table("Fit of the tokenizer to each source", columns, rows)


def _fit_row(source: SourceFigures, scale: tuple[float, float], tokens: int) -> Row:
    mean, widest = scale
    fit = tokens_a_byte(source.fit)
    label = f"{source.pile_set_name}: {fit:.3f} tokens a byte, corpus {mean:.3f}"
    return (
        words(source.pile_set_name),
        chart(bar(fit / widest, label, mean / widest), fit),
        number(fit, f"{fit:.3f}"),
        ratio(source.fit.text_bytes, source.fit.tokens),
        share(source.fit.space_tokens, source.fit.tokens),
        count(source.tokens),
        share(source.tokens, tokens),
    )


def _densities(tokenized: Sequence[SourceFigures]) -> list[Html]:
    """Return how documents are distributed by tokens a byte, one small histogram a source."""
    shown = [source for source in tokenized if any(source.densities)]
    if not shown:
        return []
    axis = Axis(_DENSITIES, 2.5, [(0, "0"), (25, "0.5"), (50, "1")], _density_span)
    counts = {source.pile_set_name: source.densities for source in shown}
    lead = paragraph(
        "Documents by tokens a byte, every copy counted, in steps of a fiftieth up to one and more; "
        "heights are drawn to each source's own peak. The line is the mean of the source's text."
    )
    charts = [_density(source, axis) for source in shown]
    heading = element("h3", text("Tokens a byte, by document"))
    return [heading, lead, multiples(charts), as_table("Documents by tokens a byte", counts, axis)]


def _density(source: SourceFigures, axis: Axis) -> Html:
    fit = tokens_a_byte(source.fit)
    peak = max(range(len(source.densities)), key=source.densities.__getitem__)
    label = f"Tokens a byte of documents of {source.pile_set_name}: most from {axis.span(peak)}"
    drawing = histogram(source.densities, axis, label, [(fit * (_DENSITIES - 1), "mean")])
    return multiple(source.pile_set_name, f"mean {fit:.3f}", drawing)


def _density_span(place: int) -> str:
    step = 1 / (_DENSITIES - 1)
    return (
        f"{place * step:.2f} to {(place + 1) * step:.2f}"
        if place < _DENSITIES - 1
        else "1 and more"
    )


def _published(tokenized: Sequence[SourceFigures]) -> list[Html]:
    """Return ours beside what was published of GPT-2's and GPT-NeoX-20B's tokenizers."""
    shown = [(one, one.published_tokens) for one in tokenized if one.published_tokens]
    if not shown:
        return []
    columns = (
        Column("Source", kind="text"),
        Column("Here", group="White space"),
        Column("GPT-2", group="White space"),
        Column("20B", group="White space"),
        Column("Here", "Tokens of this corpus, without EOD", group="Tokens"),
        Column("GPT-2", "Of the Pile's validation set", group="Tokens"),
        Column("20B", "Of the Pile's validation set", group="Tokens"),
        Column("20B to GPT-2", group="Tokens"),
    )
    rows = [
        (
            words(source.pile_set_name),
            share(source.fit.space_tokens, source.fit.tokens),
            share(tokens.gpt2_space_share, 1),
            share(tokens.neox_space_share, 1),
            count(source.fit.tokens),
            count(tokens.gpt2),
            count(tokens.neox),
            ratio(tokens.neox, tokens.gpt2, 3),
        )
        for source, tokens in shown
    ]
    lead = paragraph(
        "The share of tokens that are all white space, here and as published of GPT-2's and "
        "GPT-NeoX-20B's tokenizers on the Pile's validation set (arXiv 2204.06745)."
    )
    heading = element("h3", text("Beside GPT-2 and GPT-NeoX-20B, as published"))
    return [heading, lead, table("White space and tokens, as published", columns, rows)]


def _shard_row(shard: ShardFigures) -> Row:
    return (
        words(shard.name, "code"),
        words(shard.split),
        count(shard.documents),
        count(shard.tokens),
        words(shard.dtype, "code"),
        size(shard.bytes),
        replace(words(f"{shard.sha256[:_DIGEST]}…", "code"), title=shard.sha256),
    )
