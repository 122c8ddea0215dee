"""What a store is asked when the time of tasks has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.model.task import Task


class ExpiryStore(Protocol):
    """Tasks of which something is to be removed, and those that are not there any more."""

    def tasks_to_expire(self, now: float, limit: int) -> list[Task]:
        """expire_at ≤ now, earliest first."""
        ...

    def forget_task(self, task_id: str) -> None:
        """Removes the document of a task that was purged."""
        ...

    def known_tasks(self, task_ids: Sequence[str]) -> set[str]:
        """Those of them that there are, deleted ones as well."""
        ...
