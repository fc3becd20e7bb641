"""What there is to know of each source, as a list and one by one."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pile.commands.render import size, table
from pile.downloads.guests import lacking
from sources.explained import EXPLAINED
from sources.published import PILE_SET_NAMES, PUBLISHED
from sources.registry import SOURCES
from sources.source import Json, Option, Source
from sources.upstream.keys import UnsafeKeyring, keyring_path

LEAST_LICENCE = 12
"""Columns that a licence has at least, however narrow the terminal."""

PAGE = 100
"""Columns of a source's own page."""

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_EMPHASIS = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")

NO_SIZE = "\N{EN DASH}"


def rows() -> list[dict[str, Json]]:
    """Return the 22 components: how each can be had, and what the Pile published of it."""
    return [_row(name) for name in PILE_SET_NAMES]


def _row(name: str) -> dict[str, Json]:
    source, published = SOURCES[name], PUBLISHED[name]
    return {
        "name": name,
        "pile_set_name": PILE_SET_NAMES[name],
        "access": source.access,
        "upstream_bytes": source.raw_bytes,
        "fidelities": fidelities(source),
        "status": status(source),
        "licence": source.licence,
        "documents": published.documents,
        "text_bytes": published.text_bytes,
        "mean_kib": published.mean_kib,
        "epochs": published.epochs,
        "remark": published.remark,
    }


def fidelities(source: Source) -> tuple[str, ...]:
    """Return the values of the option ``fidelity``; a source without it reads as published."""
    return source.fidelities if "fidelity" in source.defaults else ("published",)


def status(source: Source) -> str:
    """Return what stands between a user and a source's raw files on this machine."""
    if source.access == "local":
        return "needs your files"
    if source.usd_per_gb:
        return f"pays ~{dollars(source):,.0f} USD"
    try:
        return "needs key" if lacking(source) else "ready"
    except UnsafeKeyring:
        return "keyring unsafe"


def dollars(source: Source) -> float:
    """Return about what the upstream charges for all that the recipe of 2020 fetches."""
    return source.raw_bytes / 1e9 * source.usd_per_gb


def listing(found: Sequence[Mapping[str, Any]], width: int = 0) -> str:
    """Return the table of components, its licences cut to a terminal's ``width``; 0 cuts nothing."""
    header = ("SOURCE", "IN THE PILE", "ACCESS", "UPSTREAM SIZE", "FIDELITY", "STATUS", "LICENCE")
    cells = [
        (
            row["name"],
            row["pile_set_name"],
            row["access"],
            _size(row["upstream_bytes"]),
            ", ".join(row["fidelities"]),
            row["status"],
        )
        for row in found
    ]
    before = sum(2 + max(map(len, column)) for column in zip(header[:-1], *cells, strict=True))
    room = max(LEAST_LICENCE, width - before) if width else 0
    whole = [
        (*cell, _shortened(row["licence"], room)) for cell, row in zip(cells, found, strict=True)
    ]
    return table(header, whole, right=(3,))


def _size(count: int) -> str:
    return size(count) if count else NO_SIZE


def _shortened(text: str, room: int) -> str:
    return text if not room or len(text) <= room else f"{text[: room - 1]}…"


def facts(name: str) -> dict[str, Json]:
    """Return all that is known of one source."""
    source, explained = SOURCES[name], EXPLAINED[name]
    row: dict[str, Json] = _row(name) if name in PUBLISHED else {"name": name}
    return {
        **row,
        "access": source.access,
        "licence": source.licence,
        "version": source.version,
        "homepage": source.homepage,
        "downloads": explained.downloads,
        "partly": source.partly,
        "usd": round(dollars(source), 2),
        "manual": source.manual,
        "substitute": explained.substitute,
        "options": dict(source.defaults),
        "option_meanings": dict(explained.options),
        "fidelity_meanings": {name: _plain(text) for name, text in explained.fidelities.items()},
        "differs": _plain(explained.differs),
        "keys": [{"name": key.name, "where": key.where} for key in source.keys],
        "paces": {
            host: {"per_second": pace.per_second, "connections": pace.connections}
            for host, pace in sorted(source.paces.items())
        },
        "reasons": dict(source.reasons),
        "example": example(source),
    }


def explanation(name: str) -> str:
    """Return all that is known of one source, to read."""
    source = SOURCES[name]
    sections = (
        _published(name),
        _raw_files(source),
        _fidelities(source),
        _options(source),
        _section("Rejects, each counted and kept to look at:", source.reasons.items()),
        ["In pipeline.toml:", *textwrap.indent(example(source), "  ").splitlines()],
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def _published(name: str) -> Iterator[str]:
    source, published = SOURCES[name], PUBLISHED.get(name)
    yield f"{name}: {PILE_SET_NAMES.get(name, 'your own files')}"
    if published:
        known = (
            f"published: {published.documents:,} documents, {published.text_bytes:,} bytes, mean "
            f"{published.mean_kib:g} KiB, {_count(published.epochs, 'epoch')}. {published.remark}"
        )
        yield from _wrapped(known.rstrip())
    yield from _wrapped(f"licence: {source.licence}")
    if source.homepage:
        yield f"homepage: {source.homepage}"


def _raw_files(source: Source) -> Iterator[str]:
    explained = EXPLAINED[source.name]
    yield f"Raw files ({source.access}; {status(source)}):"
    yield from _wrapped(f"downloads: {explained.downloads}", "  ")
    if source.partly:
        yield from _wrapped(f"by default: {source.partly} (examples/pile-2020.toml)", "  ")
    if source.raw_bytes:
        yield f"  size: about {size(source.raw_bytes)} for all that the recipe of 2020 takes"
    if source.usd_per_gb:
        cost = f"about {dollars(source):,.0f} USD for all that, at {source.usd_per_gb:g} USD a GB"
        yield from _wrapped(
            f"dollars: {cost}; none is spent unless [run] spend_usd allows it, and what your options"
            " take is priced exactly before it is fetched",
            "  ",
        )
    for key in source.keys:
        need = "wanted" if key.required else "of use, not wanted"
        where = f"{key.where}; set it in the environment or in {keyring_path()}"
        yield from _wrapped(f"key: {key.name} ({need}): {where}", "  ")
    for host, pace in sorted(source.paces.items()):
        yield f"  pace: {host}: {_rate(pace.per_second)}, {pace.connections} at a time"
    if source.manual:
        yield from _wrapped(f"by hand: {source.manual}", "  ")
    if explained.substitute and not _named_in(explained.substitute, source.manual):
        yield from _wrapped(
            f"open substitute: {explained.substitute}, at https://huggingface.co", "  "
        )


def _named_in(substitute: str, manual: str) -> bool:
    return all(name in manual for name in substitute.split(", "))


def _count(number: float, unit: str) -> str:
    return f"{number:g} {unit}{'' if number == 1 else 's'}"


def _plain(text: str) -> str:
    """Return a text without Markdown's links and emphasis, which a terminal does not show."""
    return _EMPHASIS.sub(r"\1", _LINK.sub(r"\1", text))


def _rate(per_second: float) -> str:
    if per_second >= 1:
        return f"{_count(per_second, 'request')} a second"
    return f"a request in {1 / per_second:g} seconds"


def _fidelities(source: Source) -> list[str]:
    explained = EXPLAINED[source.name]
    values = [(name, _plain(explained.fidelities[name])) for name in fidelities(source)]
    lines = _section("How faithfully it is read:", values)
    differs = f"known differences from the release: {_plain(explained.differs)}"
    return [*lines, *_wrapped(differs, "  ")]


def _options(source: Source) -> list[str]:
    meanings = EXPLAINED[source.name].options
    found = {
        f"{name} = {_toml(value)}": meanings.get(name, f"one of {', '.join(fidelities(source))}")
        for name, value in source.defaults.items()
    }
    return _section("Options, with their defaults:", found.items()) if found else []


def example(source: Source) -> str:
    """Return a table for pipeline.toml that reads the source, its options as they are by default."""
    lines = [f"[sources.{source.name}]"]
    if source.name in PUBLISHED:
        lines.append(f"epochs = {PUBLISHED[source.name].epochs:g}")
    if source.access == "local":
        lines.append(f'files = ["raw/{source.name}/*"]')
    return "\n".join([*lines, *(f"{name} = {_toml(v)}" for name, v in source.defaults.items())])


def _toml(value: Option) -> str:
    """Return an option as TOML writes it, which for these kinds is as JSON does."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _section(title: str, entries: Any) -> list[str]:
    return [title, *(line for key, text in entries for line in _wrapped(f"{key}: {text}", "  "))]


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Return a paragraph in lines; words are never broken, so that addresses can be copied."""
    return textwrap.wrap(
        text,
        PAGE,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
