"""The tables: a document as JSON, and beside it, as columns, what is looked for.

The columns repeat fields of the document and are written by the same statement. Indexes on what
is waiting, running or open are partial, so that a million finished jobs cost them nothing.
"""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from services.model.access import ApiKey, AuditLine
from services.model.job import WORDY, Job
from services.model.node import Node
from services.model.pack import Pack
from services.model.preview import Preview
from services.model.remembered import Remembered
from services.model.task import Item, Task, TaskEvent, Upload
from services.model.terms import TermList
from services.model.transcript import Output
from services.model.values import Stored
from services.model.webhook import Delivery, Endpoint
from task_manager.store.documents import (
    Document,
    dumps,
    media_bytes,
    refuse_too_large,
    version_key,
)
from task_manager.store.protocol import DOCUMENT_LIMIT

M = TypeVar("M", bound=Stored)

SCHEMA_VERSION = 10

_LONGEST_CHARACTER = 4  # bytes of UTF-8


@dataclass(frozen=True)
class Table(Generic[M]):
    """A collection. The first column is the key; `derive` gives columns that are no fields."""

    name: str
    kind: type[M]
    columns: dict[str, str]
    derive: Callable[[Document], Document] = field(default=lambda _: {})

    @property
    def key(self) -> str:
        return next(iter(self.columns))

    def values(self, document: Document) -> dict[str, Any]:
        """The columns beside the document, in the order of the table."""
        known = {**document, **self.derive(document)}
        return {name: known[name] for name in self.columns}

    def written(self, document: Document) -> dict[str, Any]:
        """The whole row of a document that is about to be written; raises DocumentTooLarge."""
        text = dumps(document)
        if len(text) > DOCUMENT_LIMIT // _LONGEST_CHARACTER:
            # Escapes are the text's own; MongoDB has none, and both stores take the same.
            refuse_too_large(self.name, len(text.encode()) - text.count("\\"))
        return {**self.values(document), "doc": text}

    def read(self, doc: str) -> M:
        return self.kind.model_validate_json(doc)

    @cached_property
    def insert(self) -> str:
        names = [*self.columns, "doc"]
        marks = ", ".join("?" * len(names))
        return (
            f"INSERT INTO {self.name} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        )

    @property
    def create(self) -> str:
        columns = [f"{name} {kind}" for name, kind in self.columns.items()]
        return f"CREATE TABLE {self.name} ({', '.join([*columns, 'doc TEXT NOT NULL'])})"


def _of_job(document: Document) -> Document:
    lease, history = document["lease"] or {}, document["history"]
    return {
        "size": document.get("size", 0.0),  # a job of the first release has none
        "wordy": document["stage"] in WORDY,
        "code": history[-1]["code"] if history else None,
        "lease_node": lease.get("node"),
        "lease_token": lease.get("token"),
        "lease_beat": lease.get("beat"),
        "alone": bool(history),
        "usage": dumps(document["usage"]) if document.get("usage") else None,
        "avoid": dumps(document["avoid"]),
        "digest": (document.get("result") or {}).get("digest"),
    }


_KEY = "TEXT PRIMARY KEY NOT NULL"
_TEXT = "TEXT NOT NULL"
_INT = "INTEGER NOT NULL"
_REAL = "REAL NOT NULL"

TASKS = Table(
    "tasks",
    Task,
    {
        "id": _KEY,
        "owner": _TEXT,
        "created_at": _REAL,
        "state": _TEXT,
        "expand": _TEXT,
        "idempotency_key": "TEXT",
        "look_at": "REAL",
        "deleted_at": "REAL",
        "expire_at": "REAL",
        "media_bytes": "INTEGER NOT NULL DEFAULT 0",
    },
    lambda document: {"media_bytes": media_bytes(document)},
)
ITEMS = Table("items", Item, {"id": _KEY, "task_id": _TEXT, "ordinal": _INT, "text_id": _TEXT})
JOBS = Table(
    "jobs",
    Job,
    {
        "id": _KEY,
        "task_id": _TEXT,
        "item": _INT,
        "owner": _TEXT,
        "queue": _TEXT,
        "model": _TEXT,
        "priority": _INT,
        "rank": _INT,
        "created_at": _REAL,
        "due": _REAL,
        "announced_at": "REAL",
        "state": _TEXT,
        "open": _INT,
        "expand": _TEXT,
        "attempt": _INT,
        "lease_node": "TEXT",
        "lease_token": "TEXT",
        "lease_beat": "INTEGER",
        "alone": _INT,
        "avoid": _TEXT,
        "size": "REAL NOT NULL DEFAULT 0",
        "finished_at": "REAL",
        "code": "TEXT",  # of the last line of its history
        "stage": "TEXT NOT NULL DEFAULT ''",
        "language": "TEXT NOT NULL DEFAULT ''",
        "source": "TEXT NOT NULL DEFAULT ''",
        "part": "INTEGER NOT NULL DEFAULT 0",
        "claimed_at": "REAL",
        "wordy": "INTEGER NOT NULL DEFAULT 0",
        "usage": "TEXT",
        "digest": "TEXT",  # of its result, where that may answer for others
    },
    _of_job,
)
OUTPUTS = Table(
    "outputs",
    Output,
    {
        "id": _KEY,
        "task_id": _TEXT,
        "item": _INT,
        "source": _TEXT,
        "language": _TEXT,
        "kind": _TEXT,
        "facts": "TEXT NOT NULL DEFAULT '{}'",
        "version": "INTEGER NOT NULL DEFAULT 0",
        "corrected_by": "TEXT NOT NULL DEFAULT ''",
    },
    lambda document: {"facts": dumps(document["facts"])},
)
VERSIONS = Table(
    "versions",
    Output,
    {
        "key": _KEY,
        "id": _TEXT,
        "task_id": _TEXT,
        "version": _INT,
        "corrected_by": _TEXT,
        "created_at": _REAL,
    },
    lambda document: {"key": version_key(document)},
)
PACKS = Table("packs", Pack, {"id": _KEY, "task_id": _TEXT, "language": _TEXT})
EVENTS = Table(
    "events",
    TaskEvent,
    {
        "task_id": _TEXT,
        "number": _INT,
        "owner": "TEXT NOT NULL DEFAULT ''",
        "position": "INTEGER NOT NULL DEFAULT 0",
    },
)
NODES = Table("nodes", Node, {"id": _KEY, "seen_at": _REAL})
UPLOADS = Table(
    "uploads",
    Upload,
    {
        "key": _KEY,
        "created_at": "REAL NOT NULL DEFAULT 0",
        "owner": "TEXT NOT NULL DEFAULT ''",
        "size": "INTEGER NOT NULL DEFAULT 0",
    },
)
API_KEYS = Table("api_keys", ApiKey, {"id": _KEY, "created_at": _REAL})
AUDIT = Table("audit", AuditLine, {"id": _KEY, "at": _REAL, "key": _TEXT})
ENDPOINTS = Table("endpoints", Endpoint, {"id": _KEY, "owner": _TEXT})
DELIVERIES = Table(
    "deliveries",
    Delivery,
    {
        "id": _KEY,
        "task_id": _TEXT,
        "endpoint": _TEXT,
        "state": _TEXT,
        "created_at": _REAL,
        "lane": _TEXT,
        "open": _INT,
        "due": _REAL,
        "ended_at": "REAL",
    },
)
TERM_LISTS = Table("term_lists", TermList, {"id": _KEY, "owner": _TEXT})
TRANSLATIONS = Table("translations", Remembered, {"id": _KEY, "task_id": _TEXT, "at": _REAL})
PREVIEWS = Table(
    "previews",
    Preview,
    {
        "id": _KEY,
        "task_id": _TEXT,
        "item": _INT,
        "part": _INT,
        "queue": _TEXT,
        "model": _TEXT,
        "state": _TEXT,
        "created_at": _REAL,
        "announced_at": _REAL,
        "lease_token": "TEXT",
    },
    lambda document: {"lease_token": (document["lease"] or {}).get("token")},
)

TABLES: tuple[Table[Any], ...] = (
    TASKS,
    ITEMS,
    JOBS,
    OUTPUTS,
    VERSIONS,
    PACKS,
    EVENTS,
    NODES,
    UPLOADS,
    API_KEYS,
    AUDIT,
    ENDPOINTS,
    DELIVERIES,
    TERM_LISTS,
    TRANSLATIONS,
    PREVIEWS,
)

INDEXES = (
    "UNIQUE INDEX tasks_key ON tasks (owner, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "INDEX tasks_page ON tasks (created_at, id) WHERE deleted_at IS NULL",
    "INDEX tasks_page_state ON tasks (state, created_at, id) WHERE deleted_at IS NULL",
    "INDEX tasks_page_owner ON tasks (owner, created_at, id) WHERE deleted_at IS NULL",
    "INDEX tasks_page_both ON tasks (owner, state, created_at, id) WHERE deleted_at IS NULL",
    "INDEX tasks_look_at ON tasks (look_at) WHERE look_at IS NOT NULL",
    "INDEX tasks_expire_at ON tasks (expire_at) WHERE expire_at IS NOT NULL",
    "INDEX tasks_expanding ON tasks (created_at, id) WHERE expand = 'pending'",
    "INDEX tasks_open_owner ON tasks (owner) WHERE state IN ('queued', 'running')",
    "UNIQUE INDEX items_ordinal ON items (task_id, ordinal)",
    "INDEX items_text_id ON items (task_id, text_id)",
    "INDEX jobs_waiting ON jobs (queue, priority, rank, due, id, size) WHERE state = 'waiting'",
    (
        "INDEX jobs_running ON jobs (queue, id, attempt, lease_node, lease_beat)"
        " WHERE state = 'running'"
    ),
    "INDEX jobs_token ON jobs (lease_token, priority, rank, due, id) WHERE state = 'running'",
    "INDEX jobs_open ON jobs (task_id, id) WHERE open = 1",
    "INDEX jobs_waiting_owner ON jobs (owner, queue) WHERE state = 'waiting'",
    "INDEX jobs_dead ON jobs (task_id, id) WHERE state = 'dead'",
    "INDEX jobs_dead_page ON jobs (finished_at, id, queue, code) WHERE state = 'dead'",
    "INDEX jobs_dead_owner ON jobs (owner, finished_at, id, queue, code) WHERE state = 'dead'",
    "INDEX jobs_expanding ON jobs (created_at, id, task_id) WHERE expand = 'pending'",
    "INDEX jobs_usage ON jobs (task_id, usage) WHERE usage IS NOT NULL",
    "INDEX jobs_digest ON jobs (owner, digest, finished_at) WHERE digest IS NOT NULL",
    "INDEX jobs_item ON jobs (task_id, item, id, state)",
    "UNIQUE INDEX outputs_item ON outputs (task_id, item, source, language)",
    "INDEX versions_output ON versions (id, version, corrected_by, created_at)",
    "INDEX versions_task ON versions (task_id)",
    "INDEX outputs_language ON outputs (task_id, language, item, source)",
    "UNIQUE INDEX packs_language ON packs (task_id, language)",
    "UNIQUE INDEX events_number ON events (task_id, number)",
    "UNIQUE INDEX events_position ON events (owner, position) WHERE position > 0",
    "INDEX nodes_seen ON nodes (seen_at)",
    "INDEX uploads_age ON uploads (created_at)",
    (
        "INDEX tasks_media ON tasks (owner, media_bytes)"
        " WHERE deleted_at IS NULL AND media_bytes > 0"
    ),
    "INDEX uploads_owner ON uploads (owner, size)",
    "INDEX api_keys_page ON api_keys (created_at, id)",
    "INDEX audit_page ON audit (at, id)",
    "INDEX audit_key ON audit (key, at, id)",
    "INDEX endpoints_owner ON endpoints (owner, id)",
    "INDEX deliveries_lane ON deliveries (lane, due, id) WHERE open = 1",
    "INDEX deliveries_task ON deliveries (task_id, created_at, id)",
    "INDEX deliveries_task_state ON deliveries (task_id, state, created_at, id)",
    "INDEX deliveries_endpoint ON deliveries (endpoint, created_at, id)",
    "INDEX deliveries_endpoint_state ON deliveries (endpoint, state, created_at, id)",
    "INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL",
    "INDEX term_lists_owner ON term_lists (owner, id)",
    "INDEX translations_age ON translations (at)",
    "INDEX translations_task ON translations (task_id)",
    "INDEX previews_queue ON previews (queue, created_at, id, model) WHERE state = 'waiting'",
    "INDEX previews_silent ON previews (announced_at, created_at, id) WHERE state = 'waiting'",
    "INDEX previews_token ON previews (lease_token, id) WHERE state = 'running'",
    "INDEX previews_task ON previews (task_id, item, part)",
    "INDEX previews_age ON previews (created_at)",
)
