"""Those who hold keys of a running manager, and a clock that only a test sets on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from running_manager import PATIENCE_S, Manager

SECRETS = {"api_key": "the administrator's key", "callback_secret": "a secret of the tests"}


@dataclass
class Clock:
    """Stands still until it is set on."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def stopped_clock(manager: Manager) -> Clock:
    """By which this manager counts requests and believes in keys from now on."""
    clock = Clock()
    manager.application.public.state.callers.clock = clock
    return clock


def make_key(manager: Manager, *scopes: str, owner: str = "acme", **fields) -> dict[str, object]:
    """What the administrator is answered."""
    body = {"name": "of a test", "owner": owner, "scopes": list(scopes or ("submit", "read"))}
    answer = manager.api.post("/v1/keys", json={**body, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@contextlib.contextmanager
def holder_of(manager: Manager, key: object) -> Iterator[httpx.Client]:
    """A client that shows this key."""
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=manager.url, headers=headers, timeout=PATIENCE_S) as client:
        yield client
