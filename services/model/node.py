"""A worker process that registered: what it can do, how it is, when it was last heard of."""

from __future__ import annotations

from pydantic import Field

from services.model.values import Stored


class Node(Stored):
    """The document of a node. `seen_at` is the store's clock when it last beat.

    `slots` is how many jobs it runs at once. `draining` nodes are given nothing new.
    """

    id: str
    kind: str  # whisper | translator
    host: str
    pid: int
    queues: list[str]
    models: list[str]
    languages: list[str] = Field(default_factory=list)
    slots: int
    version: str
    memory_mb: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    registered_at: float
    seen_at: float
    running: int = 0
    draining: bool = False
    gone: bool = False
