"""Ring the bell for jobs that are due: never more than the nodes can take, again when unheard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from services import logs
from services.model.node import Node
from services.model.preview import Preview
from task_manager.pipeline.nodes import live_nodes
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import RunningJob

log = logs.get(__name__)

_PREVIEWS = 100  # looked at in one go

Ring = Callable[[str, str], None]  # (queue, job id); raises when the broker did not take it


def announce(ports: Ports, ring: Ring) -> int:
    """One look at every queue that holds waiting jobs; how many announcements went out.

    A message that the broker did not take leaves its job and those after it unstamped, so the
    next look tries again.
    """
    now = ports.store.now()
    queues = ports.store.waiting_queues()
    again = now - ports.settings.announce_again_s
    previews = ports.store.silent_previews(again, _PREVIEWS)
    nodes = live_nodes(ports) if queues or previews else []
    free = free_slots(nodes, busy(ports.store.running_jobs()) if nodes else Counter(), now)
    sent = 0
    for queue in queues:
        rung, ports.waiting.rung = _announce(ports, ring, queue, free.get(queue, 0), now)
        sent += rung
        free[queue] = free.get(queue, 0) - rung
        if not ports.waiting.rung:
            return sent
    return sent + _announce_previews(ports, ring, previews, free, now)


def _announce_previews(
    ports: Ports, ring: Ring, previews: Sequence[Preview], free: dict[str, int], now: float
) -> int:
    """Those that find a slot which no job needs; how many. What the broker does not take is rung
    for again in its time, if it still waits then."""
    sent = 0
    for preview in previews:
        if free.get(preview.queue, 0) <= 0 or not ports.store.stamp_preview(preview.id, now):
            continue
        free[preview.queue] -= 1
        try:
            ring(preview.queue, preview.id)
        except Exception as error:  # noqa: BLE001 - the broker's client raises anything
            log.warning("broker_away", error=repr(error))
            break
        sent += 1
    return sent


def _announce(ports: Ports, ring: Ring, queue: str, limit: int, now: float) -> tuple[int, bool]:
    """How many messages of the queue went out, and whether the broker took all of them."""
    if limit <= 0:
        return 0, True
    due = ports.store.announce_due(now, queue, limit, ports.settings.announce_again_s)
    for number, job in enumerate(due):
        try:
            ring(job.queue, job.id)
        except Exception as error:  # noqa: BLE001 - the broker's client raises anything
            log.warning("broker_away", error=repr(error))
            ports.meter.broker_failed()
            for unsent in due[number:]:
                ports.store.unannounce(unsent.id, now)
            return number, False
        ports.meter.announced()
    return len(due), True


def busy(running: Iterable[RunningJob]) -> Counter[str]:
    """How many processes of each node are at work: short jobs are claimed in bundles, of which
    one process does all."""
    return Counter(node for node, _ in {(job.node, job.token) for job in running})


def free_slots(nodes: list[Node], running: Counter[str], now: float) -> dict[str, int]:
    """How many more jobs the live nodes could take at once, by the queues that they listen to.

    Nodes that are set aside count where nobody else listens.
    """
    healthy: Counter[str] = Counter()
    set_aside: Counter[str] = Counter()
    for node in nodes:
        if not node.may_work:
            continue
        free = set_aside if node.is_set_aside(now) else healthy
        left = max(0, node.capacity - running[node.id])
        free.update(dict.fromkeys(node.listens, left))
    return {**set_aside, **healthy}
