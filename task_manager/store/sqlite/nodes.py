"""Nodes in SQLite: what workers say of themselves, and what is decided and learnt about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.model.node import Node, Trouble
from services.model.speed import Speed
from task_manager.store.documents import KEPT_OF_NODES, Document, newest_troubles, speeds_with
from task_manager.store.sqlite.database import Database
from task_manager.store.sqlite.schema import NODES


class NodeTable(Database):
    def put_node(self, node: Node) -> None:
        heard = node.model_copy(update={"lost_at": None})
        said = {name: value for name, value in heard if name not in KEPT_OF_NODES}
        self._put(NODES, heard, lambda _: said)

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
        fields = {
            "seen_at": at,
            "running": running,
            "gone": gone,
            "children": children,
            "free_mb": free_mb,
            "lost_at": None,
        }
        return self.change_node(node_id, fields)

    def change_node(self, node_id: str, fields: Mapping[str, Any]) -> Node | None:
        return self._change(NODES, node_id, lambda _: fields)

    def add_trouble(self, node_id: str, trouble: Trouble, keep: int) -> Node | None:
        def decide(node: Document) -> Mapping[str, Any]:
            return {"troubles": newest_troubles(node, trouble, keep)}

        return self._change(NODES, node_id, decide)

    def add_speeds(self, node_id: str, speeds: Mapping[str, Speed]) -> None:
        self._change(NODES, node_id, lambda node: {"speeds": speeds_with(node, speeds)})

    def node(self, node_id: str) -> Node | None:
        return self._get(NODES, node_id)

    def nodes(self) -> list[Node]:
        return self._find(NODES, "ORDER BY id")

    def drop_nodes(self, unseen_since: float) -> int:
        return self._delete("DELETE FROM nodes WHERE seen_at < ?", unseen_since)
