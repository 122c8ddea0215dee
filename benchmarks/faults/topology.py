"""Which processes a stack has, on which store and broker, in which rhythm."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from services.model.errors import FanscribeError

AMQP_VARIABLE = "FANSCRIBE_TEST_AMQP_URL"
_PORTS = range(20_000, 32_000)  # below those that outgoing connections take
_given: set[int] = set()  # to stacks of this process, which may not have bound them yet
_STILL: Mapping[str, str] = {
    "FANSCRIBE_STUB_MODELS": "true",
    "FANSCRIBE_CALLBACK_SECRET": "bench",
    "FANSCRIBE_MIN_FREE_BYTES": "0",
}
RHYTHMS: Mapping[str, Mapping[str, str]] = {
    "real": {},  # what the product does by itself
    "fast": {  # the same code, less waiting
        "FANSCRIBE_BEAT_EVERY_S": "0.5",
        "FANSCRIBE_LOST_AFTER_S": "3",
        "FANSCRIBE_TICK_EVERY_S": "0.2",
        "FANSCRIBE_ANNOUNCE_AGAIN_S": "2",
        "FANSCRIBE_EXPAND_AFTER_S": "0.5",
        "FANSCRIBE_RETRY_SCALE": "0.01",
    },
}


class NotHere(FanscribeError):
    """What the topology asks for is not on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Topology:
    """`store`: `sqlite`, `wire` (a MongoDB wire server of our own, on disk), or the URL of a
    MongoDB. `broker`: `redis` (one of our own) or `rabbitmq` (at `FANSCRIBE_TEST_AMQP_URL`).
    `slots` is the number of children of each worker. `settings` are `FANSCRIBE_…` for all
    processes, `redis_options` more words for redis-server. `small` gives `store` (SQLite's),
    `objects` and `redis` a file system of so many megabytes each. `hook` is a module whose
    `install()` every Python process calls as it starts.
    """

    managers: int = 2
    whispers: int = 2
    translators: int = 1
    slots: int = 1
    store: str = "sqlite"
    broker: str = "redis"
    rhythm: Literal["fast", "real"] = "fast"
    settings: Mapping[str, str] = field(default_factory=dict)
    redis_options: tuple[str, ...] = ()
    small: Mapping[str, int] = field(default_factory=dict)
    hook: str = ""

    def on(self, store: str, broker: str) -> Topology:
        """The same on another store and broker."""
        return replace(self, store=store, broker=broker)

    def environment(self) -> dict[str, str]:
        return {
            **_STILL,
            **RHYTHMS[self.rhythm],
            "FANSCRIBE_CONCURRENCY": str(self.slots),
            **self.settings,
        }


def free_port() -> int:
    """One that nobody listens at and no outgoing connection will take, so that a process which
    is started again finds it free."""
    for _ in range(1000):
        port = random.SystemRandom().choice(_PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise NotHere("No port between 20000 and 32000 is free.")
