"""Remembered translations in SQLite."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.model.remembered import Remembered
from task_manager.store.sqlite.database import Database
from task_manager.store.sqlite.schema import TRANSLATIONS


class TranslationTable(Database):
    def insert_translations(self, translations: Iterable[Remembered]) -> None:
        self._insert(TRANSLATIONS, translations)

    def translations(self, ids: Sequence[str]) -> list[Remembered]:
        marks = ", ".join("?" * len(ids))
        return self._find(TRANSLATIONS, f"WHERE id IN ({marks})", *ids)

    def drop_translations(self, older_than: float, limit: int) -> int:
        oldest = "SELECT rowid FROM translations WHERE at < ? ORDER BY at LIMIT ?"
        sql = f"DELETE FROM translations WHERE rowid IN ({oldest})"
        return self._write(lambda connection: connection.execute(sql, (older_than, limit)).rowcount)

    def drop_translations_of(self, task_id: str) -> None:
        self._delete("DELETE FROM translations WHERE task_id = ?", task_id)

    def count_translations(self) -> int:
        """Rows are numbered as they come, and mostly go in the same order."""
        ((first,),) = self._rows("SELECT min(rowid) FROM translations")
        ((last,),) = self._rows("SELECT max(rowid) FROM translations")
        return 0 if first is None or last is None else int(last - first + 1)
