"""Keys, what their owners keep, and the audit log in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.model.access import ApiKey, AuditLine
from task_manager.store.documents import Document
from task_manager.store.sqlite.database import Database
from task_manager.store.sqlite.schema import API_KEYS, AUDIT


class AccessTables(Database):
    def insert_key(self, key: ApiKey) -> bool:
        return self._insert(API_KEYS, [key]) == 1

    def key(self, key_id: str) -> ApiKey | None:
        return self._get(API_KEYS, key_id)

    def keys(self, *, before: tuple[float, str] | None = None, limit: int) -> list[ApiKey]:
        where = "" if before is None else "WHERE (created_at, id) < (?, ?)"
        rest = f"{where} ORDER BY created_at DESC, id DESC LIMIT ?"
        return self._find(API_KEYS, rest, *(before or ()), limit)

    def revoke_key(self, key_id: str, at: float) -> ApiKey | None:
        def decide(stored: Document) -> Mapping[str, Any]:
            return {"revoked_at": stored.get("revoked_at") or at}

        return self._change(API_KEYS, key_id, decide)

    def note_use(self, key_id: str, at: float) -> None:
        self._change(API_KEYS, key_id, lambda _: {"used_at": at})

    def stored_bytes(self, owner: str) -> int:
        ((uploads,),) = self._rows(
            "SELECT coalesce(sum(size), 0) FROM uploads WHERE owner = ?", owner
        )
        ((tasks,),) = self._rows(
            "SELECT coalesce(sum(media_bytes), 0) FROM tasks"
            " WHERE owner = ? AND deleted_at IS NULL AND media_bytes > 0",
            owner,
        )
        return int(uploads) + int(tasks)

    def add_audit(self, lines: Iterable[AuditLine]) -> None:
        self._insert(AUDIT, lines)

    def audit_page(
        self, *, key: str | None = None, before: tuple[float, str] | None = None, limit: int
    ) -> list[AuditLine]:
        terms, values = list[str](), list[Any]()
        if key is not None:
            terms.append("key = ?")
            values.append(key)
        if before is not None:
            terms.append("(at, id) < (?, ?)")
            values += before
        where = f"WHERE {' AND '.join(terms)}" if terms else ""
        rest = f"{where} ORDER BY at DESC, id DESC LIMIT ?"
        return self._find(AUDIT, rest, *values, limit)

    def drop_audit(self, older_than: float, limit: int) -> int:
        sql = (
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)"
        )
        return self._write(lambda connection: connection.execute(sql, (older_than, limit)).rowcount)
