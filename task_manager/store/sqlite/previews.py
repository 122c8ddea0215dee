"""Previews in SQLite."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.model.job import Lease
from services.model.preview import Preview
from task_manager.store.documents import Document
from task_manager.store.sqlite.database import Database, change, document_of
from task_manager.store.sqlite.schema import PREVIEWS


class PreviewTable(Database):
    def insert_previews(self, previews: Iterable[Preview]) -> None:
        self._insert(PREVIEWS, previews)

    def preview(self, preview_id: str) -> Preview | None:
        return self._get(PREVIEWS, preview_id)

    def claim_previews(
        self, *, queue: str, models: Sequence[str], node: str, token: str, limit: int
    ) -> list[Preview]:
        held = "WHERE state = 'running' AND lease_token = ? ORDER BY id"
        due = (
            "SELECT id FROM previews WHERE state = 'waiting' AND queue = ?"
            f" AND model IN ({', '.join('?' * len(models))}) ORDER BY created_at, id LIMIT ?"
        )
        found = self._find(PREVIEWS, held, token)
        if found or limit <= 0 or not self._rows(due, queue, *models, 1):
            return found  # the usual answer takes no lock
        fields = {"state": "running", "lease": Lease(node=node, token=token)}

        def work(connection: sqlite3.Connection) -> list[Document]:
            ids = connection.execute(due, (queue, *models, limit)).fetchall()
            read = [document_of(connection, PREVIEWS, preview_id) for (preview_id,) in ids]
            return [change(connection, PREVIEWS, each, fields) for each in read if each]

        return [Preview.model_validate(each) for each in self._write(work)]

    def end_preview(self, preview_id: str, token: str) -> Preview | None:
        def decide(found: Document) -> Mapping[str, Any] | None:
            held = found["state"] == "running" and (found["lease"] or {}).get("token") == token
            return {"state": "ended"} if held else None

        return self._change(PREVIEWS, preview_id, decide)

    def silent_previews(self, before: float, limit: int) -> list[Preview]:
        rest = (
            "WHERE state = 'waiting' AND announced_at < ? ORDER BY announced_at, created_at, id"
            " LIMIT ?"
        )
        return self._find(PREVIEWS, rest, before, limit)

    def stamp_preview(self, preview_id: str, at: float) -> bool:
        def decide(found: Document) -> Mapping[str, Any] | None:
            return {"announced_at": at} if found["state"] == "waiting" else None

        return self._change(PREVIEWS, preview_id, decide) is not None

    def count_previews(self, task_id: str, cap: int) -> int:
        some = "SELECT 1 FROM previews WHERE task_id = ? LIMIT ?"
        ((count,),) = self._rows(f"SELECT count(*) FROM ({some})", task_id, cap)
        return int(count)

    def drop_previews(
        self,
        task_id: str,
        *,
        item: int | None = None,
        part: int | None = None,
        only_waiting: bool = False,
    ) -> int:
        terms, values = ["task_id = ?"], [task_id, item, part]
        if item is not None:
            terms.append("item = ?")
        if part is not None:
            terms.append("part = ?")
        if only_waiting:
            terms.append("state = 'waiting'")
        bound = tuple(value for value in values if value is not None)
        sql = f"DELETE FROM previews WHERE {' AND '.join(terms)}"
        if not self._rows(f"SELECT 1 FROM previews WHERE {' AND '.join(terms)} LIMIT 1", *bound):
            return 0  # the usual answer takes no lock
        return self._write(lambda connection: connection.execute(sql, bound).rowcount)

    def drop_old_previews(self, before: float) -> int:
        if not self._rows("SELECT 1 FROM previews WHERE created_at < ? LIMIT 1", before):
            return 0
        return self._delete("DELETE FROM previews WHERE created_at < ?", before)
