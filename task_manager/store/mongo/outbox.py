"""Webhooks in MongoDB: endpoints, and the deliveries that wait for their time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.model.webhook import Delivery, DeliveryState, Endpoint
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database
from task_manager.store.outbox import Lane


class OutboxCollections(Database):
    def insert_endpoint(self, endpoint: Endpoint) -> None:
        self._endpoints.insert(endpoint)

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        return self._endpoints.get(endpoint_id)

    def endpoints(self, owner: str, limit: int) -> list[Endpoint]:
        return self._endpoints.find({"owner": owner}, [("id", 1)], limit)

    def change_endpoint(
        self, endpoint_id: str, revision: int, fields: Mapping[str, Any]
    ) -> Endpoint | None:
        where = {"_id": endpoint_id, "revision": revision}
        return self._endpoints.change(where, {**fields, "revision": revision + 1})

    def delete_endpoint(self, endpoint_id: str) -> None:
        self._endpoints.delete({"_id": endpoint_id})

    def insert_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        self._deliveries.insert_absent(deliveries)

    def delivery(self, delivery_id: str) -> Delivery | None:
        return self._deliveries.get(delivery_id)

    def deliveries(
        self,
        *,
        endpoint: str | None = None,
        task_id: str | None = None,
        state: DeliveryState | None = None,
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Delivery]:
        where: Document = {"task_id": task_id} if endpoint is None else {"endpoint": endpoint}
        if state is not None:
            where["state"] = state
        if before is not None:
            at, delivery_id = before
            where["created_at"] = {"$lte": at}
            where["$or"] = [{"created_at": {"$lt": at}}, {"id": {"$lt": delivery_id}}]
        return self._deliveries.find(where, [("created_at", -1), ("id", -1)], limit)

    def next_lane(self, after: str) -> Lane | None:
        where = {"open": True, "lane": {"$gt": after}}
        order = [("lane", 1), ("due", 1)]
        for first in self._deliveries.stream(where, order, only=("lane", "due"), limit=1):
            return Lane(first["lane"], first["due"])
        return None

    def claim_delivery(self, lane: str, now: float, until: float) -> Delivery | None:
        return self._deliveries.change(
            {"open": True, "lane": lane, "due": {"$lte": now}},
            {"due": until},
            order=[("due", 1), ("id", 1)],
            plus_one=("attempt",),
        )

    def move_delivery(
        self, delivery_id: str, *, state: DeliveryState, attempt: int, fields: Mapping[str, Any]
    ) -> Delivery | None:
        where = {"_id": delivery_id, "state": state, "attempt": attempt}
        return self._deliveries.change(where, fields)

    def drop_deliveries(self, ended_before: float, limit: int) -> int:
        old = {"ended_at": {"$lt": ended_before}}
        found = self._deliveries.stream(old, only=("id",), limit=limit)
        return sum(self._deliveries.delete({"_id": each["id"]}) for each in list(found))

    def count_cells(self, task_id: str, language: str) -> int:
        return self._outputs.count({"task_id": task_id, "language": language})
