"""Which queues a node consumes: those that its manager names, from one beat to the next."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from in_test_manager import InTestManager
from kombu import Connection
from started_worker import QUEUE, Redis, started_worker

from services.model.messages import Grant
from services.queue import Announcer, broker_queue

AMQP_URL = os.environ.get("FANSCRIBE_TEST_AMQP_URL", "")
LABELLED = f"{QUEUE}@room=quiet"


@pytest.fixture
def announcer(local_redis: Redis) -> Iterator[Announcer]:
    announcer = Announcer(local_redis.url)
    yield announcer
    announcer.close()


@pytest.fixture
def worker(
    local_redis: Redis, manager: InTestManager, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    manager.listen = []
    soon = {"FANSCRIBE_LEAVE_WITHIN_S": "0.1"}
    with started_worker(local_redis.url, manager.url, tmp_path, more=soon) as worker:
        manager.wait_for(lambda: bool(manager.node_beats), "the node beats")
        yield worker


@pytest.fixture
def send(
    manager: InTestManager, announcer: Announcer, transcribe_grant: Callable[..., Grant]
) -> Callable[..., Grant]:
    def send(number: int, queue: str = QUEUE, **more: object) -> Grant:
        grant = transcribe_grant(number, **more)
        manager.change(lambda: manager.grants.append(grant))
        announcer.announce(queue, grant.job)
        return grant

    return send


@pytest.fixture
def told(manager: InTestManager) -> Callable[[list[str]], None]:
    """Has the manager name these queues; back when the node consumes no others."""

    def told(queues: list[str]) -> None:
        manager.change(lambda: setattr(manager, "listen", queues))
        beats = len(manager.node_beats)
        # The answer to the next is heeded before the one after it is sent.
        manager.wait_for(lambda: len(manager.node_beats) > beats + 2, "beats")

    return told


def waiting(server: Redis, queue: str) -> int:
    with server.client() as client:
        return int(client.llen(broker_queue(queue)))


def test_a_node_takes_announcements_of_exactly_the_queues_it_is_told(
    local_redis: Redis,
    manager: InTestManager,
    worker: subprocess.Popen[bytes],
    send: Callable[..., Grant],
    told: Callable[[list[str]], None],
) -> None:
    send(0)
    told([])
    assert (manager.claims, waiting(local_redis, QUEUE)) == ([], 1), "it was told of no queue yet"

    told([QUEUE])
    manager.wait_for(lambda: len(manager.reports) == 1, "what waited is done")

    slow = send(1, text_id="hear-1s")
    manager.wait_for(lambda: len(manager.claims) == 2, "the job under way")
    told([])
    manager.wait_for(lambda: len(manager.reports) == 2, "what runs as the node drains is finished")
    assert manager.reports[1].result is not None
    assert manager.reports[1].job == slow.job
    send(2)
    told([])
    assert (len(manager.claims), waiting(local_redis, QUEUE)) == (2, 1), "a drained node is deaf"

    told([LABELLED])
    send(3, LABELLED)
    manager.wait_for(lambda: len(manager.reports) == 3, "the label's job")
    assert manager.claims[-1].queue == LABELLED
    assert waiting(local_redis, QUEUE) == 1
    told([QUEUE, LABELLED])
    manager.wait_for(lambda: len(manager.reports) == 4, "what waited while it drained")


@pytest.mark.skipif(not AMQP_URL, reason="FANSCRIBE_TEST_AMQP_URL names no RabbitMQ")
def test_a_node_takes_announcements_of_the_queues_it_is_told_from_rabbitmq_too(
    manager: InTestManager, tmp_path: Path, told: Callable[[list[str]], None]
) -> None:
    plain = f"transcribe.stub-{secrets.token_hex(6)}"
    labelled = f"{plain}@room=quiet"
    manager.listen = []
    announcer = Announcer(AMQP_URL)
    soon = {"FANSCRIBE_LEAVE_WITHIN_S": "0.1"}
    with started_worker(AMQP_URL, manager.url, tmp_path, more=soon), Connection(AMQP_URL) as line:
        manager.wait_for(lambda: bool(manager.node_beats), "the node beats")
        told([plain])
        announcer.announce(plain, "one")
        manager.wait_for(lambda: len(manager.claims) == 1, "the first claim")
        told([])
        announcer.announce(plain, "two")
        told([labelled])
        announcer.announce(labelled, "three")
        manager.wait_for(lambda: len(manager.claims) == 2, "the label's claim")
        assert manager.claims[-1].queue == labelled
        told([plain, labelled])
        manager.wait_for(lambda: len(manager.claims) == 3, "what waited while it drained")
        for name in (plain, labelled):
            line.default_channel.queue_delete(broker_queue(name))
    announcer.close()


@pytest.mark.long
def test_what_a_node_consumes_outlives_its_broker(
    local_redis: Redis,
    manager: InTestManager,
    worker: subprocess.Popen[bytes],
    send: Callable[..., Grant],
    told: Callable[[list[str]], None],
) -> None:
    told([QUEUE, LABELLED])
    send(0, LABELLED)
    manager.wait_for(lambda: len(manager.reports) == 1, "the first report")
    local_redis.kill()
    told([QUEUE])  # while there is no broker
    local_redis.start()
    told([LABELLED])
    send(1, LABELLED)
    manager.wait_for(lambda: len(manager.reports) == 2, "the label's job after the restart")
    send(2)
    told([LABELLED])
    assert waiting(local_redis, QUEUE) == 1
    told([QUEUE])
    manager.wait_for(lambda: len(manager.reports) == 3, "the queue of before")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


@pytest.mark.long
def test_after_term_a_worker_claims_nothing(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    send: Callable[..., Grant],
) -> None:
    with started_worker(local_redis.url, manager.url, tmp_path) as worker:
        send(0, text_id="hear-1s")
        manager.wait_for(lambda: len(manager.claims) == 1, "the claim")
        worker.send_signal(signal.SIGTERM)
        send(1)
        assert worker.wait(60) == 0
    assert [report.released for report in manager.reports] == [False], "it ended within the grace"
    assert len(manager.claims) == 1


def test_a_child_that_is_told_to_rest_keeps_its_slot_empty_but_leaves_at_once(
    local_redis: Redis,
    manager: InTestManager,
    worker: subprocess.Popen[bytes],
    announcer: Announcer,
    told: Callable[[list[str]], None],
) -> None:
    manager.rest_s = 3600.0
    told([QUEUE])
    announcer.announce(QUEUE, "a job for another node")
    manager.wait_for(lambda: len(manager.claims) == 1, "the claim that wins nothing")
    announcer.announce(QUEUE, "another job")
    told([QUEUE])
    assert (len(manager.claims), waiting(local_redis, QUEUE)) == (1, 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


def test_a_node_that_has_lost_its_broker_ends_to_be_started_anew(
    local_redis: Redis, manager: InTestManager, tmp_path: Path
) -> None:
    manager.due = 1  # and yet the broker has nothing
    soon = {"FANSCRIBE_DEAF_AFTER_S": "0.5"}
    with started_worker(local_redis.url, manager.url, tmp_path, more=soon) as worker:
        assert worker.wait(60) == 75
    assert manager.node_beats[-1].leaving
    assert list(tmp_path.glob("fanscribe-*")) == []
