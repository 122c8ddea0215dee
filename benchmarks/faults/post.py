"""The messages of a broker in the hands of the bench: taken, handed on, wiped."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import redis
from kombu.connection import Connection

from benchmarks.faults.servers import QUEUES, Broker
from services.queue import TASK_NAME, broker_queue, queue_at

_NAMES = [broker_queue(queue) for queue in QUEUES]
_UNKNOWN = "fanscribe.nobody-knows"
_PATIENCE_S = 1.0
_OWN_WORDS = ("priority", "content_type", "content_encoding")  # kombu wants them by name


class Post(Protocol):
    """What it gives is only for itself to understand."""

    def take(self) -> Any | None:
        """A message that no worker gets any more; None if none came within a second."""
        ...

    def hand_on(self, taken: Any, *, unknown: bool = False) -> None:
        """Puts it back; `unknown` under the name of a task that there is not."""
        ...

    def wipe(self) -> None:
        """Empties all queues."""
        ...


@contextmanager
def open_post(broker: Broker) -> Iterator[Post]:
    """For one thread. It goes past the proxies."""
    if broker.part is not None:
        with broker.redis() as client:
            yield _RedisPost(client)
    else:
        with Connection(broker.direct_url) as connection:  # type: ignore[no-untyped-call]
            yield _RabbitPost(connection, broker.direct_url)


class _RedisPost:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def take(self) -> tuple[bytes, bytes] | None:
        got: Any = self._client.brpop(_NAMES, timeout=_PATIENCE_S)
        return got  # type: ignore[no-any-return]

    def hand_on(self, taken: tuple[bytes, bytes], *, unknown: bool = False) -> None:
        key, message = taken
        other = message.replace(TASK_NAME.encode(), _UNKNOWN.encode())
        self._client.rpush(key, other if unknown else message)

    def wipe(self) -> None:
        self._client.flushall()


class _RabbitPost:
    """One consumer more at each queue, so that it is given its share."""

    def __init__(self, connection: Connection, url: str) -> None:
        self._connection = connection
        self._url = url
        self._channel: Any = connection.default_channel
        self._came: deque[Any] = deque()
        self._listens = False

    def take(self) -> Any | None:
        self._listen()
        if not self._came:
            try:
                self._connection.drain_events(timeout=_PATIENCE_S)  # type: ignore[no-untyped-call]
            except TimeoutError:
                return None
        return self._came.popleft() if self._came else None

    def hand_on(self, taken: Any, *, unknown: bool = False) -> None:
        properties = dict(taken.properties)
        headers = properties.pop("application_headers", {})
        kinds = {name: properties.pop(name, None) for name in _OWN_WORDS}
        more = {"task": _UNKNOWN} if unknown else {}
        message = self._channel.prepare_message(
            taken.body, headers={**headers, **more}, properties=properties, **kinds
        )
        self._channel.basic_publish(message, exchange="", routing_key=_queue_of(taken))

    def wipe(self) -> None:
        for name in _NAMES:
            self._channel.queue_purge(name)

    def _listen(self) -> None:
        if self._listens:
            return
        self._listens = True
        for each in QUEUES:
            queue: Any = queue_at(self._url, each)
            queue(self._channel).declare()
            self._channel.basic_consume(queue.name, no_ack=True, callback=self._came.append)


def _queue_of(taken: Any) -> str:
    return str(taken.delivery_info["routing_key"])
