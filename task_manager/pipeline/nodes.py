"""Which worker processes there are: they register, beat and leave; troubles set them aside."""

from __future__ import annotations

from collections.abc import Mapping

from services import logs
from services.model.errors import NotFound
from services.model.job import Lease
from services.model.labels import check_labels, check_node_id
from services.model.messages import NodeBeat, Register, Registered
from services.model.node import Node, Trouble, others_for
from task_manager.pipeline.ports import Ports

log = logs.get(__name__)

_KEEP_TROUBLES = 20


def register(ports: Ports, hello: Register) -> Registered:
    """Writes the node down; what operators and the ticker decided about it is kept.

    Raises Invalid for an id or a label that cannot stand in an address or a queue's name.
    """
    check_node_id(hello.node, "node")
    check_labels(hello.labels, "labels")
    now = ports.store.now()
    node = Node(**hello.model_dump(exclude={"node"}), id=hello.node, registered_at=now, seen_at=now)
    ports.store.put_node(node)
    stored = ports.store.node(hello.node)
    _ring_again(ports, stored or node)
    return _answer(ports, stored or node)


def node_beat(ports: Ports, beat: NodeBeat) -> Registered | None:
    """None for a node that is not known: it registers anew."""
    node = ports.store.beat_node(
        beat.node,
        ports.store.now(),
        beat.running,
        gone=beat.leaving,
        children=beat.children,
        free_mb=beat.free_mb,
    )
    return _answer(ports, node) if node else None


def lose(ports: Ports, node_id: str, seen_at: float) -> bool:
    """Marks a node that was last heard of at `seen_at`; False if it has beaten since, or left."""
    node = ports.store.node(node_id)
    if node is None or not node.live or node.seen_at != seen_at:
        return False
    lost = ports.store.change_node(node_id, {"lost_at": ports.store.now()})
    if lost is not None:
        _ring_again(ports, lost)
    return lost is not None


def _ring_again(ports: Ports, node: Node) -> None:
    """A worker that was killed took the bells with it which it had heard and not answered, one for
    each of its processes: so many of what waits in its queues are announced anew, instead of a
    minute later."""
    now = ports.store.now()
    for queue in node.listens:
        for job in ports.store.announce_due(now, queue, node.slots, again_after_s=0.0):
            ports.store.unannounce(job.id, now)
    ports.wake()


def live_nodes(ports: Ports) -> list[Node]:
    """Nodes that did not say goodbye and are not missed."""
    return [node for node in ports.store.nodes() if node.live]


def _answer(ports: Ports, node: Node) -> Registered:
    listen = _listen(ports, node)
    return Registered(
        now=ports.store.now(),
        beat_every_s=ports.settings.beat_every_s,
        draining=node.draining,
        listen=listen,
        due=ports.waiting.of(listen, ports.store, 2 * ports.settings.tick_every_s),
    )


def _listen(ports: Ports, node: Node) -> list[str]:
    now = ports.store.now()
    if node.draining:
        return []
    if not node.is_set_aside(now):
        return node.listens
    live = live_nodes(ports)
    return [queue for queue in node.listens if not others_for(node.id, live, queue, now)]


# ── trouble ──────────────────────────────────────────────────────────────────────────────────


def trouble(ports: Ports, lease: Lease, job_id: str) -> None:
    """A job was lost on the node, or ran out of memory there; too many set the node aside."""
    node_id = lease.node
    now = ports.store.now()
    within = ports.settings.set_aside_s
    node = ports.store.add_trouble(
        node_id, Trouble(at=now, job=job_id, token=lease.token), _KEEP_TROUBLES
    )
    if node is None or not node.is_troubled(now, within):
        return
    ports.store.change_node(node_id, {"set_aside_until": now + within})
    if not node.is_set_aside(now):
        log.warning("node_set_aside", node=node_id, for_s=within, jobs=_jobs(node))


def forgive(ports: Ports, node_id: str, job_id: str) -> None:
    """The job was not lost after all: its worker had only not been heard."""
    node = ports.store.node(node_id)
    charged = [each for each in node.troubles if each.job == job_id] if node else []
    if node is None or not charged:
        return
    now = ports.store.now()
    left = [each for each in node.troubles if each != charged[-1]]
    fields: dict[str, object] = {"troubles": left}
    cleared = node.model_copy(update=fields)
    if node.is_set_aside(now) and not cleared.is_troubled(now, ports.settings.set_aside_s):
        fields["set_aside_until"] = None
        log.info("node_taken_back", node=node_id)
    ports.store.change_node(node_id, fields)


def _jobs(node: Node) -> list[str]:
    return list(dict.fromkeys(each.job for each in node.troubles))


# ── what operators order ─────────────────────────────────────────────────────────────────────


def drain(ports: Ports, node_id: str) -> Node:
    """Nothing new for this node; what runs there ends there. Raises NotFound."""
    return _ordered(ports, node_id, {"draining": True})


def resume(ports: Ports, node_id: str) -> Node:
    """Ends a drain, and a set-aside with its troubles. Raises NotFound."""
    fresh: dict[str, object] = {"draining": False, "set_aside_until": None, "troubles": []}
    return _ordered(ports, node_id, fresh)


def relabel(ports: Ports, node_id: str, labels: Mapping[str, str | None]) -> Node:
    """Labels over those that the node gave itself; None takes one away. Raises NotFound, and
    Invalid for what is no label."""
    check_labels(labels, "labels")
    node = find(ports, node_id)
    merged = {**node.operator_labels, **labels}
    kept = {name: value for name, value in merged.items() if value or name in node.labels}
    return _ordered(ports, node_id, {"operator_labels": kept})


def find(ports: Ports, node_id: str) -> Node:
    """Raises NotFound."""
    node = ports.store.node(node_id)
    if node is None:
        raise _unknown(node_id)
    return node


def _ordered(ports: Ports, node_id: str, fields: Mapping[str, object]) -> Node:
    node = ports.store.change_node(node_id, fields)
    if node is None:
        raise _unknown(node_id)
    log.info("node_ordered", node=node_id, **fields)
    ports.wake()
    return node


def _unknown(node_id: str) -> NotFound:
    return NotFound(
        f"There is no node {node_id[:80]!r}: GET /v1/nodes lists them.", code="unknown_node"
    )
