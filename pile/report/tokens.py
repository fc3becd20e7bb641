"""The tokenizer, what it makes of each source, and the shards."""

from dataclasses import replace

from pile.report import numbers
from pile.report.charts import bar
from pile.report.figures import Figures, ShardFigures, SourceFigures, TokenizerFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, corpus_bytes, paragraph
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

_WHITE_SPACE = str.maketrans({" ": "\u2423", "\t": "\u21e5", "\n": "\u21b5", "\r": "\u240d"})


def tokenizer(figures: Figures) -> Section:
    """Return the tokenizer's figures and how many bytes of text a token holds in each source."""
    made = figures.tokenizer
    if made is None:
        return Section("tokens", "Tokens", paragraph("This run made no tokens."))
    lead = paragraph(
        "Bytes of text that a token holds: the more, the better the tokenizer fits. The upright "
        "mark is the mean over the corpus.",
        "lead",
    )
    parts = [lead, _tokenizer_facts(made), _by_source(figures, made)]
    if made.longest:
        tokens = (element("li", element("code", text(_spaced(token)))) for token in made.longest)
        parts += [
            element("h3", text("Longest tokens")),
            element("ul", *tokens, class_="tokens"),
        ]
    return Section("tokens", "Tokens", join(*parts))


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


def _spaced(token: str) -> str:
    """Show white space, of which many of the longest tokens are made."""
    return token.translate(_WHITE_SPACE)


def _tokenizer_facts(made: TokenizerFigures) -> Html:
    return facts(
        [
            ("Tokenizer", words(made.origin)),
            ("Vocabulary", count(made.vocabulary)),
            ("Merges", count(made.merges)),
            ("Added tokens", count(made.added)),
            ("Tokens", count(made.tokens)),
            ("Text", size(made.bytes)),
            ("Bytes a token", ratio(made.bytes, made.tokens)),
        ]
    )


def _by_source(figures: Figures, made: TokenizerFigures) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("Bytes a token", kind="chart"),
        Column("Bytes a token"),
        Column("Tokens"),
        Column("of tokens"),
    )
    tokenized = [source for source in figures.sources if source.tokens]
    mean = made.bytes / made.tokens if made.tokens else 0.0
    widest = max([mean, *map(_bytes_a_token, tokenized)]) or 1.0
    tokens = sum(source.tokens for source in tokenized)
    rows = [_fit_row(source, (mean, widest), tokens) for source in tokenized]
    return table("Fit of the tokenizer to each source", columns, rows)


def _fit_row(source: SourceFigures, scale: tuple[float, float], tokens: int) -> Row:
    mean, widest = scale
    fit = _bytes_a_token(source)
    label = f"{source.pile_set_name}: {fit:.2f} bytes a token, corpus {mean:.2f}"
    return (
        words(source.pile_set_name),
        chart(bar(fit / widest, label, mean / widest), fit),
        number(fit, f"{fit:.2f}"),
        count(source.tokens),
        share(source.tokens, tokens),
    )


def _bytes_a_token(source: SourceFigures) -> float:
    return corpus_bytes(source) / source.tokens


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
