"""The topic that an address means; only that client is imported."""

from __future__ import annotations

from typing import Protocol

from services.model.errors import FanscribeError, Invalid


class TopicAway(FanscribeError):
    """The topic did not take an event; it is offered again, as a webhook would be."""


class Topic(Protocol):
    def publish(self, message_id: str, event: str, body: str) -> None:
        """Raises TopicAway, within seconds. A message that is published again has the same id."""
        ...

    def close(self) -> None: ...


def open_topic(address: str, field: str) -> Topic:
    """`redis://host:6379/0#stream` or `arn:aws:sns:region:account:name`. Raises Invalid."""
    url, _, stream = address.partition("#")
    if url.startswith(("redis://", "rediss://", "unix://")) and stream:
        from services.topics.redis_stream import RedisStream  # noqa: PLC0415

        return RedisStream(url, stream)
    if address.startswith("arn:") and address.split(":")[2:3] == ["sns"]:
        from services.topics.sns import SnsTopic  # noqa: PLC0415

        return SnsTopic(address)
    raise Invalid(
        "A topic is redis://host:6379/0#stream or the ARN of an SNS topic.",
        code="bad_topic",
        field=field,
    )
