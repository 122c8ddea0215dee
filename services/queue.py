"""The broker as a doorbell: the Celery app that workers run, its queues, and the announcer."""

from __future__ import annotations

from functools import partial
from typing import Any

from celery import Celery
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.messaging import Producer

from services.model.messages import Announcement

TASK_NAME = "fanscribe.work"  # one name for all releases: an unknown name loses the message
_PREFIX = "fanscribe."
_CEILING_S = 26 * 3600  # above every limit that the claim's answer may carry
_PUBLISH_WITHIN_S = 3.0  # for each step of it: connecting, declaring, handing over
_ANSWER_WITHIN_S = 10.0  # what a worker waits for when it asks the broker something
_HEARTBEAT_S = 15.0  # two missed ones, and each side of AMQP gives the connection up
# Of returns to a quorum queue, after which it drops the message. A busy worker returns what it
# cannot take, so the number must be above the workers of a queue; RabbitMQ 4 would take 20.
_DELIVERY_LIMIT = 1000


def broker_queue(queue: str) -> str:
    """The name of a queue at the broker."""
    return _PREFIX + queue


def queue_at(broker_url: str, queue: str) -> Queue:
    """The queue as it is declared, by whoever comes first; all must declare it alike.

    On Redis nothing is acknowledged: an acknowledgement that gets lost on a mute link would count
    as a message under way for ever, and after as many as it has children a worker hears nothing.

    On RabbitMQ: a durable quorum queue. It may hold a message unacknowledged as long as a job
    may take; servers before 3.12 do not know that argument, and ignore it (3.10.8 does).
    """
    if on_redis(broker_url):
        return Queue(broker_queue(queue), no_ack=True)  # type: ignore[no-untyped-call]
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": _DELIVERY_LIMIT,
        "x-consumer-timeout": (_CEILING_S + 600) * 1000,
    }
    name = broker_queue(queue)
    return Queue(name, durable=True, queue_arguments=arguments)  # type: ignore[no-untyped-call]


def on_redis(broker_url: str) -> bool:
    return broker_url.startswith(("redis", "unix", "rediss", "valkey"))


def make_app(broker_url: str) -> Celery:
    """A Celery app set up once for managers and workers alike.

    Celery only carries messages: no result backend, no retries, no countdowns. On Redis a
    message is gone as it is taken, since the claim decides who works and the ticker announces
    again what nobody took. On RabbitMQ it is acknowledged when its work is done:
    that is what keeps the server from sending more.
    """
    redis = on_redis(broker_url)
    app = Celery("fanscribe", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=not redis,
        task_reject_on_worker_lost=False,
        task_create_missing_queues=False,
        task_time_limit=_CEILING_S,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=redis,
        worker_pool="services.worker.pool:Pool",
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120.0,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=60.0,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # RabbitMQ before 3.12 closes the channel of a job that takes more than 30 minutes; without
        # this the worker would end, hand the job back, and so on for ever.
        broker_channel_error_retry=True,
        broker_connection_timeout=_PUBLISH_WITHIN_S,
        broker_heartbeat=_HEARTBEAT_S,
        broker_transport_options=_redis_options() if redis else _amqp_options(_ANSWER_WITHIN_S),
    )
    if not redis:
        app.conf.worker_consumer = "services.worker.consumer:Consumer"
    return app


def declare(app: Celery, queues: list[str]) -> None:
    """Names the queues that this process publishes to or consumes from."""
    app.conf.task_queues = [queue_at(app.conf.broker_url, queue) for queue in queues]


def _redis_options() -> dict[str, Any]:
    return {
        "visibility_timeout": _CEILING_S + 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }


def _amqp_options(answer_within_s: float) -> dict[str, Any]:
    return {"confirm_publish": True, "on_open": partial(_limit, answer_within_s)}


def _limit(answer_within_s: float, connection: Any) -> None:
    """py-amqp waits forever for what it asks a server that stands still; its own `read_timeout`
    is swallowed by its own retrying of EAGAIN. (Celery pickles this, so it has a name.)"""
    connection.transport.sock.settimeout(answer_within_s)


class BrokerAway(Exception):
    """The broker did not take an announcement in time; the job is announced again."""


class Announcer:
    """Publishes announcements; blocking, so only the ticker's own loop calls it.

    It keeps one connection and drops it at the first error: the next announcement opens a new
    one, and declares its queue anew.
    """

    def __init__(self, broker_url: str) -> None:
        self._app = make_app(broker_url)
        self._broker_url = broker_url
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        if on_redis(broker_url):
            self._app.conf.broker_transport_options = {
                **_redis_options(),
                "socket_timeout": _PUBLISH_WITHIN_S,
            }
            self._options: dict[str, Any] = {}
        else:
            self._app.conf.broker_transport_options = _amqp_options(_PUBLISH_WITHIN_S)
            # `mandatory`: a queue that somebody deleted is an error, not silence.
            self._options = {"mandatory": True, "confirm_timeout": _PUBLISH_WITHIN_S}

    def announce(self, queue: str, job_id: str) -> None:
        """Raises BrokerAway, within seconds, if the broker did not take it."""
        message = Announcement(queue=queue, job=job_id)
        try:
            self._app.send_task(
                TASK_NAME,
                args=[message.model_dump(mode="json")],
                queue=queue_at(self._broker_url, queue),
                producer=self._ready(),
                retry=False,
                ignore_result=True,
                **self._options,
            )
        except Exception as error:
            self._hang_up()
            raise BrokerAway(f"{type(error).__name__}: {error}") from error

    def _ready(self) -> Producer:
        if self._producer is None:
            self._connection = self._app.connection_for_write()
            self._connection.ensure_connection(max_retries=0)
            self._producer = self._app.amqp.Producer(self._connection.channel())
        return self._producer

    def _hang_up(self) -> None:
        """Without a goodbye, for which a server that stands still would let us wait."""
        if self._connection is not None:
            self._connection.collect()  # type: ignore[no-untyped-call]
        self._connection = self._producer = None

    def close(self) -> None:
        self._hang_up()
        self._app.close()
