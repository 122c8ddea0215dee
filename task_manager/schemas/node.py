"""Nodes as operators see them, and what they may change about them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from services.model.node import NodeState
from task_manager.schemas.request import AnswerModel, RequestModel


class TroubleView(AnswerModel):
    """A job that was lost on the node, or ran out of memory there."""

    at: datetime
    job: str


class NodeView(AnswerModel):
    """A worker process."""

    id: str
    kind: str
    host: str
    pid: int
    state: NodeState = Field(
        description="`live`; `draining`: an operator wants it to end its work and take no more; "
        "`set_aside`: after three troubles it works only where nobody else can; `lost`: not heard "
        "of any more; `gone`: it said goodbye."
    )
    queues: list[str]
    models: list[str]
    languages: list[str]
    slots: int = Field(description="How many jobs it can run at once.")
    children: int | None = Field(description="How many of its processes live, if it says so.")
    running: int
    free: int = Field(description="How many more jobs it would be given now.")
    version: str
    memory_mb: int
    free_mb: int | None = Field(description="Memory that a model may take, if it says so.")
    labels: dict[str, str] = Field(description="Its own, with those that an operator gave.")
    health_url: str
    registered_at: datetime
    seen_at: datetime
    live: bool = Field(description="Neither lost nor gone.")
    gone: bool
    draining: bool
    lost_at: datetime | None
    set_aside_until: datetime | None
    troubles: list[TroubleView]
    speeds: dict[str, float] = Field(
        description="By queue: measured seconds of work per second of audio, or its equivalent."
    )


class NodesView(AnswerModel):
    nodes: list[NodeView]


class NodeChange(RequestModel):
    """The body of PATCH /v1/nodes/{id}."""

    labels: dict[str, str | None] = Field(
        description="These are set, and win over the node's own; null takes one away.",
        examples=[{"zone": "b", "old": None}],
        max_length=64,
    )
