"""The indexes: every named operation has one that begins with what it asks for."""

from __future__ import annotations

from typing import Any

_KEYED = {"idempotency_key": {"$type": "string"}}
_LOOKED_AT = {"look_at": {"$type": "number"}}
_EXPIRING = {"expire_at": {"$type": "number"}}
_PLACED = {"position": {"$gt": 0}}  # lines of older releases are not
_PENDING = {"expand": "pending"}
_OPEN = {"open": True}
_DEAD = {"state": "dead"}
_REUSABLE = {"digest": {"$type": "string"}}


def _index(name: str, *fields: str, unique: bool = False, only: Any = None) -> dict[str, Any]:
    options: dict[str, Any] = {"name": name, "keys": [(field, 1) for field in fields]}
    if unique:
        options["unique"] = True
    if only is not None:
        options["partialFilterExpression"] = only
    return options


INDEXES: dict[str, list[dict[str, Any]]] = {
    "tasks": [
        _index("key", "owner", "idempotency_key", unique=True, only=_KEYED),
        _index("page", "listed", "created_at", "id"),
        _index("page_state", "listed", "state", "created_at", "id"),
        _index("page_owner", "listed", "owner", "created_at", "id"),
        _index("page_both", "listed", "owner", "state", "created_at", "id"),
        _index("look_at", "look_at", only=_LOOKED_AT),
        _index("expire_at", "expire_at", only=_EXPIRING),
        _index("expanding", "expand", "created_at", only=_PENDING),
        _index("state_owner", "owner", "state"),
        _index("media", "listed", "owner", "media_bytes"),
    ],
    "items": [
        _index("ordinal", "task_id", "ordinal"),
        _index("text_id", "task_id", "text_id"),
    ],
    "jobs": [
        # What waits or runs is open, so an index of the open ones serves both.
        _index("queue", "state", "queue", "priority", "rank", "due", "id", only=_OPEN),
        _index("token", "lease.token", only=_OPEN),
        _index("open", "task_id", "id", only=_OPEN),
        _index("waiting_owner", "owner", "queue", "state", only=_OPEN),
        _index("dead", "state", "task_id", "id", only=_DEAD),
        _index("dead_page", "state", "finished_at", "id", only=_DEAD),
        _index("dead_owner", "state", "owner", "finished_at", "id", only=_DEAD),
        _index("dead_code", "state", "code", "finished_at", "id", only=_DEAD),
        _index("expanding", "expand", "created_at", only=_PENDING),
        _index("digest", "owner", "digest", "finished_at", only=_REUSABLE),
        _index("item", "task_id", "item", "id"),
        _index("state", "task_id", "state"),
    ],
    "outputs": [
        _index("item", "task_id", "item", "source", "language"),
        _index("language", "task_id", "language", "item", "source"),
    ],
    "versions": [_index("output", "id", "version"), _index("task", "task_id")],
    "packs": [_index("language", "task_id", "language")],
    "events": [
        _index("number", "task_id", "number", unique=True),
        _index("position", "owner", "position", unique=True, only=_PLACED),
    ],
    "nodes": [_index("seen", "seen_at")],
    "uploads": [_index("age", "created_at"), _index("size", "owner", "size")],
    "api_keys": [_index("page", "created_at", "id")],
    "audit": [_index("page", "at", "id"), _index("page_key", "key", "at", "id")],
    "endpoints": [_index("owner", "owner", "id")],
    "term_lists": [_index("owner", "owner", "id")],
    "translations": [_index("age", "at"), _index("task", "task_id")],
    "previews": [
        _index("queue", "state", "queue", "created_at", "id"),
        _index("silent", "state", "announced_at", "created_at", "id"),
        _index("token", "state", "lease.token"),
        _index("task", "task_id", "item", "part"),
        _index("age", "created_at"),
    ],
    "deliveries": [
        _index("lane", "lane", "due", "id", only=_OPEN),
        _index("task", "task_id", "created_at", "id"),
        _index("task_state", "task_id", "state", "created_at", "id"),
        _index("endpoint", "endpoint", "created_at", "id"),
        _index("endpoint_state", "endpoint", "state", "created_at", "id"),
        _index("ended", "ended_at", only={"ended_at": {"$type": "number"}}),
    ],
}
