"""The broker as a doorbell: the Celery app that workers run, and the announcer."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Queue

from services.model.messages import Announcement

TASK_NAME = "fanscribe.work"  # one name for all releases: an unknown name loses the message
_PREFIX = "fanscribe."
_CEILING_S = 26 * 3600  # above every limit that the claim's answer may carry


def broker_queue(queue: str) -> str:
    """The name of a queue at the broker."""
    return _PREFIX + queue


def _broker_queue(queue: str) -> Queue:
    return Queue(broker_queue(queue))  # type: ignore[no-untyped-call]


def make_app(broker_url: str) -> Celery:
    """A Celery app set up once for managers and workers alike.

    Celery only carries messages: no result backend, no retries, no countdowns. On Redis a
    message is acknowledged as it is taken, since the claim decides who works and the ticker
    announces again what nobody took.
    """
    on_redis = broker_url.startswith(("redis", "unix", "rediss", "valkey"))
    app = Celery("fanscribe", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=not on_redis,
        task_reject_on_worker_lost=False,
        task_create_missing_queues=False,
        task_time_limit=_CEILING_S,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=on_redis,
        worker_pool="prefork",
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120.0,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=60.0,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options() if on_redis else {},
    )
    return app


def declare(app: Celery, queues: list[str]) -> None:
    """Names the queues that this process publishes to or consumes from."""
    app.conf.task_queues = [_broker_queue(queue) for queue in queues]


def _transport_options() -> dict[str, Any]:
    return {
        "visibility_timeout": _CEILING_S + 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }


class Announcer:
    """Publishes announcements; blocking, so only the ticker's own loop calls it."""

    def __init__(self, broker_url: str) -> None:
        self._app = make_app(broker_url)
        self._app.conf.broker_transport_options = {
            **self._app.conf.broker_transport_options,
            "socket_timeout": 3,
        }

    def announce(self, queue: str, job_id: str) -> None:
        """Raises kombu's OperationalError (or an OSError) if the broker did not take it."""
        message = Announcement(queue=queue, job=job_id)
        self._app.send_task(
            TASK_NAME,
            args=[message.model_dump(mode="json")],
            queue=_broker_queue(queue),
            retry=False,
            ignore_result=True,
        )

    def close(self) -> None:
        self._app.close()
