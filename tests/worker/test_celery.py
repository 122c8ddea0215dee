"""A real Celery worker with a spawned pool, a real redis, and the manager of the tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from in_test_manager import InTestManager
from started_worker import QUEUE, Redis, children_of, free_port, started_worker

from services.model.errors import FailureClass
from services.model.messages import Grant, Report
from services.model.stages import TranscribeResult
from services.queue import Announcer


def failure(manager: InTestManager) -> FailureClass:
    failed = manager.reports[-1].failed
    assert failed is not None
    return failed.failure


def check_health(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/healthz").text == "ok\n"
        told = client.get("/metrics").text
    assert 'fanscribe_worker{kind="whisper",node="node-1"' in told
    attempts = 'fanscribe_worker_attempts{class="%s",outcome="%s",stage="transcribe"} %.1f'
    assert attempts % ("", "succeeded", 5) in told, "those of the dead children too"
    assert attempts % ("resource_exhausted", "failed", 3) in told
    assert attempts % ("worker_lost", "failed", 1) in told


@pytest.mark.skipif(sys.platform != "linux", reason="finds children by /proc")
def test_what_a_child_won_that_died_while_it_asked_goes_back_at_once(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    transcribe_grant: Callable[..., Grant],
) -> None:
    announcer = Announcer(local_redis.url)
    with started_worker(local_redis.url, manager.url, tmp_path) as worker:
        alive = lambda: manager.node_beats and manager.node_beats[-1].children == 1  # noqa: E731
        manager.wait_for(alive, "its child lives")
        [child] = children_of(worker.pid)
        manager.strike = lambda: os.kill(child, signal.SIGKILL)
        grant = transcribe_grant(0)
        manager.change(lambda: manager.grants.append(grant))
        announcer.announce(QUEUE, grant.job)

        manager.wait_for(lambda: bool(manager.reports), "its parent hands back what it won")
        assert manager.reports == [Report(job=grant.job, attempt=grant.attempt, released=True)]
        assert manager.beats == []
    announcer.close()


def test_a_worker_registers_works_survives_its_childs_death_and_leaves(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    transcribe_grant: Callable[..., Grant],
) -> None:
    announcer = Announcer(local_redis.url)

    def send(number: int, **more: object) -> Grant:
        grant = transcribe_grant(number, **more)
        manager.change(lambda: manager.grants.append(grant))
        announcer.announce(QUEUE, grant.job)
        return grant

    url = f"http://127.0.0.1:{(port := free_port())}"
    more = {"FANSCRIBE_LEAVE_WITHIN_S": "0.5", "FANSCRIBE_HEALTH_PORT": str(port)}
    with started_worker(local_redis.url, manager.url, tmp_path, more=more) as worker:
        manager.wait_for(lambda: bool(manager.registered), "the node registers")
        hello = manager.registered[0]
        assert (hello.node, hello.pid, hello.models) == ("node-1", worker.pid, ["stub-whisper"])
        assert hello.queues == ["prepare", "assemble", QUEUE]
        assert (bool(hello.free_mb), hello.health_url) == (True, url)

        send(0)
        manager.wait_for(lambda: len(manager.reports) == 1, "the first report")
        result = manager.reports[0].result
        assert isinstance(result, TranscribeResult)
        assert (result.segments, result.language) == (2, "en")
        assert manager.reports[0].seconds
        assert (manager.claims[0].node, manager.claims[0].queue) == ("node-1", QUEUE)
        assert (manager.claims[0].loaded, bool(manager.claims[0].free_mb)) == ([], True)
        manager.wait_for(lambda: manager.node_beats[-1].children == 1, "its child is counted")

        poison = send(1, text_id="die")
        manager.wait_for(lambda: len(manager.reports) == 2, "its parent reports the death")
        assert manager.reports[-1].job == poison.job
        assert failure(manager) is FailureClass.WORKER_LOST
        for number in range(2, 5):
            send(number)
            manager.wait_for(lambda n=number: len(manager.reports) == n + 1, "work after a death")
        assert manager.claims[-1].loaded == ["stub-whisper"]

        for number, sign in enumerate(("fail-memory", "fail-numpy-memory", "fail-cuda-memory")):
            send(5 + number, text_id=sign)
            manager.wait_for(lambda n=number: len(manager.reports) == 6 + n, sign)
            assert failure(manager) is FailureClass.RESOURCE_EXHAUSTED, sign
        assert manager.claims[-1].loaded == ["stub-whisper"], "the same child goes on"

        send(8, text_id="fail-cuda")
        manager.wait_for(lambda: len(manager.reports) == 9, "the GPU's failure")
        assert failure(manager) is FailureClass.WORKER_LOST
        send(9)
        manager.wait_for(lambda: len(manager.reports) == 10, "the report of a fresh child")
        assert manager.claims[-1].loaded == [], "a context that broke is not used again"

        check_health(url)

        slow = send(10, text_id="slow")
        announcer.close()
        manager.wait_for(lambda: manager.told[-1].job == slow.job, "the slow job is under way")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        assert (manager.reports[-1].job, manager.reports[-1].released) == (slow.job, True)
        assert manager.node_beats[-1].leaving
        assert list(tmp_path.glob("fanscribe-*")) == [], "it leaves no folder behind"
