"""What the client reads of the server itself: nodes, queues, models, languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from services.model.values import Stored


class NodeView(Stored):
    """A worker process."""

    id: str
    kind: str
    host: str
    pid: int
    queues: list[str]
    models: list[str]
    slots: int
    running: int
    live: bool
    state: str = ""  # empty from servers that do not say it
    labels: dict[str, str] = Field(default_factory=dict)
    children: int | None = None
    free_mb: int | None = None
    seen_at: datetime | None = None
    lost_at: datetime | None = None
    set_aside_until: datetime | None = None
    troubles: list[dict[str, Any]] = Field(default_factory=list)
    speeds: dict[str, float] = Field(default_factory=dict)


class QueueView(Stored):
    """How a queue stands."""

    queue: str
    waiting: int
    running: int
    oldest_due_seconds: float | None = None
    nodes: int
    slots: int
    no_node: bool
    expected_seconds: float | None = None
    seconds_per_size: float | None = None


class ModelView(Stored):
    """A model of the server's catalog."""

    name: str
    kind: str
    languages: list[str]
    pairs: list[tuple[str, str]]
    pivot: str = ""
    hops: list[str] = Field(default_factory=list)
    memory_mb: int
    size_mb: int = 0
    licence: str = ""
    commercial: bool = True
    writes_english: bool = False
    demo: bool
    offered: bool
    installed: bool = False
    verified: bool = True
    hub_id: str = ""
    revision: str = ""
    digest: str = ""
    nodes: int


class LanguageView(Stored):
    """A language; `code` is its number in the code book."""

    language: str
    name: str
    code: int
    heard: bool
    into: list[str]
