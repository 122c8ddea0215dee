"""The named operations for keys, for what their owners keep, and for the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from services.model.access import ApiKey, AuditLine


class AccessStore(Protocol):
    """The part of the store that says who may call and remembers who did."""

    def insert_key(self, key: ApiKey) -> bool:
        """False, and nothing is written, if there is one with its id."""
        ...

    def key(self, key_id: str) -> ApiKey | None: ...

    def keys(self, *, before: tuple[float, str] | None = None, limit: int) -> list[ApiKey]:
        """Newest first by (created_at, id), older than `before`; revoked ones too."""
        ...

    def revoke_key(self, key_id: str, at: float) -> ApiKey | None:
        """Sets revoked_at where it is not set yet; the key as it is then, None without one."""
        ...

    def note_use(self, key_id: str, at: float) -> None:
        """Sets used_at."""
        ...

    def stored_bytes(self, owner: str) -> int:
        """Of the owner's uploads, and of the uploaded media of its tasks that are not deleted."""
        ...

    def add_audit(self, lines: Iterable[AuditLine]) -> None:
        """Inserts those that are absent."""
        ...

    def audit_page(
        self, *, key: str | None = None, before: tuple[float, str] | None = None, limit: int
    ) -> list[AuditLine]:
        """Newest first by (at, id), older than `before`; of one key only, if given."""
        ...

    def drop_audit(self, older_than: float, limit: int) -> int:
        """Forgets lines from before then, the oldest first; how many."""
        ...
