"""Tasks and their items in SQLite, and the work that waits to be written out from a plan."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.model.task import Item, Task, TaskState
from task_manager.store.documents import Document, without_texts
from task_manager.store.protocol import PendingExpansion
from task_manager.store.sqlite.database import Database, Decide, change, document_of
from task_manager.store.sqlite.schema import (
    DELIVERIES,
    EVENTS,
    ITEMS,
    JOBS,
    OUTPUTS,
    PACKS,
    PREVIEWS,
    TASKS,
    TRANSLATIONS,
    VERSIONS,
)

_PURGE_ROWS = 500  # rows a transaction, so that nobody waits long for a purge


class TaskTables(Database):
    def insert_task(self, task: Task) -> tuple[Task, bool]:
        if self._insert(TASKS, [task]):
            return task, True
        stored = self.task(task.id)
        if stored is None and task.idempotency_key is not None:
            stored = self.task_by_key(task.owner, task.idempotency_key)
        assert stored is not None
        return stored, stored.id == task.id

    def task(self, task_id: str) -> Task | None:
        return self._get(TASKS, task_id)

    def tasks(
        self,
        owner: str | None,
        *,
        states: Sequence[TaskState] = (),
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Task]:
        pages = [self._page(owner, state, before, limit) for state in set(states) or (None,)]
        merged = heapq.merge(*pages, key=lambda task: (task.created_at, task.id), reverse=True)
        return list(merged)[:limit]

    def _page(
        self,
        owner: str | None,
        state: TaskState | None,
        before: tuple[float, str] | None,
        limit: int,
    ) -> list[Task]:
        """One state at a time, so that each page is a stretch of an index."""
        terms, values = ["deleted_at IS NULL"], list[Any]()
        for name, value in (("owner", owner), ("state", state)):
            if value is not None:
                terms.append(f"{name} = ?")
                values.append(value)
        if before is not None:
            terms.append("(created_at, id) < (?, ?)")
            values.extend(before)
        rest = f"WHERE {' AND '.join(terms)} ORDER BY created_at DESC, id DESC LIMIT ?"
        return self._find(TASKS, rest, *values, limit)

    def task_by_key(self, owner: str, idempotency_key: str) -> Task | None:
        rest = "WHERE owner = ? AND idempotency_key = ?"
        return next(iter(self._find(TASKS, rest, owner, idempotency_key)), None)

    def move_task(self, task_id: str, revision: int, fields: Mapping[str, Any]) -> Task | None:
        def decide(task: Document) -> Mapping[str, Any] | None:
            return {**fields, "revision": revision + 1} if task["revision"] == revision else None

        return self._change(TASKS, task_id, decide)

    def note_task(
        self, task_id: str, fields: Mapping[str, Any], *, revision: int | None = None
    ) -> bool:
        return self._change(TASKS, task_id, at_revision(revision, fields)) is not None

    def start_task(self, task_id: str, at: float) -> bool:
        def decide(task: Document) -> Mapping[str, Any] | None:
            if task["state"] != TaskState.QUEUED:
                return None
            return {"state": TaskState.RUNNING, "started_at": at}

        return self._change(TASKS, task_id, decide) is not None

    def tasks_to_look_at(self, now: float, limit: int) -> list[Task]:
        return self._find(TASKS, "WHERE look_at <= ? ORDER BY look_at LIMIT ?", now, limit)

    def tasks_to_expire(self, now: float, limit: int) -> list[Task]:
        return self._find(TASKS, "WHERE expire_at <= ? ORDER BY expire_at LIMIT ?", now, limit)

    def forget_task(self, task_id: str) -> None:
        self._delete("DELETE FROM tasks WHERE id = ?", task_id)

    def known_tasks(self, task_ids: Sequence[str]) -> set[str]:
        marks = ", ".join("?" * len(task_ids))
        known = self._rows(f"SELECT id FROM tasks WHERE id IN ({marks})", *task_ids)
        return {str(task_id) for (task_id,) in known}

    def look_later(self, seen: Mapping[str, int], at: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for task_id, revision in seen.items():
                document = document_of(connection, TASKS, task_id)
                if document is not None and document["revision"] == revision:
                    change(connection, TASKS, document, {"look_at": at})

        if seen:
            self._write(work)

    def count_open_tasks(self, owner: str, cap: int) -> int:
        some = "SELECT 1 FROM tasks WHERE owner = ? AND state IN ('queued', 'running') LIMIT ?"
        ((count,),) = self._rows(f"SELECT count(*) FROM ({some})", owner, cap)
        return int(count)

    def pending_expansions(self, limit: int) -> list[PendingExpansion]:
        rest = "WHERE expand = 'pending' ORDER BY created_at LIMIT ?"
        tasks = self._rows(f"SELECT created_at, id, NULL FROM {TASKS.name} {rest}", limit)
        jobs = self._rows(f"SELECT created_at, task_id, id FROM {JOBS.name} {rest}", limit)
        oldest_first = heapq.merge(tasks, jobs, key=lambda row: row[0])
        return [PendingExpansion(task, job) for _, task, job in oldest_first][:limit]

    def purge_task(self, task_id: str) -> None:
        self._change(TASKS, task_id, _tombstone)
        for table in (
            ITEMS, JOBS, OUTPUTS, VERSIONS, PACKS, EVENTS, DELIVERIES, TRANSLATIONS, PREVIEWS,
        ):  # fmt: skip
            batch = f"SELECT rowid FROM {table.name} WHERE task_id = ? LIMIT {_PURGE_ROWS}"
            while self._delete(f"DELETE FROM {table.name} WHERE rowid IN ({batch})", task_id):
                pass

    def insert_items(self, items: Iterable[Item]) -> None:
        self._insert(ITEMS, items)

    def items(self, task_id: str, *, after: int = -1, limit: int) -> list[Item]:
        rest = "WHERE task_id = ? AND ordinal > ? ORDER BY ordinal LIMIT ?"
        return self._find(ITEMS, rest, task_id, after, limit)

    def item_by_text_id(self, task_id: str, text_id: str) -> Item | None:
        rest = "WHERE task_id = ? AND text_id = ?"
        return next(iter(self._find(ITEMS, rest, task_id, text_id)), None)


def at_revision(revision: int | None, fields: Mapping[str, Any]) -> Decide:
    def decide(task: Document) -> Mapping[str, Any] | None:
        return fields if revision in {None, task["revision"]} else None

    return decide


def _tombstone(task: Document) -> Mapping[str, Any]:
    return {"manifest": without_texts(task["manifest"]), "correction": None}
