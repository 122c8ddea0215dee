"""Who calls: known by a key, held to the key's limits, let go when the request is over."""

from __future__ import annotations

import contextlib
import hmac
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from services import logs
from services.model.access import NO_LIMITS, ApiKey, Limits, Scope, id_in
from services.model.errors import RequestRefused, TooMany, Unauthenticated
from services.model.rates import Bucket, take
from services.settings import Settings
from task_manager.store.protocol import Store

log = logs.get(__name__)

OWNER_WITHOUT_KEY = "local"
OWNER_WITH_KEY = "key"
STATIC, LOCAL = "static", "local"  # instead of a key's id

FRESH_S = 5.0  # how long a key is believed to be as it was: a revoked one stops within so long
USED_EVERY_S = 60.0  # between two notes of when a key was last used


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose tasks are seen, by which key, what it allows and how much of it."""

    owner: str
    key: str
    scopes: frozenset[Scope]
    limits: Limits = NO_LIMITS

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes

    def may(self, wanted: frozenset[Scope]) -> bool:
        return self.is_admin or not wanted.isdisjoint(self.scopes)


_EVERYTHING = frozenset({Scope.ADMIN})


def administrator(settings: Settings) -> Caller:
    """Who shows the server's own key; without one, whoever is on this machine."""
    if settings.api_key.get_secret_value():
        return Caller(OWNER_WITH_KEY, STATIC, _EVERYTHING)
    return Caller(OWNER_WITHOUT_KEY, LOCAL, _EVERYTHING)


@dataclass(frozen=True, slots=True)
class _Known:
    """A key as it was read, and until when that is believed."""

    key: ApiKey
    until: float
    expired: bool


class Callers:
    """All who call one manager. Lives in the event loop; only look-ups go to threads."""

    def __init__(
        self, store: Store, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._settings = settings
        self.clock = clock
        self._known: dict[str, _Known] = {}
        self._buckets: dict[str, list[Bucket]] = {}
        self._inside: Counter[str] = Counter()

    async def recognise(self, given: str) -> Caller:
        """Raises Unauthenticated."""
        static = self._settings.api_key.get_secret_value()
        if static and hmac.compare_digest(given.encode(), static.encode()):
            return administrator(self._settings)
        key_id = id_in(given)
        if key_id is None:
            if not static:
                return administrator(self._settings)
            raise Unauthenticated("Send your key as `Authorization: Bearer <key>`.")
        known = self._known.get(key_id)
        if known is None or self.clock() >= known.until:
            known = await run_in_threadpool(self._look_up, key_id, given)
        if known is None or not known.key.is_opened_by(given):
            raise Unauthenticated("This key is not known: ask an administrator for one.")
        key = known.key
        if key.revoked_at is not None:
            raise Unauthenticated("This key was revoked: use a new one.", code="key_revoked")
        if known.expired:
            raise Unauthenticated("This key has expired: use a new one.", code="key_expired")
        return Caller(key.owner, key.id, frozenset(key.scopes), key.limits)

    @contextlib.contextmanager
    def inside(self, caller: Caller) -> Iterator[None]:
        """While a request is under way. Raises TooMany."""
        most = caller.limits.at_once
        if most is not None and self._inside[caller.key] >= most:
            raise TooMany(
                f"{most} requests with this key are under way, as many as it may make at once: "
                "wait for one of them.",
                code="too_many_at_once",
                retry_after_s=1,
            )
        self._count(caller)
        self._inside[caller.key] += 1
        try:
            yield
        finally:
            self._inside[caller.key] -= 1

    def forget(self, key_id: str) -> None:
        """It is looked up anew."""
        self._known.pop(key_id, None)

    def _count(self, caller: Caller) -> None:
        rates = ((caller.limits.per_second, 1.0), (caller.limits.per_minute, 60.0))
        sizes = [(size, period_s) for size, period_s in rates if size is not None]
        if not sizes:
            return
        now = self.clock()
        buckets = self._buckets.get(caller.key)
        if buckets is None:
            buckets = [Bucket.full(size, period_s, now) for size, period_s in sizes]
        self._buckets[caller.key], wait_s = take(buckets, now)
        if wait_s > 0:
            raise TooMany(
                "This key asks faster than it may: wait for the seconds that Retry-After says.",
                code="rate_limited",
                retry_after_s=math.ceil(wait_s),
            )

    def _look_up(self, key_id: str, given: str) -> _Known | None:
        """The key as it is now."""
        key = self._store.key(key_id)
        if key is None or not key.is_opened_by(given):
            return None
        now = self._store.now()
        left = FRESH_S if key.expires_at is None else min(FRESH_S, key.expires_at - now)
        known = _Known(key, self.clock() + left, expired=left <= 0)
        self._known[key_id] = known
        if key.counts(now) and now - (key.used_at or 0.0) > USED_EVERY_S:
            try:
                self._store.note_use(key_id, now)
            except RequestRefused as away:
                log.warning("key_use_not_noted", key=key_id, reason=away.code)
        return known
