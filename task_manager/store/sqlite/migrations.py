"""How a file comes to the schema of this release: made whole, or brought up from an older one."""

from __future__ import annotations

import sqlite3

from task_manager.store.sqlite import clock
from task_manager.store.sqlite.schema import INDEXES, SCHEMA_VERSION, TABLES

_TO_2 = (
    "ALTER TABLE jobs ADD COLUMN size REAL NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN finished_at REAL",
    "ALTER TABLE jobs ADD COLUMN code TEXT",
    (
        "UPDATE jobs SET size = coalesce(json_extract(doc, '$.size'), 0),"
        " finished_at = json_extract(doc, '$.finished_at'),"
        " code = json_extract(doc, '$.history[#-1].code')"
    ),
    "ALTER TABLE jobs ADD COLUMN stage TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN language TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN source TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN part INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN claimed_at REAL",
    "ALTER TABLE jobs ADD COLUMN wordy INTEGER NOT NULL DEFAULT 0",
    (
        "UPDATE jobs SET stage = json_extract(doc, '$.stage'),"
        " language = json_extract(doc, '$.language'),"
        " source = json_extract(doc, '$.source'),"
        " part = json_extract(doc, '$.part'),"
        " claimed_at = json_extract(doc, '$.claimed_at'),"
        " wordy = json_extract(doc, '$.stage') IN ('transcribe', 'assemble', 'translate')"
    ),
    "ALTER TABLE outputs ADD COLUMN facts TEXT NOT NULL DEFAULT '{}'",
    "UPDATE outputs SET facts = json_extract(doc, '$.facts')",
    "DROP INDEX jobs_waiting",
    (
        "CREATE INDEX jobs_waiting ON jobs (queue, priority, rank, due, id, size)"
        " WHERE state = 'waiting'"
    ),
    "DROP INDEX jobs_open_owner",
    "CREATE INDEX jobs_waiting_owner ON jobs (owner, queue) WHERE state = 'waiting'",
    "CREATE INDEX jobs_dead_page ON jobs (finished_at, id, queue, code) WHERE state = 'dead'",
    (
        "CREATE INDEX jobs_dead_owner ON jobs (owner, finished_at, id, queue, code)"
        " WHERE state = 'dead'"
    ),
    "CREATE INDEX tasks_open_owner ON tasks (owner) WHERE state IN ('queued', 'running')",
    "CREATE TABLE clock (boot TEXT PRIMARY KEY NOT NULL, booted_at REAL NOT NULL)",
)

_TO_3 = (
    "ALTER TABLE uploads ADD COLUMN created_at REAL NOT NULL DEFAULT 0",
    "UPDATE uploads SET created_at = json_extract(doc, '$.created_at')",
    "CREATE INDEX uploads_age ON uploads (created_at)",
    "ALTER TABLE tasks ADD COLUMN expire_at REAL",
    "CREATE INDEX tasks_expire_at ON tasks (expire_at) WHERE expire_at IS NOT NULL",
    "ALTER TABLE tasks ADD COLUMN media_bytes INTEGER NOT NULL DEFAULT 0",
    (
        "UPDATE tasks SET media_bytes = (SELECT coalesce(sum(json_extract(each.value,"
        " '$.audio.size')), 0) FROM json_each(tasks.doc, '$.manifest.items') AS each)"
    ),
    (
        "CREATE INDEX tasks_media ON tasks (owner, media_bytes)"
        " WHERE deleted_at IS NULL AND media_bytes > 0"
    ),
    "ALTER TABLE uploads ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE uploads ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    ("UPDATE uploads SET owner = json_extract(doc, '$.owner'), size = json_extract(doc, '$.size')"),
    "CREATE INDEX uploads_owner ON uploads (owner, size)",
    (
        "CREATE TABLE api_keys (id TEXT PRIMARY KEY NOT NULL, created_at REAL NOT NULL,"
        " doc TEXT NOT NULL)"
    ),
    "CREATE INDEX api_keys_page ON api_keys (created_at, id)",
    (
        "CREATE TABLE audit (id TEXT PRIMARY KEY NOT NULL, at REAL NOT NULL, key TEXT NOT NULL,"
        " doc TEXT NOT NULL)"
    ),
    "CREATE INDEX audit_page ON audit (at, id)",
    "CREATE INDEX audit_key ON audit (key, at, id)",
    "CREATE TABLE endpoints (id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, doc TEXT NOT NULL)",
    (
        "CREATE TABLE deliveries (id TEXT PRIMARY KEY NOT NULL, task_id TEXT NOT NULL,"
        " endpoint TEXT NOT NULL, state TEXT NOT NULL, created_at REAL NOT NULL,"
        " lane TEXT NOT NULL, open INTEGER NOT NULL, due REAL NOT NULL, ended_at REAL,"
        " doc TEXT NOT NULL)"
    ),
    "CREATE INDEX endpoints_owner ON endpoints (owner, id)",
    "CREATE INDEX deliveries_lane ON deliveries (lane, due, id) WHERE open = 1",
    "CREATE INDEX deliveries_task ON deliveries (task_id, created_at, id)",
    "CREATE INDEX deliveries_task_state ON deliveries (task_id, state, created_at, id)",
    "CREATE INDEX deliveries_endpoint ON deliveries (endpoint, created_at, id)",
    "CREATE INDEX deliveries_endpoint_state ON deliveries (endpoint, state, created_at, id)",
    "CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL",
)

_TO_4 = (
    "ALTER TABLE events ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE events ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
    "CREATE UNIQUE INDEX events_position ON events (owner, position) WHERE position > 0",
)

_TO_5 = (
    "ALTER TABLE jobs ADD COLUMN usage TEXT",
    "CREATE INDEX jobs_usage ON jobs (task_id, usage) WHERE usage IS NOT NULL",
)

_TO_6 = (
    (
        "CREATE TABLE term_lists (id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL,"
        " doc TEXT NOT NULL)"
    ),
    "CREATE INDEX term_lists_owner ON term_lists (owner, id)",
)

_TO_7 = (
    "ALTER TABLE outputs ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outputs ADD COLUMN corrected_by TEXT NOT NULL DEFAULT ''",
    (
        "CREATE TABLE versions (key TEXT PRIMARY KEY NOT NULL, id TEXT NOT NULL,"
        " task_id TEXT NOT NULL, version INTEGER NOT NULL, corrected_by TEXT NOT NULL,"
        " created_at REAL NOT NULL, doc TEXT NOT NULL)"
    ),
    "CREATE INDEX versions_output ON versions (id, version, corrected_by, created_at)",
    "CREATE INDEX versions_task ON versions (task_id)",
)

_TO_8 = (
    (
        "CREATE TABLE translations (id TEXT PRIMARY KEY NOT NULL, task_id TEXT NOT NULL,"
        " at REAL NOT NULL, doc TEXT NOT NULL)"
    ),
    "CREATE INDEX translations_age ON translations (at)",
    "CREATE INDEX translations_task ON translations (task_id)",
)

_TO_9 = (
    "ALTER TABLE jobs ADD COLUMN digest TEXT",
    "CREATE INDEX jobs_digest ON jobs (owner, digest, finished_at) WHERE digest IS NOT NULL",
)

_TO_10 = (
    (
        "CREATE TABLE previews (id TEXT PRIMARY KEY NOT NULL, task_id TEXT NOT NULL,"
        " item INTEGER NOT NULL, part INTEGER NOT NULL, queue TEXT NOT NULL,"
        " model TEXT NOT NULL, state TEXT NOT NULL, created_at REAL NOT NULL,"
        " announced_at REAL NOT NULL, lease_token TEXT, doc TEXT NOT NULL)"
    ),
    (
        "CREATE INDEX previews_queue ON previews (queue, created_at, id, model)"
        " WHERE state = 'waiting'"
    ),
    (
        "CREATE INDEX previews_silent ON previews (announced_at, created_at, id)"
        " WHERE state = 'waiting'"
    ),
    "CREATE INDEX previews_token ON previews (lease_token, id) WHERE state = 'running'",
    "CREATE INDEX previews_task ON previews (task_id, item, part)",
    "CREATE INDEX previews_age ON previews (created_at)",
)

# From this version to the next; what stands in a release never changes.
MIGRATIONS = {
    1: _TO_2,
    2: _TO_3,
    3: _TO_4,
    4: _TO_5,
    5: _TO_6,
    6: _TO_7,
    7: _TO_8,
    8: _TO_9,
    9: _TO_10,
}


def create(connection: sqlite3.Connection) -> None:
    """Makes what is not there yet; several processes may start at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        _bring_up(connection, version)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _bring_up(connection: sqlite3.Connection, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise sqlite3.DatabaseError("a newer release wrote the file")
    if version == SCHEMA_VERSION:
        return
    if version == 0:
        _make(connection)
    else:
        _migrate(connection, version)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _make(connection: sqlite3.Connection) -> None:
    for table in TABLES:
        connection.execute(table.create)
    connection.execute(clock.CREATE)
    for index in INDEXES:
        connection.execute(f"CREATE {index}")


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for older in range(version, SCHEMA_VERSION):
        for statement in MIGRATIONS[older]:
            connection.execute(statement)
