"""Finished results at hand in a Redis of their own: read from it where it has them, else from
where they are kept, and put there for the next reader.

A key names the task's revision, which rises with everything that could change what it means: so
nothing here is ever out of date, and nothing has to be removed. It is only ever a saving: a Redis
that is away, full or slow is left alone for a while, and readers go to the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services import logs
from services.metrics import ManagerMetrics
from services.settings import Settings, WrongSettings

WITHIN_S = 0.1  # a call; the store takes hardly longer
LEFT_ALONE_S = 10.0
KEPT_S = 3600
LARGEST = 4 * 1024 * 1024  # bytes of a value
_PREFIX = "fanscribe:1"  # of what is written by this format

log = logs.get(__name__)


def open_hot_cache(settings: Settings, meter: ManagerMetrics) -> HotCache | None:
    """The one that the settings name, if they do. Raises WrongSettings."""
    url = settings.hot_cache_url
    if not url:
        return None
    if urlsplit(url)[:2] == urlsplit(settings.broker_url)[:2]:
        raise WrongSettings(
            "FANSCRIBE_HOT_CACHE_URL names the broker's Redis, which must not evict anything: give"
            " the hot cache a Redis of its own, or leave the setting empty."
        )
    try:
        return HotCache(url, meter)
    except ValueError as error:
        raise WrongSettings(f"FANSCRIBE_HOT_CACHE_URL cannot be used: {error}") from error


class HotCache:
    """The cache at an address; nothing is asked of it yet."""

    def __init__(self, url: str, meter: ManagerMetrics) -> None:
        self._meter = meter
        self._not_before = 0.0
        self._redis = Redis.from_url(
            url,
            socket_timeout=WITHIN_S,
            socket_connect_timeout=WITHIN_S,
            retry=Retry(NoBackoff(), 0),  # each of the client's own would be waited for
        )

    def through(self, key: tuple[str | int, ...], read: Callable[[], str]) -> str:
        """What `key` names, from here or by `read`; what that raises is not remembered."""
        name = ":".join([_PREFIX, *map(str, key)])
        found = self._tried(lambda redis: redis.get(name))
        if isinstance(found, bytes):
            self._meter.looked_at_hand("hit")
            return found.decode()
        self._meter.looked_at_hand("miss")
        value = read()
        data = value.encode()
        if len(data) <= LARGEST:
            self._tried(lambda redis: redis.set(name, data, ex=KEPT_S))
        return value

    def _tried(self, call: Callable[[Redis], object]) -> object:
        """The answer; None where there is none in time."""
        if time.monotonic() < self._not_before:
            return None
        try:
            return call(self._redis)
        except (RedisError, OSError) as error:
            self._not_before = time.monotonic() + LEFT_ALONE_S
            self._meter.looked_at_hand("failed")
            log.warning("hot_cache_left_alone", reason=type(error).__name__, seconds=LEFT_ALONE_S)
            return None
