"""Celery's consumer as RabbitMQ needs it: a worker whose children are all busy keeps no bell.

RabbitMQ limits what it sends by queue, so a worker that listens to three queues is sent the next
two messages while its only child works; they would wait there, with another worker idle. Redis
does not need this: there a worker looks for messages only while a child is free.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.worker import consumer, state

from services import logs

_LOOK_AGAIN_S = 1.0  # should a job end without our noticing

log = logs.get(__name__)


class Consumer(consumer.Consumer):  # type: ignore[misc]
    """Turns away what no child is free for, and does not listen to that queue until one is.

    What is turned away goes to the queue's next listener.
    """

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]
        # We send nothing with a delay; for that Celery would declare 28 queues at the server.
        default_steps = [  # noqa: RUF012
            step
            for step in consumer.Consumer.Blueprint.default_steps
            if not step.endswith(":DelayedDelivery")
        ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._unheard: dict[str, str] = {}  # queue at the broker → tag of its consumer

    def create_task_handler(self, *args: Any, **more: Any) -> Any:
        """Is called for every new connection."""
        self._unheard.clear()
        take = super().create_task_handler(*args, **more)

        def received(message: Any) -> Any:
            return self._turn_away(message) if self._busy() else take(message)

        return received

    def call_soon_ack(self, *args: Any, **more: Any) -> Any:
        """Is called when a job has ended."""
        answer = super().call_soon_ack(*args, **more)
        if self._unheard and self.hub:
            self.hub.call_soon(self._listen_again)
        return answer

    def _busy(self) -> bool:
        children: int = self.pool.num_processes
        return len(state.reserved_requests) >= children

    def _turn_away(self, message: Any) -> None:
        """First no longer listens, so that the message does not come back to us."""
        tag = message.delivery_info["consumer_tag"]
        active = self.task_consumer._active_tags  # noqa: SLF001 - kombu has no word for a pause
        queue = next((name for name, one in active.items() if one == tag), None)
        if queue is not None:
            del active[queue]
            message.channel.basic_cancel(tag, nowait=True)
            self._unheard[queue] = tag
        message.reject_log_error(log, self.connection_errors, requeue=True)

    def register_with_event_loop(self, hub: Any) -> None:
        """Is called for every new connection; what is registered ends with it."""
        super().register_with_event_loop(hub)
        hub.call_repeatedly(_LOOK_AGAIN_S, self._listen_again)

    def _listen_again(self) -> None:
        if (
            not self._unheard
            or self._busy()
            or self.blueprint.state != bootsteps.RUN
            or not self.task_consumer
        ):
            return
        listener = self.task_consumer
        wanted = {queue.name: queue for queue in listener.queues}
        for name, tag in self._unheard.items():
            if name in wanted and not listener.consuming_from(name):
                listener._basic_consume(  # noqa: SLF001
                    wanted[name], consumer_tag=tag, no_ack=listener.no_ack, nowait=True
                )
        self._unheard.clear()
