"""What a store keeps of the logs of tasks, each by itself and all of an owner in one row."""

from __future__ import annotations

from typing import Protocol

from services.model.task import TaskEvent
from task_manager.store.children import NewEvent


class EventStore(Protocol):
    """Lines are only ever added, and go with their task.

    A line's position is given as it is written. What becomes visible later has a higher one, but
    for what is written within `unordered_s` of each other: 0 where writers wait for each other.
    """

    unordered_s: float

    def append_event(self, event: NewEvent) -> int:
        """Appends under the next number (last + 1; tried again when somebody took it)."""
        ...

    def insert_event(self, event: TaskEvent) -> bool:
        """Under its own number, with a position of the store's. False, and nothing is written, if
        the number is taken."""
        ...

    def events(self, task_id: str, *, after: int = 0, limit: int) -> list[TaskEvent]: ...

    def last_event(self, task_id: str) -> int: ...

    def owner_events(self, owner: str, *, after: int, limit: int) -> list[TaskEvent]:
        """Those with a higher position than `after`, by position."""
        ...

    def last_position(self, owner: str) -> int:
        """0 if there is none."""
        ...
