"""What Prometheus scrapes; on the public listener with the key, where there is one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from services.metrics import exposition
from services.model.access import Scope
from task_manager.auth import may
from task_manager.dependencies import ThePipeline
from task_manager.problems import responses
from task_manager.threads import on_own_thread

_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}}, "description": "Prometheus's text format."}
}

public = APIRouter(
    tags=["health"],
    dependencies=[may(Scope.WORKER)],
    responses={**_TEXT, **responses(401, 403)},
)
internal = APIRouter(tags=["health"], responses=_TEXT)


@public.get("/metrics", response_class=Response)
@internal.get("/metrics", response_class=Response)
@on_own_thread
def get_metrics(pipeline: ThePipeline) -> Response:
    """Counters of this manager, and how its queues, nodes and machine stand."""
    kind, body = exposition(pipeline.ports.meter.registry)
    return Response(body, media_type=kind)
