"""What a store keeps of nodes: what they say of themselves, and what was decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from services.model.node import Node, Trouble
from services.model.speed import Speed


class NodeStore(Protocol):
    """Part of the `Store`; its promises hold here as well."""

    def put_node(self, node: Node) -> None:
        """Inserts, or writes over it what a worker says of itself; draining, operator_labels,
        troubles, set_aside_until and speeds stay as they are stored. lost_at becomes None."""
        ...

    def beat_node(
        self,
        node_id: str,
        at: float,
        running: int,
        *,
        gone: bool,
        children: int | None = None,
        free_mb: int | None = None,
    ) -> Node | None:
        """seen_at, running, gone, children and free_mb; lost_at becomes None."""
        ...

    def change_node(self, node_id: str, fields: Mapping[str, Any]) -> Node | None:
        """Writes what an operator or the ticker decides: draining, operator_labels, lost_at,
        set_aside_until, troubles. None if there is no such node."""
        ...

    def add_trouble(self, node_id: str, trouble: Trouble, keep: int) -> Node | None:
        """Appends to the node's troubles in one step, of which the newest `keep` stay."""
        ...

    def add_speeds(self, node_id: str, speeds: Mapping[str, Speed]) -> None:
        """Adds to what was measured on the node, by queue: the stored line, faded by 0.95 to the
        power of the new count, plus the new one. One step, so that several managers may."""
        ...

    def node(self, node_id: str) -> Node | None: ...

    def nodes(self) -> list[Node]: ...

    def drop_nodes(self, unseen_since: float) -> int:
        """Forgets nodes not seen since then; how many."""
        ...
