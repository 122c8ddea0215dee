"""Webhooks in SQLite: endpoints, and the deliveries that wait for their time."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from services.model.webhook import Delivery, DeliveryState, Endpoint
from task_manager.store.documents import Document
from task_manager.store.outbox import Lane
from task_manager.store.sqlite.database import Database, change_if
from task_manager.store.sqlite.schema import DELIVERIES, ENDPOINTS


class OutboxTables(Database):
    def insert_endpoint(self, endpoint: Endpoint) -> None:
        self._insert(ENDPOINTS, [endpoint])

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        return self._get(ENDPOINTS, endpoint_id)

    def endpoints(self, owner: str, limit: int) -> list[Endpoint]:
        return self._find(ENDPOINTS, "WHERE owner = ? ORDER BY id LIMIT ?", owner, limit)

    def change_endpoint(
        self, endpoint_id: str, revision: int, fields: Mapping[str, Any]
    ) -> Endpoint | None:
        def decide(endpoint: Document) -> Mapping[str, Any] | None:
            if endpoint["revision"] != revision:
                return None
            return {**fields, "revision": revision + 1}

        return self._change(ENDPOINTS, endpoint_id, decide)

    def delete_endpoint(self, endpoint_id: str) -> None:
        self._delete("DELETE FROM endpoints WHERE id = ?", endpoint_id)

    def insert_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        self._insert(DELIVERIES, deliveries)

    def delivery(self, delivery_id: str) -> Delivery | None:
        return self._get(DELIVERIES, delivery_id)

    def deliveries(
        self,
        *,
        endpoint: str | None = None,
        task_id: str | None = None,
        state: DeliveryState | None = None,
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Delivery]:
        whose = ("task_id", task_id) if endpoint is None else ("endpoint", endpoint)
        terms, values = [f"{whose[0]} = ?"], list[Any]([whose[1]])
        if state is not None:
            terms.append("state = ?")
            values.append(state)
        if before is not None:
            terms.append("(created_at, id) < (?, ?)")
            values.extend(before)
        rest = f"WHERE {' AND '.join(terms)} ORDER BY created_at DESC, id DESC LIMIT ?"
        return self._find(DELIVERIES, rest, *values, limit)

    def next_lane(self, after: str) -> Lane | None:
        rows = self._rows(
            "SELECT lane, due FROM deliveries WHERE open = 1 AND lane > ?"
            " ORDER BY lane, due LIMIT 1",
            after,
        )
        return next((Lane(name, due) for name, due in rows), None)

    def claim_delivery(self, lane: str, now: float, until: float) -> Delivery | None:
        def work(connection: sqlite3.Connection) -> Document | None:
            row = connection.execute(
                "SELECT id FROM deliveries WHERE open = 1 AND lane = ? AND due <= ?"
                " ORDER BY due, id LIMIT 1",
                (lane, now),
            ).fetchone()
            return None if row is None else change_if(connection, DELIVERIES, row[0], take)

        def take(delivery: Document) -> Mapping[str, Any]:
            return {"attempt": delivery["attempt"] + 1, "due": until}

        won = self._write(work)
        return None if won is None else Delivery.model_validate(won)

    def move_delivery(
        self, delivery_id: str, *, state: DeliveryState, attempt: int, fields: Mapping[str, Any]
    ) -> Delivery | None:
        def decide(delivery: Document) -> Mapping[str, Any] | None:
            same = (delivery["state"], delivery["attempt"]) == (state, attempt)
            return fields if same else None

        return self._change(DELIVERIES, delivery_id, decide)

    def drop_deliveries(self, ended_before: float, limit: int) -> int:
        old = f"SELECT rowid FROM deliveries WHERE ended_at < ? LIMIT {limit:d}"
        return self._delete(f"DELETE FROM deliveries WHERE rowid IN ({old})", ended_before)

    def count_cells(self, task_id: str, language: str) -> int:
        ((count,),) = self._rows(
            "SELECT count(*) FROM outputs WHERE task_id = ? AND language = ?", task_id, language
        )
        return int(count)
