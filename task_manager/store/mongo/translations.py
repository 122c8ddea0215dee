"""Remembered translations in MongoDB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.model.remembered import Remembered
from task_manager.store.mongo.database import Database


class TranslationCollection(Database):
    def insert_translations(self, translations: Iterable[Remembered]) -> None:
        self._translations.insert_absent(translations)

    def translations(self, ids: Sequence[str]) -> list[Remembered]:
        return self._translations.find({"_id": {"$in": list(ids)}}, ())

    def drop_translations(self, older_than: float, limit: int) -> int:
        oldest = self._translations.stream(
            {"at": {"$lt": older_than}}, [("at", 1)], only=("id",), limit=limit
        )
        return self._translations.delete({"_id": {"$in": [each["id"] for each in oldest]}})

    def drop_translations_of(self, task_id: str) -> None:
        self._translations.delete({"task_id": task_id})

    def count_translations(self) -> int:
        return self._translations.about()
