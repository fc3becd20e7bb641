"""Results as text for a terminal: plain, aligned, understandable without colour."""

import itertools
import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pile.commands.urls import SUFFIX, Listed
from pile.commands.why import Why
from pile.config import Config
from pile.downloads.guests import priced
from pile.downloads.upstreams import Answered
from pile.duplicates import Cluster, Duplicate
from pile.graph import Skipped
from pile.preflight import Download
from pile.run import Outcome
from pile.states import State
from pile.summaries import Summary
from sources.formats.reddit_links import REASONS
from sources.source import Json

_SHOWN_LINES = 24
"""Lines of a duplicate that are shown beside those of what stays."""

_UNITS = ("B", "kB", "MB", "GB", "TB")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return rows in aligned columns; ``right`` lists the columns that hold numbers."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )


def size(count: float) -> str:
    """Return bytes in the unit that leaves one to three digits."""
    for unit in _UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def reasons(rejected: Mapping[str, int]) -> str:
    """Return counts by reason, the commonest first."""
    ordered = sorted(rejected.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in ordered)


def made_line(name: str, manifest: Mapping[str, Any], seconds: float, read: int) -> str:
    """Return the line that says what a stage just made, and how fast it read its input."""
    rejected = sum(manifest["rejected"].values())
    stored = sum(part["size"] for part in manifest["parts"])
    line = f"{name:<26} {manifest['given']:>12,} out {size(stored):>9} {seconds:>7.1f} s"
    line += f" {size(read / max(seconds, 1e-3)):>9}/s" if read else " " * 12
    if rejected:
        line += f"   {rejected:,} rejected: {reasons(manifest['rejected'])}"
    if manifest["quarantined"]:
        line += f"   {len(manifest['quarantined'])} raw files set aside"
    return line.rstrip()


def plan(states: Sequence[State], reasons_: Mapping[str, str]) -> str:
    """Return one line a stage: what would be done, and why."""
    rows = [
        (one.stage.name, one.stage.fingerprint[:12], one.state, reasons_[one.stage.name])
        for one in states
    ]
    done = sum(one.state == "done" for one in states)
    text = table(("STAGE", "FINGERPRINT", "STATE", "WHY"), rows)
    return f"{text}\n{done} done, {len(states) - done} to run."


def downloads(found: Sequence[Download]) -> str:
    """Return what a run would download, by source, and what of it costs; empty when nothing."""
    rows = [(one.source, f"{one.files:,}", size(one.bytes), _of_unknown_size(one)) for one in found]
    paid = [priced(one.source, one.bytes, one.usd) for one in found if one.usd]
    lines = [table(("DOWNLOAD", "FILES", "BYTES", ""), rows, right=(1, 2))] if rows else []
    return "\n".join([*lines, *paid])


def _of_unknown_size(found: Download) -> str:
    files = found.unknown
    if not files:
        return ""
    told = ""
    if found.requests:
        took = (
            f"{found.hours:,.0f} hours" if found.hours >= 2 else f"{found.hours * 60:,.0f} minutes"
        )
        told = f": {found.requests:,} requests, at least {took} at the pace allowed"
    elif found.whole:
        told = f"; all that the Pile took is about {size(found.whole)}"
    return f"and {files:,} file{'s' * (files > 1)} of unknown size{told}"


def unmet(found: Sequence[tuple[str, str]]) -> str:
    """Return what a run is refused for until it is given; empty when nothing."""
    return "\n".join(f"{name}{': ' * bool(name)}a run is refused: {why}" for name, why in found)


def status_row(name: str, state: str, found: Summary | None) -> dict[str, Any]:
    """Return what exists of a stage, and how many records it took, gave and rejected."""
    return {
        "stage": name,
        "state": state,
        "taken": found.taken if found else None,
        "given": found.given if found else None,
        "rejected": found.rejected if found else {},
        "quarantined": found.quarantined if found else [],
        "bytes": found.bytes if found else 0,
    }


def status(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what exists, one line a stage."""
    cells = [
        (
            row["stage"],
            row["state"],
            f"{row['given']:,}" if row["given"] is not None else "",
            size(row["bytes"]) if row["given"] is not None else "",
            reasons(row["rejected"]),
            f"{len(row['quarantined'])}" if row["quarantined"] else "",
        )
        for row in rows
    ]
    header = ("STAGE", "STATE", "OUT", "ON DISK", "REJECTED", "SET ASIDE")
    notes = [f"{row['stage']}: {note}" for row in rows for note in row["recognised"]]
    return "\n".join([table(header, cells, right=(2, 3)), *notes])


def why(found: Why) -> str:
    """Return a stage's state and the fields that differ."""
    lines = [f"{found.stage} {found.fingerprint}: {found.state}; {found.reason}"]
    if found.changes:
        lines.append(f"compared with {found.compared_with}:")
        for change in found.changes:
            before, after = (
                json.dumps(value, ensure_ascii=False) for value in (change.before, change.after)
            )
            lines.append(f"  {change.field}: {_short(before)} -> {_short(after)}")
    return "\n".join(lines)


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."


def records(found: Sequence[Json]) -> str:
    """Return records to read: their fields, then the text as it is."""
    return "\n\n".join(_record(record) for record in found) or "nothing there"


def _record(record: Json) -> str:
    if not isinstance(record, dict):
        return json.dumps(record, ensure_ascii=False)
    long = {"text", "excerpt"}
    head = [
        f"{key}: {visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}"
        for key, value in record.items()
        if key not in long
    ]
    body = [visible(str(record[key])) for key in sorted(long & record.keys())]
    return "\n".join([*head, *("  " + line for text in body for line in text.split("\n"))])


def clusters(found: Sequence[Cluster], width: int) -> str:
    """Return clusters of duplicates: what stays on the left, each that goes on the right."""
    return "\n\n".join(
        _pair(cluster, one, width) for cluster in found for one in cluster.duplicates
    )


def _pair(cluster: Cluster, duplicate: Duplicate, width: int) -> str:
    half = max((width - 3) // 2, 20)
    kept = _wrapped(cluster.text or "(in an earlier corpus)", half)
    gone = _wrapped(duplicate.text, half)
    head = (
        f"{cluster.kept}  stays",
        f"{duplicate.id}  goes: {duplicate.kind}, {duplicate.similarity:.2f} like {duplicate.matched}",
    )
    rows = itertools.zip_longest(kept[:_SHOWN_LINES], gone[:_SHOWN_LINES], fillvalue="")
    body = [
        f"{left.ljust(half)} {'|' if left == right else '≠'} {right}".rstrip()
        for left, right in rows
    ]
    return "\n".join([*head, *body])


def _wrapped(text: str, width: int) -> list[str]:
    lines = (textwrap.wrap(line, width) or [""] for line in visible(text).split("\n"))
    return list(itertools.chain.from_iterable(lines))


def visible(text: str) -> str:
    """Return text without the control characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def outcome(config: Config, found: Outcome, skipped: Sequence[Skipped]) -> str:
    """Return the last words of a run."""
    lines = []
    if not found.made:
        lines.append("everything is up to date: nothing to do.")
    else:
        lines.append(f"{len(found.made)} stages made, {len(found.kept)} were up to date.")
    lines.extend(f"set aside by {stage}: {file}: {why}" for stage, file, why in found.quarantined)
    lines.extend(
        f"broken records rejected by {stage}: {count:,}; `pile show {stage} --rejected` shows them"
        for stage, count in found.damaged.items()
    )
    lines.extend(f"left out: {one.source}: {one.why}" for one in skipped)
    latest = config.work / "latest"
    lines.append(f"corpus     {latest / 'corpus'}")
    lines.append(f"tokenizer  {latest / 'tokenizer' / 'tokenizer.json'}")
    lines.append(f"shards     {latest / 'shards'}")
    lines.append(f"report     {latest / 'report.html'}")
    return "\n".join(lines)


def listed(found: Listed) -> str:
    """Return what `pile urls` made."""
    lines = [
        f"{found.pages:,} pages in {found.files:,} lists: {found.folder}",
        f"{found.submissions:,} submissions read, {found.given:,} of these pages",
        *(f"  {count:,} {reason}: {REASONS[reason]}" for reason, count in found.rejected.items()),
    ]
    if found.files:
        lines.append(f'in [sources.openwebtext2]: files = ["{found.folder}/*{SUFFIX}"]')
    return "\n".join(lines)


def answered(found: Sequence[Answered]) -> str:
    """Return how each upstream answered."""
    rows = [(one.source, one.host, one.state, visible(one.what)) for one in found]
    return table(("SOURCE", "HOST", "STATE", ""), rows)
