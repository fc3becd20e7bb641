"""A corpus without a document to train on is no corpus: say what became of all that was read."""

from collections.abc import Iterator, Mapping

from pile.publication.facts import Facts, SourceFacts


class NothingLeftError(Exception):
    """No document is left for the training split; the message says by source where all went."""


def check_left(facts: Facts) -> None:
    """Raise `NothingLeftError` unless the training split has a document."""
    if any(source.train.documents for source in facts.sources):
        return
    told = "".join(f"\n  {one.name}: {'; '.join(_fate(one))}" for one in facts.sources)
    raise NothingLeftError(
        f"no document is left to train on, so there is no corpus:{told}\n"
        "`pile show SOURCE --rejected` shows what was refused; lower what refuses it, or the shares held "
        "out, or give more raw files"
    )


def _fate(source: SourceFacts) -> Iterator[str]:
    """Yield what became of a source's records, in the order of the stages."""
    yield f"{source.read:,} records read"
    if source.set_aside:
        yield f"raw files set aside, as they cannot be read: {source.set_aside:,}"
    if source.rejected:
        yield f"rejected: {_counts(source.rejected)}"
    if source.duplicates:
        yield f"duplicates: {_counts(source.duplicates)}"
    if source.documents:
        yield f"{source.documents:,} in validation and test"
    if source.left_out:
        yield f"copies left out: {_counts(source.left_out)}"
    if source.available.documents and not source.documents and not source.left_out:
        yield f"epochs = {source.epochs:g} drew none of {source.available.documents:,} documents"


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in found.items())
