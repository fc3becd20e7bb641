"""The ``pile`` command: parse, call, render.

Results go to stdout, narration to stderr; ``--json`` gives the same structure that was rendered.
"""

import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pile import layout, lock
from pile.commands import catalogue, render
from pile.commands import check as check_commands
from pile.commands import evaluation as evaluation_command
from pile.commands import plan as plan_command
from pile.commands import shards as shard_commands
from pile.commands import tokenizer as tokenizer_commands
from pile.commands.narrate import Narrator
from pile.commands.options import DEFAULT_CONFIG, ConfigPath, no_stage, open_run
from pile.commands.show import NothingToShowError, not_shown, show, show_rejected
from pile.commands.urls import Lists, list_urls
from pile.commands.why import why
from pile.config import Config, ConfigError, load
from pile.costs import publish_page
from pile.downloads.upstreams import check, default_table
from pile.duplicates import clusters
from pile.exit_codes import (
    FAILED,
    SET_ASIDE,
    UPSTREAM,
)
from pile.export.configs import FRAMEWORKS, export
from pile.export.harness import TARGET, export_harness
from pile.export.parquet import export_parquet
from pile.graph import Graph
from pile.preflight import downloads
from pile.run import run_all
from pile.stages import report
from pile.states import made, state_of, states
from pile.terminal import AsJson, Debug, emit, errors, say, terminate
from sources.published import PILE_SET_NAMES
from sources.registry import SOURCES
from sources.upstream.attempts import PATIENT

app = typer.Typer(
    name="pile",
    help="Rebuild The Pile, or a corpus of your own, from raw upstream files to token shards.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(shard_commands.app)
app.add_typer(tokenizer_commands.app)
app.command("plan")(plan_command.plan_command)
app.command("bench")(plan_command.bench_command)

CHECK = "check"
EXPORTS: Mapping[str, Callable[[Config, Graph], list[Path]]] = {
    **{name: partial(export, framework=name) for name in FRAMEWORKS},
    TARGET: export_harness,
    "parquet": export_parquet,
}
"""What writes for each target of `pile export`."""


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names of files need not be text that the terminal can show.
            stream.reconfigure(errors="backslashreplace")
    app()


@app.command("sources")
def sources_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME | check [NAME...]]", help="Explain this source; or check."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="With check: the pipeline.toml to follow.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List the 22 components of the Pile, explain one, or check that upstreams answer as expected.

    Examples: pile sources wikipedia_en; pile sources check europarl hackernews

    check asks each upstream once, and says what has moved; exit 8 if something has.
    """
    with errors(debug):
        if not names:
            rows = catalogue.rows()
            emit(rows, catalogue.listing(rows, _columns()), as_json=as_json)
        elif names[0] == CHECK:
            _check_upstreams(names[1:], config, as_json=as_json)
        else:
            for name in names:
                _require_source(name)
                emit(catalogue.facts(name), catalogue.explanation(name), as_json=as_json)


def _columns() -> int:
    """Return the width of the terminal, or 0 if this is written elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _require_source(name: str) -> None:
    if name not in PILE_SET_NAMES and name not in SOURCES:
        raise ConfigError(f"there is no source {name!r}; these are: {', '.join(PILE_SET_NAMES)}")


def _check_upstreams(names: Sequence[str], config: Path | None, *, as_json: bool) -> None:
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    settings = load(config) if config else Config(path=DEFAULT_CONFIG.absolute())
    tables = {table.name: table for table in settings.sources}
    for name in names:
        if name not in tables:
            _require_source(name)
    every = names or (sorted(tables) if config else list(PILE_SET_NAMES))
    found = check(
        settings, [*(tables[name] if name in tables else default_table(name) for name in every)]
    )
    emit([asdict(one) for one in found], render.answered(found), as_json=as_json)
    if any(one.state in {"moved", "down"} for one in found):
        raise typer.Exit(UPSTREAM)


@app.command("run")
def run_command(
    config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Run whatever is not done yet; run it again to go on after any interruption.

    Example: pile run -c examples/demo.toml
    """
    signal.signal(signal.SIGTERM, terminate)
    with errors(debug, resume=f"pile run -c {config}"):
        settings, graph = open_run(config, PATIENT)
        _announce(settings, graph)
        with lock.hold(layout.lock(settings.work)), Narrator() as narrator:
            graph, outcome = run_all(settings, graph, narrator.hear, say)
        found = {**asdict(outcome), "skipped": [asdict(one) for one in graph.skipped]}
        emit(found, render.outcome(settings, outcome, graph.skipped), as_json=as_json)
        if any(one.upstream_gone for one in graph.skipped):
            raise typer.Exit(UPSTREAM)
        if outcome.quarantined or outcome.damaged or graph.skipped:
            raise typer.Exit(SET_ASIDE)


@app.command("status")
def status_command(
    config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Say what exists: records, bytes and rejections of each stage; exit 1 if something is not done.

    Example: pile status -c examples/demo.toml --json
    """
    with errors(debug):
        settings, graph = open_run(config)
        found = states(settings, graph)
        notes = {f"fetch.{source}": some for source, some in graph.recognised().items()}
        rows = [
            render.status_row(one.stage.name, one.state, one.summary)
            | {"recognised": [file.note for file in notes.get(one.stage.name, ())]}
            for one in found
        ]
        emit(rows, render.status(rows), as_json=as_json)
        if any(one.state != "done" for one in found):
            raise typer.Exit(FAILED)


@app.command("why")
def why_command(
    stage: Annotated[str, typer.Argument(help="A stage, as `pile plan` names it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say why a stage would run: the settings that differ from what is on disk.

    Example: pile why dedup.pile_cc -c examples/demo.toml
    """
    with errors(debug):
        settings, graph = open_run(config)
        try:
            wanted = graph.named(stage)
        except KeyError:
            raise no_stage(graph, stage) from None
        found = why(settings, state_of(settings, wanted))
        emit(asdict(found), render.why(found), as_json=as_json)


@app.command("show")
def show_command(  # noqa: PLR0913, PLR0917 - one parameter an option of the command line
    what: Annotated[str, typer.Argument(help="A source, a stage, or a file of one.")],
    config: ConfigPath = DEFAULT_CONFIG,
    count: Annotated[int, typer.Option("-n", min=1, help="How many records.")] = 3,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="What was rejected, and why.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="With --rejected: only what was rejected for this.")
    ] = "",
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Duplicates of a source beside what stays.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Look at documents, rejected records, duplicates, corpus lines or shards.

    Examples: pile show wikipedia_en -n 10 -c examples/demo.toml; pile show pile_cc --rejected --reason few_words

    What a source rejected is what all its stages did, with what was measured and the bound it broke.
    """
    with errors(debug):
        settings, graph = open_run(config)
        if duplicates:
            pairs = clusters(settings, graph, what, count)
            width = shutil.get_terminal_size((120, 24)).columns
            emit([asdict(one) for one in pairs], render.clusters(pairs, width), as_json=as_json)
            return
        if rejected or reason:
            found = show_rejected(settings, graph, what, count, reason)
            for remark in not_shown(settings, graph, what, reason):
                say(remark)
        else:
            found = show(settings, graph, what, count)
        emit(found, render.records(found), as_json=as_json)


check_commands.register(app)
app.command("eval")(evaluation_command.eval_command)


@app.command("report")
def report_command(
    config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Write the report's page anew and say where it lies, or print its figures.

    Example: pile report -c examples/demo.toml --json

    The page is one file, to open in a browser. What the stages took on this machine is in it; the page
    below latest/report/ is the same without, and byte for byte the same wherever it is made.
    """
    with errors(debug):
        settings, graph = open_run(config)
        finished = made(settings, graph.named("report"))
        if finished is None:
            raise NothingToShowError(f"no report yet; `pile run -c {config}` makes it")
        path = finished.folder / report.FOLDER / report.FIGURES
        figures = json.loads(path.read_text(encoding="utf-8"))
        emit(figures, "" if as_json else str(publish_page(settings, graph)), as_json=as_json)


@app.command("export")
def export_command(
    target: Annotated[str, typer.Argument(help="neox, megatron, lm-eval, or parquet.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write what others read: configurations to train from, tasks to evaluate by, or Parquet.

    Examples: pile export neox -c examples/demo.toml; pile export lm-eval; pile export parquet

    lm-eval writes a folder of tasks for lm-evaluation-harness over what is held out. Parquet holds
    texts and provenance in one row, for DuckDB and Polars.
    """
    with errors(debug):
        if target not in EXPORTS:
            raise ConfigError(f"cannot export to {target!r}; can to {', '.join(EXPORTS)}")
        settings, graph = open_run(config)
        files = [str(path) for path in EXPORTS[target](settings, graph)]
        emit(files, "\n".join(files), as_json=as_json)


@app.command("urls")
def urls_command(  # noqa: PLR0913, PLR0917 - its options
    dumps: Annotated[list[Path], typer.Argument(help="Dumps of Reddit's submissions: RS_*.zst.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make, of lists.")],
    min_score: Annotated[int, typer.Option(help="Least sum of a page's scores.")] = 3,
    fidelity: Annotated[str, typer.Option(help="published or corrected.")] = "published",
    per_file: Annotated[int, typer.Option(min=1, help="Pages of one list.")] = 1000,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List the pages that Reddit's submissions link to, for the source openwebtext2.

    Example: pile urls RS_2019-*.zst -o urls/
    """
    with errors(debug):
        found = list_urls(dumps, Lists(output, min_score, fidelity, per_file), workers)
        emit(asdict(found), render.listed(found), as_json=as_json)


def _announce(settings: Config, graph: Graph) -> None:
    """Say which files are known, what is to be downloaded, and that upstreams should know who asks."""
    for source, known in graph.recognised().items():
        say("\n".join(f"{source}: {file.note}" for file in known))
    to_come = downloads(settings, graph)
    if not to_come:
        return
    say(render.downloads(to_come))
    if not settings.contact and not os.environ.get("PILE_USER_AGENT"):
        say(
            'no contact is set: give [run] contact = "you@example.org" (or PILE_CONTACT), so that '
            "upstreams can reach you rather than block you"
        )
