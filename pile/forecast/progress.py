"""How much of a run is still to be done, where some of it was done before."""

from collections.abc import Mapping

from pile import ledger
from pile.config import Config
from pile.graph import Graph
from pile.stages.stage import Stage
from pile.states import made, state_of


def left(config: Config, graph: Graph) -> Mapping[str, float]:
    """Return by stage which share of it is still to be done: 0 if it is done, 1 if nothing is."""
    return {stage.name: _left(config, stage) for stage in graph.stages}


def _left(config: Config, stage: Stage) -> float:
    found = state_of(config, stage)
    if found.state != "partial":
        return float(found.state == "to do")
    inputs = {given.name: made(config, given) for given in stage.inputs}
    there = {name: one for name, one in inputs.items() if one is not None}
    if len(there) < len(inputs):
        return 1.0
    receipts = ledger.receipts(found.folder)
    tasks = stage.tasks(found.folder, there)
    missing = sum(max(1, task.weight) for task in tasks if task.name not in receipts)
    return missing / max(1, sum(max(1, task.weight) for task in tasks))
