"""Other tokenizers beside the corpus's own, over the same texts."""

from pile.report.figures import FitFigures, PeerFigures, TokenizerFigures
from pile.report.markup import Html, element, text
from pile.report.section import paragraph
from pile.report.tables import Column, Row, count, number, ratio, share, size, table, words

_NOTHING = FitFigures()


def tokens_a_byte(fit: FitFigures) -> float:
    """Return the tokens that a byte of text takes; 0 without text."""
    return fit.tokens / fit.text_bytes if fit.text_bytes else 0.0


def peers(made: TokenizerFigures) -> list[Html]:
    """Return the tokenizers that ``[report] compare`` names: vocabularies, and fit to each source."""
    if not made.peers:
        return []
    lead = paragraph(
        "Over the first texts of the corpus, what is held out before the rest. A ratio below 1 means "
        "that our tokenizer takes fewer tokens for the same text."
    )
    heading = element("h3", text("Beside other tokenizers"))
    return [heading, lead, _vocabularies(made), *map(_fits, made.peers)]


def _vocabularies(made: TokenizerFigures) -> Html:
    columns = (
        Column("Tokenizer", kind="text"),
        Column("Vocabulary"),
        Column("Unreachable", "Entries that no text can give"),
        Column("Shared", "Entries that this corpus's tokenizer has too"),
        Column("of ours"),
    )
    ours: Row = (
        words(f"{made.origin} (this corpus)"),
        count(made.vocabulary),
        count(made.unreachable),
        words(""),
        words(""),
    )
    rows = [
        (
            words(peer.name),
            count(peer.vocabulary),
            count(peer.unreachable),
            count(peer.shared),
            share(peer.shared, made.vocabulary),
        )
        for peer in made.peers
    ]
    return table("Vocabularies", columns, [ours, *rows])


def _fits(peer: PeerFigures) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("Ours", group="Tokens a byte"),
        Column("Theirs", group="Tokens a byte"),
        Column("Ratio", "Our tokens for each of theirs", "Tokens a byte"),
        Column("Ours", group="White space"),
        Column("Theirs", group="White space"),
        Column("Text"),
    )
    rows = [_fit_row(name, peer.own.get(name, _NOTHING), fit) for name, fit in peer.fits.items()]
    return table(f"Ours beside {peer.name}, by source", columns, rows)


def _fit_row(name: str, ours: FitFigures, theirs: FitFigures) -> Row:
    return (
        words(name),
        number(tokens_a_byte(ours), f"{tokens_a_byte(ours):.3f}"),
        number(tokens_a_byte(theirs), f"{tokens_a_byte(theirs):.3f}"),
        ratio(ours.tokens, theirs.tokens, 3),
        share(ours.space_tokens, ours.tokens),
        share(theirs.space_tokens, theirs.tokens),
        size(theirs.text_bytes),
    )
