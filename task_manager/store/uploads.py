"""What a store keeps of files that came by themselves, until a task has named them."""

from __future__ import annotations

from typing import Protocol

from services.model.task import Upload


class UploadStore(Protocol):
    """Uploads by key. Inserts are insert-if-absent and never replace."""

    def insert_upload(self, upload: Upload) -> None: ...

    def upload(self, key: str) -> Upload | None: ...

    def complete_upload(self, key: str, sha256: str) -> Upload | None:
        """The upload, now complete; None if it is not there, or was complete before."""
        ...

    def old_uploads(self, before: float, limit: int) -> list[Upload]:
        """Those created before, oldest first."""
        ...

    def drop_upload(self, key: str) -> None: ...
