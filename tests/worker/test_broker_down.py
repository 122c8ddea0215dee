"""The announcer against a redis that stands still, is gone, or comes back; what redis keeps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from in_test_manager import InTestManager
from kombu.messaging import Consumer
from started_worker import QUEUE, Redis, started_worker

from services.model.messages import Grant
from services.queue import Announcer, BrokerAway, broker_queue, make_app, queue_at

DEADLINE_S = 20.0  # generous: what is measured stands in docs/decisions/0011


@pytest.fixture
def announcer(local_redis: Redis) -> Iterator[Announcer]:
    made = Announcer(local_redis.url)
    yield made
    made.close()


def waiting(server: Redis) -> int:
    with server.client() as client:
        return int(client.llen(broker_queue("prepare")))


def within_deadline(act: Callable[[], None]) -> Exception | None:
    """What `act` raised; fails if it is still at it after the deadline."""
    raised: list[Exception | None] = []

    def run() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001
            raised.append(error)
        else:
            raised.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    assert raised, "it still waits for the broker"
    return raised[0]


def test_a_frozen_broker_is_away_and_takes_announcements_again_when_it_goes_on(
    local_redis: Redis, announcer: Announcer
) -> None:
    announcer.announce("prepare", "job-1")
    local_redis._process.send_signal(signal.SIGSTOP)
    error = within_deadline(lambda: announcer.announce("prepare", "job-2"))
    local_redis._process.send_signal(signal.SIGCONT)
    assert isinstance(error, BrokerAway)
    announcer.announce("prepare", "job-3")
    assert waiting(local_redis) >= 2


def test_a_broker_that_is_down_is_away_and_an_empty_one_takes_announcements(
    local_redis: Redis, announcer: Announcer
) -> None:
    announcer.announce("prepare", "job-1")
    local_redis.kill()
    for _ in range(2):
        error = within_deadline(lambda: announcer.announce("prepare", "job-2"))
        assert isinstance(error, BrokerAway)
    local_redis.start()
    announcer.announce("prepare", "job-3")
    assert waiting(local_redis) == 1


def test_a_worker_on_redis_waits_shorter_for_a_message_than_its_socket_does() -> None:
    app = make_app("redis://127.0.0.1:1/0")
    options = app.conf.broker_transport_options
    with app.connection_for_read() as connection:
        assert connection.transport.brpop_timeout < options["socket_timeout"]


def test_redis_keeps_nothing_of_what_a_worker_took(
    local_redis: Redis,
    announcer: Announcer,
    manager: InTestManager,
    transcribe_grant: Callable[..., Grant],
    tmp_path: Path,
) -> None:
    with started_worker(local_redis.url, manager.url, tmp_path):
        manager.wait_for(lambda: bool(manager.node_beats), "the node beats")
        for number in range(3):
            more = {"text_id": "slow"} if number == 2 else {}
            grant = transcribe_grant(number, **more)
            manager.change(lambda grant=grant: manager.grants.append(grant))
            announcer.announce(QUEUE, grant.job)
        manager.wait_for(lambda: bool(manager.told), "the third is under way")
        with local_redis.client() as client:
            assert (client.hlen("unacked"), client.zcard("unacked_index")) == (0, 0)


def test_an_acknowledgement_that_gets_lost_makes_no_worker_deaf(
    local_redis: Redis, announcer: Announcer
) -> None:
    heard: list[Any] = []
    for number in range(2):
        announcer.announce("prepare", f"job-{number}")
    with make_app(local_redis.url).connection_for_read() as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)  # one child
        consumer = Consumer(channel, [queue_at(local_redis.url, "prepare")])
        consumer.register_callback(lambda body, _: heard.append(body))  # and never acknowledges
        with consumer:
            while len(heard) < 2:
                connection.drain_events(timeout=10)
