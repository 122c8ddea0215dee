"""Uploads in SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.model.task import Upload
from task_manager.store.documents import Document
from task_manager.store.sqlite.database import Database
from task_manager.store.sqlite.schema import UPLOADS


class UploadTable(Database):
    def insert_upload(self, upload: Upload) -> None:
        self._insert(UPLOADS, [upload])

    def upload(self, key: str) -> Upload | None:
        return self._get(UPLOADS, key)

    def complete_upload(self, key: str, sha256: str) -> Upload | None:
        def decide(stored: Document) -> Mapping[str, Any] | None:
            under_way = not stored.get("complete", True)
            return {"complete": True, "sha256": sha256} if under_way else None

        return self._change(UPLOADS, key, decide)

    def old_uploads(self, before: float, limit: int) -> list[Upload]:
        rest = "WHERE created_at < ? ORDER BY created_at LIMIT ?"
        return self._find(UPLOADS, rest, before, limit)

    def drop_upload(self, key: str) -> None:
        self._delete("DELETE FROM uploads WHERE key = ?", key)
