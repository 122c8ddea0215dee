"""What a store keeps of previews, beside all jobs: so none of these is ever counted with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from services.model.preview import Preview


class PreviewStore(Protocol):
    """Part of the `Store`. Inserts are insert-if-absent and never replace."""

    def insert_previews(self, previews: Iterable[Preview]) -> None: ...

    def preview(self, preview_id: str) -> Preview | None: ...

    def claim_previews(
        self, *, queue: str, models: Sequence[str], node: str, token: str, limit: int
    ) -> list[Preview]:
        """Up to `limit` waiting ones of the queue, oldest first, now running under this token;
        exactly those that are running under it, if any are."""
        ...

    def end_preview(self, preview_id: str, token: str) -> Preview | None:
        """running → ended, if it is running under this token; it as it is then."""
        ...

    def silent_previews(self, before: float, limit: int) -> list[Preview]:
        """Waiting ones that were not announced, or before that time; oldest first."""
        ...

    def stamp_preview(self, preview_id: str, at: float) -> bool:
        """Notes that a waiting one is announced; whether it still waits."""
        ...

    def count_previews(self, task_id: str, cap: int) -> int:
        """How many there are of the task, ended ones too, counted up to `cap`."""
        ...

    def drop_previews(
        self,
        task_id: str,
        *,
        item: int | None = None,
        part: int | None = None,
        only_waiting: bool = False,
    ) -> int:
        """Removes those of a task, of one of its items, or of a part of that; how many. Those that
        are worked on, or were, may stay."""
        ...

    def drop_old_previews(self, before: float) -> int:
        """Removes those that were made before."""
        ...
