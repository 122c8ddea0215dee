"""Health: whether the process lives, and whether it can do its work."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from services.model.errors import Unavailable
from task_manager.dependencies import ThePipeline, TheStore
from task_manager.problems import responses
from task_manager.schemas.discovery import HealthView
from task_manager.threads import on_own_thread

router = APIRouter(tags=["health"])


def release() -> str:
    """The installed version."""
    try:
        return version("fanscribe")
    except PackageNotFoundError:
        return "0"


@router.get("/healthz", responses=responses(403))
async def is_alive() -> HealthView:
    """The process answers."""
    return HealthView(status="ok", version=release())


@router.get("/readyz", responses=responses(403, 503))
@on_own_thread
def is_ready(store: TheStore, pipeline: ThePipeline) -> HealthView:
    """The store answers as well, and the ticker looks; else 503 `store_unavailable` or
    `ticker_stuck`."""
    store.ping()
    stuck = pipeline.ports.pulse.stuck()
    if stuck:
        raise Unavailable(
            f"A loop of the ticker hangs ({', '.join(stuck)}): restart this manager; its log says "
            "what it met.",
            code="ticker_stuck",
        )
    return HealthView(status="ok", version=release())
