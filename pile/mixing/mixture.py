"""The mixture: which share of the corpus each source has, and how often its documents come for it.

A source draws ``epochs`` times its amount: documents, as published, or bytes of text, or tokens. Shares
that are wanted, and a total, turn into epochs: share times total over amount.
"""

from collections.abc import Mapping

from pile.places import nearest

EXACT = 1e-6
"""By how much shares may miss a sum of 1."""

MOST_EPOCHS = 1000.0
"""A source of which every document would come more often is refused: that is a mistake."""


class MixtureError(ValueError):
    """Shares that cannot be had; the message says of which source, and what would do."""


def effective_shares(
    amounts: Mapping[str, float],
    epochs: Mapping[str, float],
    wanted: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the share of the corpus that each source has; together they are 1.

    ``amounts`` has what there is of each source, and only sources that are there: with fewer of them
    the rest share what is missing, in proportion. ``wanted`` names shares of the whole; sources that it
    does not name share the rest as their epochs have it. A source without anything has no share.
    """
    named = wanted or {}
    drawn = {name: amount * epochs[name] for name, amount in sorted(amounts.items()) if amount > 0}
    unnamed = sum(amount for name, amount in drawn.items() if name not in named)
    left = max(0.0, 1.0 - sum(named.values()))
    weights = {
        name: named[name] if name in named else left * amount / unnamed
        for name, amount in drawn.items()
    }
    total = sum(weights.values())
    found = dict.fromkeys(sorted(amounts), 0.0)
    return {**found, **{name: weight / total for name, weight in weights.items() if total}}


def effective_epochs(
    amounts: Mapping[str, float],
    epochs: Mapping[str, float],
    wanted: Mapping[str, float] | None = None,
    total: float = 0,
) -> dict[str, float]:
    """Return how often each source's documents come, so that shares and total are as wanted.

    ``amounts`` and ``wanted`` are those of `effective_shares`. Without a ``total`` the corpus is as
    large as the epochs have it. Raises `MixtureError`.
    """
    whole = total or sum(amount * epochs[name] for name, amount in amounts.items())
    found = {
        name: share * whole / amounts[name] if amounts[name] else 0.0
        for name, share in effective_shares(amounts, epochs, wanted).items()
    }
    times, name = max(((times, name) for name, times in found.items()), default=(0.0, ""))
    if times > MOST_EPOCHS:
        raise MixtureError(
            f"{name} would have to come {times:,.0f} times: there is too little of it for its share; "
            "lower [mix.shares] or total, or give it more raw files"
        )
    return found


def check_shares(wanted: Mapping[str, float], sources: Mapping[str, float]) -> None:
    """Raise `MixtureError` for shares of other sources, or such as are no shares of a whole.

    ``sources`` are those of the run.
    """
    for name in sorted(wanted):
        if name not in sources:
            raise MixtureError(
                f"[mix.shares] names {name!r}, which is no enabled source{nearest(name, sources)}"
            )
    total = sum(wanted.values())
    unnamed = sorted(set(sources) - set(wanted))
    if wanted and not unnamed and abs(total - 1) > EXACT:
        raise MixtureError(
            f"[mix.shares] names every source, so they have to sum to 1, not {total:g}"
        )
    if wanted and unnamed and total >= 1:
        raise MixtureError(
            f"[mix.shares] sums to {total:g} and leaves nothing for {', '.join(unnamed)}: name a share "
            "of each, lower some, or set enabled = false"
        )
