"""Mark the nodes that nobody hears of any more, by this process's own looking."""

from __future__ import annotations

from services import logs
from task_manager.pipeline.nodes import live_nodes, lose
from task_manager.pipeline.ports import Ports
from task_manager.ticker.reap import Watch, look

log = logs.get(__name__)


def mark_lost(ports: Ports, watch: Watch, at: float) -> int:
    """One look at all live nodes; how many fell silent. The next beat takes the mark away.

    `watch` counts from when this manager began to look without a gap, so that an outage of ours,
    or of the store, marks nobody.
    """
    silent = look(ports.store, watch, lambda: _signs(ports), at)
    lost = [name for name in silent if lose(ports, name, watch.seen[name][1])]
    for name in lost:
        log.warning("node_lost", node=name, silent_for_s=watch.lost_after_s)
    return len(lost)


def _signs(ports: Ports) -> dict[str, tuple[float, float]]:
    return {node.id: (node.registered_at, node.seen_at) for node in live_nodes(ports)}
