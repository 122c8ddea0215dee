"""Turn new work away while there is still room to say so: before its body is read.

Nothing is stored for a request that is refused, and nothing that was accepted is lost: the queue
only grows by what this machine can keep.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from services.machine import free_disk_bytes, free_memory_bytes
from services.metrics import ManagerMetrics
from services.model.access import NO_LIMITS, Limits
from services.model.errors import OutOfSpace, TooMany, Unavailable
from services.settings import Settings
from task_manager import problems
from task_manager.fresh import Fresh
from task_manager.pipeline.ports import Ports

MAX_AT_ONCE = 1000  # public requests under way, event streams among them
_ALWAYS = {"/healthz", "/readyz", "/metrics"}


class Admission:
    """The limits. Every look is at most a second old, so asking costs nothing."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._settings = ports.settings
        self._disk = Fresh(self._free_disk)
        self._memory = Fresh(free_memory_bytes)
        self._waiting = Fresh(self._count_waiting)
        self._open: dict[str, Fresh[Iterator[int]]] = {}
        self._kept: dict[str, Fresh[int]] = {}

    async def ask(
        self,
        owner: str,
        idempotency_key: str | None = None,
        limits: Limits = NO_LIMITS,
        size: int = 0,
    ) -> None:
        """Raises OutOfSpace, also `storage_limit` by the limits of the caller's key and the `size`
        of what is coming (bytes), Unavailable `low_memory` or `queue_full`, or TooMany
        `too_many_open_tasks`. A request that was accepted before may always ask what became of
        it."""
        try:
            if self._has_looked(owner, limits):
                self._check(owner, limits, size)
            else:  # the store may keep a thread waiting, and the loop must not
                await run_in_threadpool(self._check, owner, limits, size)
        except (OutOfSpace, Unavailable, TooMany):
            find = self._ports.store.task_by_key
            if not idempotency_key or await run_in_threadpool(find, owner, idempotency_key) is None:
                raise

    def _has_looked(self, owner: str, limits: Limits) -> bool:
        """Within the last second, at all that is asked for."""
        looks: list[Fresh[Any] | None] = [self._disk, self._memory, self._waiting]
        looks.append(self._open.get(owner))
        if limits.stored_bytes is not None:
            looks.append(self._kept.get(owner))
        return all(look is not None and look.is_fresh for look in looks)

    def _check(self, owner: str, limits: Limits, size: int) -> None:
        settings = self._settings
        if self._disk() < settings.min_free_bytes:
            raise out_of_space()
        if self._memory() < settings.min_free_memory_bytes:
            raise Unavailable(
                "The server is short of memory: nothing was taken. Send the same request again "
                "after the seconds that Retry-After says.",
                code="low_memory",
                retry_after_s=15,
            )
        if self._waiting() >= settings.max_waiting_jobs:
            raise Unavailable(
                f"{settings.max_waiting_jobs} jobs wait already: nothing was taken. Send the same "
                "request again after the seconds that Retry-After says, or add workers.",
                code="queue_full",
                retry_after_s=30,
            )
        most = min(settings.max_open_tasks, limits.open_tasks or settings.max_open_tasks)
        if self._count_open(owner) >= most:
            raise TooMany(
                f"You have {most} open tasks, as many as are taken: wait until some have ended, or "
                "cancel some.",
                code="too_many_open_tasks",
                retry_after_s=10,
            )
        if limits.stored_bytes is not None and self._stored(owner) + size > limits.stored_bytes:
            raise OutOfSpace(
                f"You may keep {limits.stored_bytes} bytes of media, and this would be more: "
                "delete tasks that are done.",
                code="storage_limit",
            )

    def _free_disk(self) -> int:
        """On the fullest of our disks; no end of it where neither texts nor media lie on one."""
        return min((free_disk_bytes(each) for each in folders(self._settings)), default=2**63)

    def _count_waiting(self) -> int:
        store = self._ports.store
        return sum(depth.waiting for depth in store.queue_depths(store.now()))

    def _count_open(self, owner: str) -> int:
        """As last counted, and one more with every request since: a burst within the second
        stops at the limit as well."""

        def count() -> Iterator[int]:
            cap = self._settings.max_open_tasks
            return itertools.count(self._ports.store.count_open_tasks(owner, cap))

        return next(self._open.setdefault(owner, Fresh(count))())

    def _stored(self, owner: str) -> int:
        def look() -> int:
            return self._ports.store.stored_bytes(owner)

        return self._kept.setdefault(owner, Fresh(look))()


def folders(settings: Settings) -> list[Path]:
    """Where this machine's disk holds what we keep."""
    addresses = (urlsplit(settings.objects_address), urlsplit(settings.store_address))
    local = [each.path for each in addresses if each.scheme in {"file", "sqlite"}]
    return [Path("/" + unquote(path).lstrip("/")) for path in local]


def out_of_space() -> OutOfSpace:
    return OutOfSpace(
        "The server's disk is nearly full: nothing was taken. Delete tasks that are done, or try "
        "again later.",
        retry_after_s=60,
    )


class Crowd:
    """At most so many requests at once; one more is told to come back. Probes always pass."""

    def __init__(self, app: ASGIApp, meter: ManagerMetrics) -> None:
        self._app = app
        self._meter = meter
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
        elif self._under_way >= MAX_AT_ONCE:
            self._meter.refused("too_busy")
            busy = Unavailable(
                f"{MAX_AT_ONCE} requests are under way: try again in a moment.",
                code="too_busy",
                retry_after_s=2,
            )
            await problems.refusal(busy, scope["path"])(scope, receive, send)
        else:
            self._under_way += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._under_way -= 1
