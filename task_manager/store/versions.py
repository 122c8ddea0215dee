"""What a store keeps of outputs that were replaced by a correction, or by what was made of one."""

from __future__ import annotations

from typing import Protocol

from services.model.transcript import Output
from task_manager.store.values import VersionLine


class VersionStore(Protocol):
    """Versions of outputs. They go with their task when it is purged."""

    def put_version(self, output: Output) -> None:
        """Inserts if absent, by the output's id and its version."""
        ...

    def version(self, output_id: str, at_most: int) -> Output | None:
        """The newest of those that are kept of the output and whose version is not above."""
        ...

    def version_lines(self, output_id: str) -> list[VersionLine]:
        """What is known of those that are kept but their texts, oldest first."""
        ...
