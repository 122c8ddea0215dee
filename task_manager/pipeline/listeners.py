"""Who wants to be told of a task: its owner's endpoints, its own URL, the operator's topics."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.model.task import Task
from services.model.webhook import (
    GOOD_NEWS,
    OF_TASK,
    TOPICS,
    Endpoint,
    Happening,
    Payload,
)
from services.settings import Settings
from task_manager.fresh import Fresh
from task_manager.store.protocol import Store

MOST = 50  # endpoints of an owner
FRESH_S = 2.0  # after so long an endpoint that another manager took in is told
_OWNERS = 1000  # whose endpoints are remembered


@dataclass(frozen=True, slots=True)
class Listener:
    """One receiver. `endpoint`, `url`, `secret` and `lane` are those of its deliveries."""

    endpoint: str
    lane: str
    events: frozenset[Happening]
    payload: Payload = "thin"
    url: str = ""
    secret: str = ""

    def wants(self, event: Happening) -> bool:
        return event in self.events


@dataclass(slots=True)
class Listeners:
    """Remembers each owner's endpoints for a moment, so that a task that nobody listens to costs
    no look at the store."""

    _known: OrderedDict[str, Fresh[list[Listener]]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, store: Store, settings: Settings, task: Task) -> list[Listener]:
        return [*self._of_owner(store, task.owner), *_of_task(task), *_topics(settings)]

    def forget(self, owner: str) -> None:
        """His endpoints have changed."""
        with self._lock:
            self._known.pop(owner, None)

    def _of_owner(self, store: Store, owner: str) -> Sequence[Listener]:
        with self._lock:
            known = self._known.get(owner)
            if known is None:
                known = self._known[owner] = Fresh(lambda: _enabled(store, owner), FRESH_S)
                if len(self._known) > _OWNERS:
                    self._known.popitem(last=False)
        return known()


def lane_of(owner: str, url: str) -> str:
    """Deliveries of one owner to one host are sent a few at a time."""
    return f"{owner}/{urlsplit(url).netloc.lower()}"


def _enabled(store: Store, owner: str) -> list[Listener]:
    return [_of_endpoint(each) for each in store.endpoints(owner, MOST) if each.enabled]


def _of_endpoint(endpoint: Endpoint) -> Listener:
    return Listener(
        endpoint.id,
        lane_of(endpoint.owner, endpoint.url),
        frozenset(endpoint.events or Happening),
        endpoint.payload,
    )


def _of_task(task: Task) -> list[Listener]:
    hook = task.webhook
    if hook is None:
        return []
    lane, events = lane_of(task.owner, hook.url), frozenset(hook.events or Happening)
    return [Listener(OF_TASK, lane, events, hook.payload, hook.url, hook.secret)]


def _topics(settings: Settings) -> list[Listener]:
    told = {"success_topic": GOOD_NEWS, "error_topic": frozenset(Happening) - GOOD_NEWS}
    return [Listener(name, name, told[name]) for name in TOPICS if getattr(settings, name)]
