"""The store in one SQLite file, for one host: several processes, nothing to install."""

from __future__ import annotations

from task_manager.store.sqlite.access import AccessTables
from task_manager.store.sqlite.children import ChildTables
from task_manager.store.sqlite.claim import ClaimTables
from task_manager.store.sqlite.events import EventTable
from task_manager.store.sqlite.jobs import JobTables
from task_manager.store.sqlite.nodes import NodeTable
from task_manager.store.sqlite.outbox import OutboxTables
from task_manager.store.sqlite.previews import PreviewTable
from task_manager.store.sqlite.queues import QueueTables
from task_manager.store.sqlite.results import ResultTables
from task_manager.store.sqlite.tasks import TaskTables
from task_manager.store.sqlite.terms import TermTable
from task_manager.store.sqlite.translations import TranslationTable
from task_manager.store.sqlite.uploads import UploadTable

__all__ = ["SqliteStore"]


class SqliteStore(
    TaskTables,
    JobTables,
    QueueTables,
    ClaimTables,
    ResultTables,
    EventTable,
    ChildTables,
    NodeTable,
    UploadTable,
    AccessTables,
    OutboxTables,
    TermTable,
    TranslationTable,
    PreviewTable,
):
    """`SqliteStore(path)`. What each operation promises stands in the protocol."""
