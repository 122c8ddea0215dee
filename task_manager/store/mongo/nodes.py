"""Nodes in MongoDB: what workers say of themselves, and what is decided and learnt about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.model.node import Node, Trouble
from services.model.speed import Speed
from task_manager.store.documents import KEPT_OF_NODES, Document, newest_troubles, speeds_with
from task_manager.store.mongo.database import Database


class NodeCollection(Database):
    def put_node(self, node: Node) -> None:
        written = self._nodes.encode({**dict(node), "lost_at": None})
        only_new = {name: written.pop(name) for name in KEPT_OF_NODES}
        self._nodes.put({"_id": node.id}, written, only_new)

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
        return self._nodes.change({"_id": node_id}, fields)

    def add_trouble(self, node_id: str, trouble: Trouble, keep: int) -> Node | None:
        def decide(node: Document) -> list[Document]:
            return newest_troubles(node, trouble, keep)

        return self._nodes.rewrite(node_id, "troubles", decide)

    def add_speeds(self, node_id: str, speeds: Mapping[str, Speed]) -> None:
        self._nodes.rewrite(node_id, "speeds", lambda node: speeds_with(node, speeds))

    def node(self, node_id: str) -> Node | None:
        return self._nodes.get(node_id)

    def nodes(self) -> list[Node]:
        return self._nodes.find({}, [("id", 1)])

    def drop_nodes(self, unseen_since: float) -> int:
        return self._nodes.delete({"seen_at": {"$lt": unseen_since}})
