"""What the operations of a store take and give beside whole documents, and how they fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.model.errors import Unavailable
from services.model.job import HistoryEntry

DOCUMENT_LIMIT = 12 * 1024 * 1024
"""Bytes of the largest document that is written; MongoDB itself refuses 16 MiB. A larger one is a
DocumentTooLarge, and nothing was written."""


class StoreUnavailable(Unavailable):
    """The store does not answer: nothing was changed that is not reported; try again."""

    code = "store_unavailable"


@dataclass(frozen=True, slots=True)
class JobChange:
    """What one move writes: top-level fields of `Job`, and at most one new line of history."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    history: HistoryEntry | None = None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How a queue stands. `oldest_due` is the earliest due time of its waiting, due jobs."""

    queue: str
    waiting: int
    due: int
    running: int
    oldest_due: float | None


@dataclass(frozen=True, slots=True)
class RunningJob:
    """What the ticker needs of a running job. One process of the node works on all jobs of one
    token."""

    id: str
    attempt: int
    beat: int
    node: str
    token: str


@dataclass(frozen=True, slots=True)
class OutputLine:
    """What is known of an output but its texts."""

    item: int
    source: str
    language: str
    kind: str
    facts: Mapping[str, Any]
    version: int = 0
    corrected_by: str = ""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """What is known of an output that was replaced but its texts."""

    version: int
    corrected_by: str
    created_at: float


@dataclass(frozen=True, slots=True)
class PendingExpansion:
    """A committed plan whose children may not all be written yet; `job` is None for a task's."""

    task_id: str
    job_id: str | None
