"""What each stage took, from the log; and the report's page with it, which is of this machine alone.

The page that the report stage publishes holds no times, so that it is the same wherever it is made.
This one lies beside it, at ``latest/report.html``.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pile import layout, store
from pile.config import Config
from pile.engine import Spent
from pile.graph import Graph
from pile.report.costs import Costs, StageCost
from pile.report.figures import from_json
from pile.report.page import render
from pile.stages import report
from pile.stages.stage import Made
from pile.states import made

MADE = "stage made"
"""The event of the log that tells what a stage took."""


def told(spent: Spent, seconds: float) -> dict[str, float]:
    """Return what the log tells of a stage: seconds on the wall, and what its tasks took together."""
    return {
        "seconds": round(seconds, 3),
        "tasks": spent.tasks,
        "task_seconds": round(spent.seconds, 3),
        "cpu_seconds": round(spent.cpu_seconds, 3),
    }


def costs(config: Config, graph: Graph) -> Costs:
    """Return what the finished stages took when they were made, as far as the log tells."""
    events = {(event["stage"], event["fingerprint"]): event for event in _events(config)}
    found = tuple(
        _cost(stage.name, finished, events.get((stage.name, stage.fingerprint), {}))
        for stage in graph.stages
        for finished in (made(config, stage),)
        if finished is not None
    )
    return Costs(found, config.run.usd_per_core_hour)


def _events(config: Config) -> Iterator[dict[str, Any]]:
    path = layout.events(config.work)
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            try:
                event = json.loads(line)
                if event["event"] == MADE:
                    yield event
            except (ValueError, KeyError, TypeError):  # torn by a crash: the next line is whole
                continue


def _cost(name: str, finished: Made, event: dict[str, Any]) -> StageCost:
    tasks = len(finished.manifest["tasks"])
    return StageCost(
        name,
        min(event.get("tasks", 0), tasks),
        tasks,
        event.get("task_seconds", 0.0),
        event.get("cpu_seconds", 0.0),
        event.get("read_bytes", 0),
        sum(part["size"] for part in finished.manifest["parts"]),
        finished.manifest["taken"],
    )


def publish_page(config: Config, graph: Graph) -> Path | None:
    """Write the report's page with what the stages took; None while there is no report."""
    finished = made(config, graph.named("report"))
    if finished is None:
        return None
    text = (finished.folder / report.FOLDER / report.FIGURES).read_bytes()
    page = render(from_json(json.loads(text)), costs(config, graph))
    path = layout.latest_page(config.work)
    store.publish_bytes(path, page.encode())
    return path
