"""The logs of tasks in MongoDB. Writers do not wait for each other, so positions are the time at
which each began to write: events may become visible a little out of their order."""

from __future__ import annotations

import random
import time

from services.model.task import TaskEvent
from task_manager.store.children import NewEvent
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import StoreUnavailable

_TRIES = 200  # of an event's number; each one lost means that another event was written
_PAUSE_S = 0.005


class EventCollection(Database):
    unordered_s = 5.0
    """From the time that a manager read to the insert on the primary, and the difference between
    the clocks of two managers. Both take milliseconds; what takes longer than this may be missed
    by who follows all of an owner's tasks, and never by who follows its task."""

    def append_event(self, event: NewEvent) -> int:
        for _ in range(_TRIES):
            number, position = self._last(event.task_id)
            if self._events.insert(event.placed(number + 1, self._position_after(position))):
                return number + 1
            # Whoever took the number may not be visible to the majority yet.
            time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311
        raise StoreUnavailable("Too many events at once: try again.")

    def insert_event(self, event: TaskEvent) -> bool:
        position = self._position_after(self._last(event.task_id)[1])
        return self._events.insert(event.model_copy(update={"position": position}))

    def events(self, task_id: str, *, after: int = 0, limit: int) -> list[TaskEvent]:
        where = {"task_id": task_id, "number": {"$gt": after}}
        return self._events.find(where, [("number", 1)], limit)

    def last_event(self, task_id: str) -> int:
        return self._last(task_id)[0]

    def owner_events(self, owner: str, *, after: int, limit: int) -> list[TaskEvent]:
        where = {"owner": owner, "position": {"$gt": max(0, after)}}
        return self._events.find(where, [("position", 1)], limit)

    def last_position(self, owner: str) -> int:
        where = {"owner": owner, "position": {"$gt": 0}}
        newest = [("position", -1)]
        for event in self._events.stream(where, newest, only=("position",), limit=1):
            return int(event["position"])
        return 0

    def _last(self, task_id: str) -> tuple[int, int]:
        """Number and position."""
        newest, only = [("number", -1)], ("number", "position")
        for event in self._events.stream({"task_id": task_id}, newest, only=only, limit=1):
            return int(event["number"]), int(event.get("position", 0))
        return 0, 0

    def _position_after(self, last: int) -> int:
        """Behind the task's last one, whoever wrote that and by whatever clock. The store's time
        is in milliseconds; two events at once shall rarely ask for the same place."""
        return max(last + 1, int(self.now() * 1e6) + random.randrange(1000))  # noqa: S311
