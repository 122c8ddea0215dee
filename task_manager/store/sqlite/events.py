"""The logs of tasks in SQLite: positions are given within the transaction, one writer at a time,
so they rise in the order in which events become visible."""

from __future__ import annotations

import sqlite3

from services.model.task import TaskEvent
from task_manager.store.children import NewEvent
from task_manager.store.sqlite import clock
from task_manager.store.sqlite.database import Database, insert, rows_of
from task_manager.store.sqlite.schema import EVENTS

_LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM events WHERE task_id = ?"
_LAST_POSITION = "SELECT coalesce(max(position), 0) FROM events WHERE owner = ? AND position > 0"


class EventTable(Database):
    unordered_s = 0.0

    def append_event(self, event: NewEvent) -> int:
        return self._write(lambda connection: append(connection, event))

    def insert_event(self, event: TaskEvent) -> bool:
        return self._write(lambda connection: _place(connection, event))

    def events(self, task_id: str, *, after: int = 0, limit: int) -> list[TaskEvent]:
        rest = "WHERE task_id = ? AND number > ? ORDER BY number LIMIT ?"
        return self._find(EVENTS, rest, task_id, after, limit)

    def last_event(self, task_id: str) -> int:
        ((last,),) = self._rows(_LAST_NUMBER, task_id)
        return int(last)

    def owner_events(self, owner: str, *, after: int, limit: int) -> list[TaskEvent]:
        rest = "WHERE owner = ? AND position > ? AND position > 0 ORDER BY position LIMIT ?"
        return self._find(EVENTS, rest, owner, after, limit)

    def last_position(self, owner: str) -> int:
        ((last,),) = self._rows(_LAST_POSITION, owner)
        return int(last)


def append(connection: sqlite3.Connection, *events: NewEvent) -> int:
    """Those of one task, under its next numbers; the last of them."""
    if not events:
        return 0
    first = events[0]
    (number,) = connection.execute(_LAST_NUMBER, (first.task_id,)).fetchone()
    position = _next_position(connection, first.owner)
    placed = [event.placed(number + n, position + n - 1) for n, event in enumerate(events, 1)]
    insert(connection, EVENTS, rows_of(EVENTS, placed))
    return int(number) + len(events)


def _place(connection: sqlite3.Connection, event: TaskEvent) -> bool:
    """Inserts it behind all others of its owner, unless its number is taken."""
    placed = event.model_copy(update={"position": _next_position(connection, event.owner)})
    return insert(connection, EVENTS, rows_of(EVENTS, [placed])) == 1


def _next_position(connection: sqlite3.Connection, owner: str) -> int:
    (last,) = connection.execute(_LAST_POSITION, (owner,)).fetchone()
    return max(int(last) + 1, int(clock.now(connection) * 1e6))
