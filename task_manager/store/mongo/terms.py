"""Term lists in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.model.terms import TermList
from task_manager.store.mongo.database import Database


class TermCollection(Database):
    def insert_term_list(self, terms: TermList) -> bool:
        return self._term_lists.insert(terms)

    def term_list(self, list_id: str) -> TermList | None:
        return self._term_lists.get(list_id)

    def term_lists(self, owner: str, limit: int) -> list[TermList]:
        return self._term_lists.find({"owner": owner}, [("id", 1)], limit)

    def change_term_list(
        self, list_id: str, revision: int, fields: Mapping[str, Any]
    ) -> TermList | None:
        where = {"_id": list_id, "revision": revision}
        return self._term_lists.change(where, {**fields, "revision": revision + 1})

    def delete_term_list(self, list_id: str) -> None:
        self._term_lists.delete({"_id": list_id})
