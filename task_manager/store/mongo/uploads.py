"""Uploads in MongoDB."""

from __future__ import annotations

from services.model.task import Upload
from task_manager.store.mongo.database import Database


class UploadCollection(Database):
    def insert_upload(self, upload: Upload) -> None:
        self._uploads.insert(upload)

    def upload(self, key: str) -> Upload | None:
        return self._uploads.get(key)

    def complete_upload(self, key: str, sha256: str) -> Upload | None:
        under_way = {"_id": key, "complete": False}
        return self._uploads.change(under_way, {"complete": True, "sha256": sha256})

    def old_uploads(self, before: float, limit: int) -> list[Upload]:
        return self._uploads.find({"created_at": {"$lt": before}}, [("created_at", 1)], limit)

    def drop_upload(self, key: str) -> None:
        self._uploads.delete({"_id": key})
