"""Health: whether the process lives, and whether it can do its work."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from task_manager.dependencies import TheStore
from task_manager.problems import responses
from task_manager.schemas.discovery import HealthView

router = APIRouter(tags=["health"])


def release() -> str:
    """The installed version."""
    try:
        return version("fanscribe")
    except PackageNotFoundError:
        return "0"


@router.get("/healthz")
def is_alive() -> HealthView:
    """The process answers."""
    return HealthView(status="ok", version=release())


@router.get("/readyz", responses=responses(503))
def is_ready(store: TheStore) -> HealthView:
    """The store answers as well; else 503 `store_unavailable`."""
    store.ping()
    return HealthView(status="ok", version=release())
