"""The store's operations on webhooks: who is told, and the outbox of what has yet to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from services.model.webhook import Delivery, DeliveryState, Endpoint


@dataclass(frozen=True, slots=True)
class Lane:
    """Deliveries that are sent a few at a time, and when the first of them is due."""

    name: str
    due: float


class Outbox(Protocol):
    """Part of the `Store`; its promises hold here as well."""

    def insert_endpoint(self, endpoint: Endpoint) -> None: ...

    def endpoint(self, endpoint_id: str) -> Endpoint | None: ...

    def endpoints(self, owner: str, limit: int) -> list[Endpoint]:
        """By id."""
        ...

    def change_endpoint(
        self, endpoint_id: str, revision: int, fields: Mapping[str, Any]
    ) -> Endpoint | None:
        """Writes `fields` and revision + 1 if the revision is still `revision`."""
        ...

    def delete_endpoint(self, endpoint_id: str) -> None:
        """Its log stays until it is old."""
        ...

    def insert_deliveries(self, deliveries: Iterable[Delivery]) -> None: ...

    def delivery(self, delivery_id: str) -> Delivery | None: ...

    def deliveries(
        self,
        *,
        endpoint: str | None = None,
        task_id: str | None = None,
        state: DeliveryState | None = None,
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Delivery]:
        """Those of an endpoint or else of a task, newest first by (created_at, id), older than
        `before`."""
        ...

    def next_lane(self, after: str) -> Lane | None:
        """The first lane by name above `after` that has pending deliveries."""
        ...

    def claim_delivery(self, lane: str, now: float, until: float) -> Delivery | None:
        """The first due pending one of the lane: attempt + 1, and due again at `until`, should
        nobody say by then what came of it."""
        ...

    def move_delivery(
        self, delivery_id: str, *, state: DeliveryState, attempt: int, fields: Mapping[str, Any]
    ) -> Delivery | None:
        """Writes the fields if state and attempt are these."""
        ...

    def drop_deliveries(self, ended_before: float, limit: int) -> int:
        """Forgets up to `limit` of those that ended before then; how many."""
        ...

    def count_cells(self, task_id: str, language: str) -> int:
        """How many outputs the task has in this language, by an index alone."""
        ...
