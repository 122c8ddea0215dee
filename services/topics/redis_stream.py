"""Events as entries of a Redis stream: id, type, body."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

from services.topics.opening import TopicAway

_WITHIN_S = 5.0
_KEPT = 100_000  # entries, or a few more; who reads more slowly than that has lost the older ones


class RedisStream:
    def __init__(self, url: str, stream: str) -> None:
        self._stream = stream
        self._redis = Redis.from_url(
            url, socket_timeout=_WITHIN_S, socket_connect_timeout=_WITHIN_S
        )

    def publish(self, message_id: str, event: str, body: str) -> None:
        entry: dict[bytes, bytes] = {
            b"id": message_id.encode(),
            b"type": event.encode(),
            b"body": body.encode(),
        }
        try:
            self._redis.xadd(self._stream, entry, maxlen=_KEPT, approximate=True)  # type: ignore[arg-type]
        except (RedisError, OSError) as error:
            raise TopicAway(f"Redis did not take it: {type(error).__name__}.") from error

    def close(self) -> None:
        self._redis.close()
