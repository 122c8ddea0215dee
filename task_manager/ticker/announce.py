"""Ring the bell for jobs that are due: never more than the nodes can take, again when unheard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from services import logs
from services.model.node import Node
from task_manager.pipeline.nodes import live_nodes
from task_manager.pipeline.ports import Ports

log = logs.get(__name__)

Ring = Callable[[str, str], None]  # (queue, job id); raises when the broker did not take it


def announce(ports: Ports, ring: Ring) -> int:
    """One look at every queue that holds due jobs; how many announcements went out.

    A message that the broker did not take leaves the job unstamped, so the next look tries
    again.
    """
    now = ports.store.now()
    depths = [depth for depth in ports.store.queue_depths(now) if depth.due]
    if not depths:
        return 0
    free = free_slots(live_nodes(ports), Counter(job.node for job in ports.store.running_jobs()))
    sent = 0
    for depth in depths:
        limit = min(depth.due, free.get(depth.queue, 0))
        if limit <= 0:
            continue
        again_after = ports.settings.announce_again_s
        for job in ports.store.announce_due(now, depth.queue, limit, again_after):
            try:
                ring(job.queue, job.id)
            except Exception as error:  # noqa: BLE001 - the broker's client raises anything
                log.warning("broker_away", error=repr(error))
                ports.store.unannounce(job.id, now)
                return sent
            sent += 1
    return sent


def free_slots(nodes: list[Node], running: Counter[str]) -> dict[str, int]:
    """How many more jobs the live nodes of each queue could take at once."""
    free: dict[str, int] = {}
    for node in nodes:
        if node.draining:
            continue
        left = max(0, node.slots - running[node.id])
        for queue in node.queues:
            free[queue] = free.get(queue, 0) + left
    return free
