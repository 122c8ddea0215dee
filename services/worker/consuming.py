"""Which queues the parent takes announcements from; it changes while the worker runs.

Celery keeps the selected queues on the app, and consumes them again after it has lost its broker.
So the selection is changed first, in the thread of Celery's event loop, and then the consumer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery import Celery

from services import logs
from services.queue import broker_queue, queue_at

IDLE_QUEUE = "idle"  # nobody publishes to it; it keeps the connection in use, and so watched
_POOL_EVERY_S = 0.5

log = logs.get(__name__)


class Consuming:
    """`listen` may be called from any thread, and as often as one likes."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._consumer: Any = None
        self._wanted: frozenset[str] = frozenset()

    def attach(self, consumer: Any) -> None:
        """Celery's consumer is there and its event loop turns.

        Celery hears of a child's end by a pipe that closes a moment before the process can be
        waited for, and then looks only every 5 s: we have it look more often, as the slot is
        free no sooner.
        """
        self._consumer = consumer
        if consumer.hub is not None:
            consumer.hub.call_repeatedly(_POOL_EVERY_S, consumer.pool.maintain_pool)

    def listen(self, queues: Iterable[str]) -> None:
        """From now on these queues and no others. Said again at each beat, so that what went
        wrong once is made good by the next."""
        wanted = frozenset(queues)
        if wanted != self._wanted:
            log.info("listening", queues=sorted(wanted))
        self._wanted = wanted
        if self._consumer is not None:
            self._consumer.call_soon(self._apply)

    def _apply(self) -> None:
        consumer = self._consumer
        try:
            self._select()
            if consumer.task_consumer is not None:
                self._consume(consumer)
        except consumer.connection_errors + consumer.channel_errors:
            raise  # the loop of Celery connects anew, and then goes by the selection
        except Exception:
            log.exception("listen_failed")

    def _select(self) -> None:
        """Names the queues that are new; Celery declares none that it does not know."""
        queues = self._app.amqp.queues
        for name in self._wanted:
            if broker_queue(name) not in queues:
                queues.add(queue_at(self._app.conf.broker_url, name))

    def _consume(self, consumer: Any) -> None:
        wanted = {broker_queue(name) for name in (*self._wanted, IDLE_QUEUE)}
        there = {queue.name for queue in consumer.task_consumer.queues}
        for name in sorted(set(self._app.amqp.queues.consume_from) | there):
            if name not in wanted:
                consumer.cancel_task_queue(name)
        for name in sorted(wanted - there):
            consumer.add_task_queue(name)
