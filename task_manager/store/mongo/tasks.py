"""Tasks and their items in MongoDB, and the work that waits to be written out from a plan."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.model.task import Item, Task, TaskState
from task_manager.store.documents import Document, without_texts
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import PendingExpansion, StoreUnavailable


class TaskCollections(Database):
    def insert_task(self, task: Task) -> tuple[Task, bool]:
        if self._tasks.insert(task):
            return task, True
        stored = self.task(task.id)
        if stored is None and task.idempotency_key is not None:
            stored = self.task_by_key(task.owner, task.idempotency_key)
        if stored is None:
            raise StoreUnavailable("Another task with this key is being written: try again.")
        return stored, stored.id == task.id

    def task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def tasks(
        self,
        owner: str | None,
        *,
        states: Sequence[TaskState] = (),
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Task]:
        where: Document = {"listed": True}
        if owner is not None:
            where["owner"] = owner
        if states:
            where["state"] = {"$in": list(states)}
        if before is not None:
            at, task_id = before
            where["created_at"] = {"$lte": at}
            where["$or"] = [{"created_at": {"$lt": at}}, {"id": {"$lt": task_id}}]
        return self._tasks.find(where, [("created_at", -1), ("id", -1)], limit)

    def task_by_key(self, owner: str, idempotency_key: str) -> Task | None:
        return self._tasks.first({"owner": owner, "idempotency_key": idempotency_key})

    def move_task(self, task_id: str, revision: int, fields: Mapping[str, Any]) -> Task | None:
        where = {"_id": task_id, "revision": revision}
        return self._tasks.change(where, {**fields, "revision": revision + 1})

    def note_task(
        self, task_id: str, fields: Mapping[str, Any], *, revision: int | None = None
    ) -> bool:
        where: Document = {"_id": task_id}
        if revision is not None:
            where["revision"] = revision
        return self._tasks.change(where, fields) is not None

    def start_task(self, task_id: str, at: float) -> bool:
        where = {"_id": task_id, "state": TaskState.QUEUED}
        changes = {"state": TaskState.RUNNING, "started_at": at}
        return self._tasks.change(where, changes) is not None

    def tasks_to_look_at(self, now: float, limit: int) -> list[Task]:
        return self._tasks.find({"look_at": {"$lte": now}}, [("look_at", 1)], limit)

    def tasks_to_expire(self, now: float, limit: int) -> list[Task]:
        return self._tasks.find({"expire_at": {"$lte": now}}, [("expire_at", 1)], limit)

    def forget_task(self, task_id: str) -> None:
        self._tasks.delete({"_id": task_id})

    def known_tasks(self, task_ids: Sequence[str]) -> set[str]:
        known = self._tasks.stream({"_id": {"$in": list(task_ids)}}, only=("id",))
        return {str(task["id"]) for task in known}

    def look_later(self, seen: Mapping[str, int], at: float) -> None:
        self._tasks.change_each(
            [{"_id": task_id, "revision": revision} for task_id, revision in seen.items()],
            {"look_at": at},
        )

    def count_open_tasks(self, owner: str, cap: int) -> int:
        where = {"owner": owner, "state": {"$in": [TaskState.QUEUED, TaskState.RUNNING]}}
        return self._tasks.count(where, limit=cap)

    def pending_expansions(self, limit: int) -> list[PendingExpansion]:
        pending, order = {"expand": "pending"}, [("created_at", 1)]
        tasks = [
            (task["created_at"], PendingExpansion(task["id"], None))
            for task in self._tasks.stream(pending, order, only=("id", "created_at"), limit=limit)
        ]
        jobs = [
            (job["created_at"], PendingExpansion(job["task_id"], job["id"]))
            for job in self._jobs.stream(
                pending, order, only=("id", "task_id", "created_at"), limit=limit
            )
        ]
        oldest_first = heapq.merge(tasks, jobs, key=lambda found: found[0])
        return [pending for _, pending in oldest_first][:limit]

    def purge_task(self, task_id: str) -> None:
        for task in self._tasks.stream({"_id": task_id}, only=("manifest",)):
            manifest = without_texts(json.loads(task["manifest"]))
            self._tasks.change({"_id": task_id}, {"manifest": manifest, "correction": None})
        for collection in (
            self._items, self._jobs, self._outputs, self._versions, self._packs, self._events,
        ):  # fmt: skip
            collection.delete({"task_id": task_id})
        self._deliveries.delete({"task_id": task_id})
        self._translations.delete({"task_id": task_id})
        self._previews.delete({"task_id": task_id})

    def insert_items(self, items: Iterable[Item]) -> None:
        self._items.insert_absent(items)

    def items(self, task_id: str, *, after: int = -1, limit: int) -> list[Item]:
        where = {"task_id": task_id, "ordinal": {"$gt": after}}
        return self._items.find(where, [("ordinal", 1)], limit)

    def item_by_text_id(self, task_id: str, text_id: str) -> Item | None:
        return self._items.first({"task_id": task_id, "text_id": text_id})
