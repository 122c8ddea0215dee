"""Keys, what their owners keep, and the audit log in MongoDB."""

from __future__ import annotations

from collections.abc import Iterable

from services.model.access import ApiKey, AuditLine
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database


class AccessCollections(Database):
    def insert_key(self, key: ApiKey) -> bool:
        return self._api_keys.insert(key)

    def key(self, key_id: str) -> ApiKey | None:
        return self._api_keys.get(key_id)

    def keys(self, *, before: tuple[float, str] | None = None, limit: int) -> list[ApiKey]:
        where = _older("created_at", before)
        return self._api_keys.find(where, [("created_at", -1), ("id", -1)], limit)

    def revoke_key(self, key_id: str, at: float) -> ApiKey | None:
        fresh = {"_id": key_id, "revoked_at": None}
        return self._api_keys.change(fresh, {"revoked_at": at}) or self.key(key_id)

    def note_use(self, key_id: str, at: float) -> None:
        self._api_keys.change({"_id": key_id}, {"used_at": at})

    def stored_bytes(self, owner: str) -> int:
        uploads = self._uploads.grouped(
            {"owner": owner, "size": {"$gte": 0}}, {"_id": None, "sum": {"$sum": "$size"}}
        )
        tasks = self._tasks.grouped(
            {"listed": True, "owner": owner, "media_bytes": {"$gt": 0}},
            {"_id": None, "sum": {"$sum": "$media_bytes"}},
        )
        return sum(int(each["sum"]) for each in (*uploads, *tasks))

    def add_audit(self, lines: Iterable[AuditLine]) -> None:
        self._audit.insert_absent(lines)

    def audit_page(
        self, *, key: str | None = None, before: tuple[float, str] | None = None, limit: int
    ) -> list[AuditLine]:
        where = _older("at", before)
        if key is not None:
            where["key"] = key
        return self._audit.find(where, [("at", -1), ("id", -1)], limit)

    def drop_audit(self, older_than: float, limit: int) -> int:
        found = self._audit.stream(
            {"at": {"$lt": older_than}}, [("at", 1)], only=("id",), limit=limit
        )
        return self._audit.delete({"_id": {"$in": [each["id"] for each in found]}})


def _older(field: str, before: tuple[float, str] | None) -> Document:
    if before is None:
        return {}
    at, name = before
    return {field: {"$lte": at}, "$or": [{field: {"$lt": at}}, {"id": {"$lt": name}}]}
