"""The commands that check a run, mend it, and compare it with another: verify, repair, diff."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pile import layout, lock
from pile.checks.diff import Kind, SourceDiff, diff
from pile.checks.problems import Problem
from pile.checks.repair import Repaired, repair
from pile.checks.verify import Verified, verify
from pile.commands import render
from pile.commands.narrate import Narrator
from pile.commands.options import DEFAULT_CONFIG, ConfigPath, no_stage, open_run, share
from pile.exit_codes import FAILED, UNVERIFIED
from pile.terminal import AsJson, Debug, emit, errors, say

Sample = Annotated[
    str,
    typer.Option(
        metavar="SHARE",
        help="Read this share again, from raw to text and from text to tokens: 5% or 0.05.",
    ),
]


def verify_command(
    stages: Annotated[
        list[str] | None, typer.Argument(help="Stages to check; all if none.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    sample: Sample = "0",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check everything published from its bytes up: digests, counts, corpus, shards.

    Examples: pile verify -c examples/demo.toml; pile verify --sample 5%

    With --sample, that share of the tasks from raw files to corpus is run again, and of the
    documents tokenised again. What is wrong is named by stage, part, row and id; exit 6 if
    something is, and `pile repair` mends it.
    """
    with errors(debug):
        settings, graph = open_run(config)
        found = []
        try:
            for one in verify(settings, graph, stages or (), share(sample)):
                found.append(one)
                say(_line(one))
        except KeyError as error:
            raise no_stage(graph, str(error.args[0])) from None
        problems = [problem for one in found for problem in one.problems]
        verdict = _listed(problems) or _praise(found)
        emit([asdict(one) for one in found], verdict, as_json=as_json)
        if problems:
            raise typer.Exit(UNVERIFIED)


def repair_command(
    config: ConfigPath = DEFAULT_CONFIG,
    sample: Sample = "0",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Verify, and make anew just what is wrong: damaged parts, records, downloads.

    Example: pile repair -c examples/demo.toml

    Exit 6 if something is still wrong then, such as a raw file of your own that changed.
    """
    with errors(debug, resume=f"pile repair -c {config}"):
        settings, graph = open_run(config)
        with lock.hold(layout.lock(settings.work)), Narrator() as narrator:
            found = repair(settings, graph, share(sample), narrator.hear, say)
        emit(asdict(found), _repaired(found), as_json=as_json)
        if found.left:
            raise typer.Exit(UNVERIFIED)


def diff_command(
    a: Annotated[Path, typer.Argument(help="A work directory, or a corpus folder.")],
    b: Annotated[Path, typer.Argument(help="Another.")],
    count: Annotated[int, typer.Option("-n", min=0, help="How many ids to show of a kind.")] = 3,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two corpora by source and document: what is in one alone, and what differs.

    Example: pile diff work/demo /backup/work/demo

    Records are sorted where TMPDIR says. Exit 1 if the corpora hold other documents.
    """
    with errors(debug):
        found = diff(a, b, count, say=partial(say, only_on_terminal=True))
        emit([asdict(one) for one in found], render_diff(found), as_json=as_json)
        if any(one.differ for one in found):
            raise typer.Exit(FAILED)


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.command("verify")(verify_command)
    app.command("repair")(repair_command)
    app.command("diff")(diff_command)


def _line(one: Verified) -> str:
    again = f"  {one.again:,} tasks run again" if one.again else ""
    verdict = "BAD" if one.problems else "ok"
    return f"{one.stage:<26} {one.files:>6,} files {render.size(one.size):>9}  {verdict}{again}"


def _praise(found: Sequence[Verified]) -> str:
    again = sum(one.again for one in found)
    more = f", {again:,} tasks run again with the same result" if again else ""
    return f"verified: {sum(one.files for one in found):,} files, no problem{more}."


def _listed(problems: Sequence[Problem]) -> str:
    return "\n".join(map(str, problems))


def _repaired(found: Repaired) -> str:
    if not found.found:
        return "nothing to repair."
    lines = [f"{len(found.found):,} problems found, {len(found.left):,} left."]
    if found.made:
        lines.append(f"made anew: {', '.join(found.made)}")
    lines.extend(f"now has other bytes than were published: {name}" for name in found.changed)
    lines.extend(f"still wrong: {problem}" for problem in found.left)
    return "\n".join(lines)


KINDS: tuple[Kind, ...] = ("only in A", "only in B", "text", "split", "copies")


def render_diff(found: Sequence[SourceDiff]) -> str:
    """Return the differences as a table of sources, and the ids that differ."""
    totals = [sum(one.a.text_bytes for one in found), sum(one.b.text_bytes for one in found)]
    rows = [
        [
            one.source,
            *(f"{side.documents:,}" for side in (one.a, one.b)),
            *(
                _percent(side.text_bytes, all_)
                for side, all_ in zip((one.a, one.b), totals, strict=True)
            ),
            *(f"{one.differ[kind]:,}" if kind in one.differ else "" for kind in KINDS),
        ]
        for one in found
    ]
    header = ["source", "documents A", "B", "share A", "B", *KINDS]
    lines = [render.table(header, rows, range(1, len(header)))]
    for one in found:
        for kind, ids in one.examples.items():
            lines.extend(f"{kind}: {identity}" for identity in ids)
    same = sum(max(one.a.documents, one.b.documents) for one in found)
    if not any(one.differ for one in found):
        lines.append(f"the same {same:,} documents, with the same texts, splits and copies.")
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""
