"""Term lists in SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.model.terms import TermList
from task_manager.store.documents import Document
from task_manager.store.sqlite.database import Database
from task_manager.store.sqlite.schema import TERM_LISTS


class TermTable(Database):
    def insert_term_list(self, terms: TermList) -> bool:
        return self._insert(TERM_LISTS, [terms]) == 1

    def term_list(self, list_id: str) -> TermList | None:
        return self._get(TERM_LISTS, list_id)

    def term_lists(self, owner: str, limit: int) -> list[TermList]:
        return self._find(TERM_LISTS, "WHERE owner = ? ORDER BY id LIMIT ?", owner, limit)

    def change_term_list(
        self, list_id: str, revision: int, fields: Mapping[str, Any]
    ) -> TermList | None:
        def decide(stored: Document) -> Mapping[str, Any] | None:
            if stored["revision"] != revision:
                return None
            return {**fields, "revision": revision + 1}

        return self._change(TERM_LISTS, list_id, decide)

    def delete_term_list(self, list_id: str) -> None:
        self._delete("DELETE FROM term_lists WHERE id = ?", list_id)
