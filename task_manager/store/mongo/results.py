"""What is kept beside tasks and jobs in MongoDB: outputs, packs and events."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from typing import Any

from services.model.pack import Pack
from services.model.task import TaskEvent
from services.model.transcript import Output
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import OutputLine, StoreUnavailable

_TRIES = 200  # of an event's number; each one lost means that another event was written
_PAUSE_S = 0.005


class ResultCollections(Database):
    def put_output(self, output: Output) -> bool:
        # One after the other: the wire server of the tests reads `$or` beside a key as `or`.
        older = (
            {"version": {"$lt": output.version}},
            {"version": output.version, "attempt": {"$lt": output.attempt}},
        )
        return self._outputs.insert(output) or any(
            self._outputs.replace(output, where) for where in older
        )

    def output(self, output_id: str) -> Output | None:
        return self._outputs.get(output_id)

    def outputs(
        self,
        task_id: str,
        *,
        first: int = 0,
        last: int | None = None,
        language: str | None = None,
    ) -> list[Output]:
        where: Document = {"task_id": task_id, "item": {"$gte": first}}
        if last is not None:
            where["item"]["$lte"] = last
        if language is not None:
            where["language"] = language
        return self._outputs.find(where, [("item", 1), ("source", 1), ("language", 1)])

    def output_lines(self, task_id: str, first: int, last: int) -> list[OutputLine]:
        where = {"task_id": task_id, "item": {"$gte": first, "$lte": last}}
        order = [("item", 1), ("source", 1), ("language", 1)]
        found = self._outputs.stream(where, order, without=("text", "body"))
        return [
            OutputLine(
                item=each["item"],
                source=each["source"],
                language=each["language"],
                kind=each["kind"],
                facts=json.loads(each["facts"]),
            )
            for each in found
        ]

    def count_outputs(self, task_id: str) -> int:
        return self._outputs.count(
            {"task_id": task_id, "kind": {"$in": ["translation", "identity"]}}
        )

    def put_pack(self, pack: Pack) -> bool:
        older = {"revision": {"$lt": pack.revision}}
        return self._packs.insert(pack) or self._packs.replace(pack, older)

    def pack(self, task_id: str, language: str) -> Pack | None:
        return self._packs.first({"task_id": task_id, "language": language})

    def append_event(self, task_id: str, at: float, kind: str, data: Mapping[str, Any]) -> int:
        for _ in range(_TRIES):
            number = self.last_event(task_id) + 1
            event = TaskEvent(task_id=task_id, number=number, at=at, kind=kind, data=dict(data))
            if self._events.insert(event):
                return number
            # Whoever took the number may not be visible to the majority yet.
            time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311
        raise StoreUnavailable("Too many events at once: try again.")

    def insert_event(self, event: TaskEvent) -> bool:
        return self._events.insert(event)

    def events(self, task_id: str, *, after: int = 0, limit: int) -> list[TaskEvent]:
        where = {"task_id": task_id, "number": {"$gt": after}}
        return self._events.find(where, [("number", 1)], limit)

    def last_event(self, task_id: str) -> int:
        newest = [("number", -1)]
        for event in self._events.stream({"task_id": task_id}, newest, only=("number",), limit=1):
            return int(event["number"])
        return 0
