"""Which worker processes there are: they register, they beat, they leave."""

from __future__ import annotations

from services.model.messages import NodeBeat, Register, Registered
from services.model.node import Node
from task_manager.pipeline.ports import Ports


def register(ports: Ports, hello: Register) -> Registered:
    """Writes the node down; a drain that an operator ordered is kept."""
    now = ports.store.now()
    node = Node(**hello.model_dump(exclude={"node"}), id=hello.node, registered_at=now, seen_at=now)
    ports.store.put_node(node)
    stored = ports.store.node(hello.node)
    ports.wake()
    return _answer(ports, stored or node)


def node_beat(ports: Ports, beat: NodeBeat) -> Registered | None:
    """None for a node that is not known: it registers anew."""
    node = ports.store.beat_node(beat.node, ports.store.now(), beat.running, gone=beat.leaving)
    return _answer(ports, node) if node else None


def live_nodes(ports: Ports) -> list[Node]:
    """Nodes that were heard of lately and did not say goodbye."""
    since = ports.store.now() - ports.settings.lost_after_s
    return [node for node in ports.store.nodes() if not node.gone and node.seen_at >= since]


def _answer(ports: Ports, node: Node) -> Registered:
    return Registered(
        now=ports.store.now(), beat_every_s=ports.settings.beat_every_s, draining=node.draining
    )
