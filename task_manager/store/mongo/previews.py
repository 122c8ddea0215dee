"""Previews in MongoDB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from services.model.job import Lease
from services.model.preview import Preview
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database

_OLDEST = [("created_at", 1), ("id", 1)]
_WAITING: Document = {"state": "waiting"}


class PreviewCollection(Database):
    def insert_previews(self, previews: Iterable[Preview]) -> None:
        self._previews.insert_absent(previews)

    def preview(self, preview_id: str) -> Preview | None:
        return self._previews.get(preview_id)

    def claim_previews(
        self, *, queue: str, models: Sequence[str], node: str, token: str, limit: int
    ) -> list[Preview]:
        held = self._previews.find({"state": "running", "lease.token": token}, [("id", 1)])
        if held or limit <= 0:
            return held
        due = {**_WAITING, "queue": queue, "model": {"$in": list(models)}}
        fields = {"state": "running", "lease": Lease(node=node, token=token)}
        found = [
            str(each["_id"])
            for each in self._previews.stream(due, _OLDEST, only=("id",), limit=limit)
        ]
        won = (self._previews.change({**_WAITING, "_id": name}, fields) for name in found)
        return [each for each in islice(won, limit) if each is not None]

    def end_preview(self, preview_id: str, token: str) -> Preview | None:
        where = {"_id": preview_id, "state": "running", "lease.token": token}
        return self._previews.change(where, {"state": "ended"})

    def silent_previews(self, before: float, limit: int) -> list[Preview]:
        where = {**_WAITING, "announced_at": {"$lt": before}}
        return self._previews.find(where, [("announced_at", 1), *_OLDEST], limit)

    def stamp_preview(self, preview_id: str, at: float) -> bool:
        where = {**_WAITING, "_id": preview_id}
        return self._previews.change(where, {"announced_at": at}) is not None

    def count_previews(self, task_id: str, cap: int) -> int:
        return self._previews.count({"task_id": task_id}, limit=cap)

    def drop_previews(
        self,
        task_id: str,
        *,
        item: int | None = None,
        part: int | None = None,
        only_waiting: bool = False,
    ) -> int:
        state = "waiting" if only_waiting else None
        where = {"task_id": task_id, "item": item, "part": part, "state": state}
        return self._previews.delete({k: v for k, v in where.items() if v is not None})

    def drop_old_previews(self, before: float) -> int:
        return self._previews.delete({"created_at": {"$lt": before}})
