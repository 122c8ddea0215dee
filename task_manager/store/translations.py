"""What a store remembers of translated sentences: a cache, of which anything may be lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from services.model.remembered import Remembered


class TranslationStore(Protocol):
    """Part of the `Store`. Inserts are insert-if-absent and never replace."""

    def insert_translations(self, translations: Iterable[Remembered]) -> None: ...

    def translations(self, ids: Sequence[str]) -> list[Remembered]:
        """Those of them that there are, by one indexed read."""
        ...

    def drop_translations(self, older_than: float, limit: int) -> int:
        """Removes the oldest of those made before; how many."""
        ...

    def drop_translations_of(self, task_id: str) -> None: ...

    def count_translations(self) -> int:
        """About how many there are, without counting them. SQLite: never fewer than there are."""
        ...
