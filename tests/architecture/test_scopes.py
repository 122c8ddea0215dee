"""Every public route says who may call it; one that does not would be open to every key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from services.settings import Settings
from task_manager.app import Application, build
from task_manager.auth import Asks

OPEN = {"/healthz", "/readyz"}


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    made = build(Settings(data_dir=tmp_path))
    yield made
    made.ticker.stop()
    made.store.close()


def routes_of(router: Any) -> Iterator[APIRoute]:
    """Also those of the routers inside it."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from routes_of(inner)


def asked_by(route: APIRoute) -> list[Asks]:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return [call for call in calls if isinstance(call, Asks)]


def test_every_public_route_states_its_scope_once(application: Application) -> None:
    routes = list(routes_of(application.public))
    assert len(routes) > 25

    silent = [
        f"{sorted(route.methods)} {route.path}"
        for route in routes
        if route.path not in OPEN and len(asked_by(route)) != 1
    ]

    assert silent == [], "add dependencies=[may(Scope.…)] from task_manager.auth"


def test_only_probes_are_open_to_everybody(application: Application) -> None:
    stated = {route.path for route in routes_of(application.public) if asked_by(route)}

    assert not OPEN & stated
    assert {route.path for route in routes_of(application.public)} - stated == OPEN
