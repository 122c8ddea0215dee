"""The store in MongoDB, for several hosts: every write is acknowledged by the majority."""

from __future__ import annotations

from task_manager.store.children import Children, Expanded, write_one_by_one
from task_manager.store.mongo.access import AccessCollections
from task_manager.store.mongo.claim import ClaimCollection
from task_manager.store.mongo.events import EventCollection
from task_manager.store.mongo.jobs import JobCollection
from task_manager.store.mongo.nodes import NodeCollection
from task_manager.store.mongo.outbox import OutboxCollections
from task_manager.store.mongo.previews import PreviewCollection
from task_manager.store.mongo.queues import QueueCollection
from task_manager.store.mongo.results import ResultCollections
from task_manager.store.mongo.tasks import TaskCollections
from task_manager.store.mongo.terms import TermCollection
from task_manager.store.mongo.translations import TranslationCollection
from task_manager.store.mongo.uploads import UploadCollection

__all__ = ["MongoStore"]


class MongoStore(
    TaskCollections,
    JobCollection,
    QueueCollection,
    ClaimCollection,
    ResultCollections,
    EventCollection,
    NodeCollection,
    UploadCollection,
    AccessCollections,
    OutboxCollections,
    TermCollection,
    TranslationCollection,
    PreviewCollection,
):
    """`MongoStore(url)`. What each operation promises stands in the protocol."""

    def write_children(self, children: Children, expanded: Expanded | None = None) -> bool:
        return write_one_by_one(self, children, expanded)
