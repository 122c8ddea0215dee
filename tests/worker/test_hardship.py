"""Workers under hardship: slow and dying children, engines that hang, broken brokers and clocks."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import tiny_whisper
from in_test_manager import InTestManager
from started_worker import QUEUE, Redis, children_of, free_port, started_worker

from services.model.errors import FailureClass
from services.model.messages import Grant
from services.model.stages import DetectSpec, Place
from services.queue import Announcer

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="finds children by /proc"),
]

# What a site's own sitecustomize does to every interpreter; only the pool's children are meant.
_IN_CHILDREN = """
import sys
if "--billiard-fork" in sys.argv or any("spawn_main" in word for word in sys.orig_argv):
    {}
"""
_BEFORE_ANYBODY_HEARS_OF_THE_MESSAGE = """
import os, signal
from pathlib import Path
from kombu.transport.redis import Transport
deliver = Transport._deliver
def die_or_deliver(self, message, queue):
    left = Path(os.environ["KILLS_LEFT"])
    number = int(left.read_text())
    if number:
        left.write_text(str(number - 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return deliver(self, message, queue)
Transport._deliver = die_or_deliver
"""


@pytest.fixture
def site(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment of an interpreter that runs this code as it starts."""

    def site(code: str) -> dict[str, str]:
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(code)
        return {"PYTHONPATH": str(folder)}

    return site


@pytest.fixture
def announcer(local_redis: Redis) -> Iterator[Announcer]:
    announcer = Announcer(local_redis.url)
    yield announcer
    announcer.close()


@pytest.fixture
def send(
    manager: InTestManager, announcer: Announcer, transcribe_grant: Callable[..., Grant]
) -> Callable[..., Grant]:
    def send(number: int, **more: object) -> Grant:
        grant = transcribe_grant(number, **more)
        manager.change(lambda: manager.grants.append(grant))
        announcer.announce(QUEUE, grant.job)
        return grant

    return send


@contextmanager
def eventually(within_s: float) -> Iterator[Callable[[Callable[[], bool], str], None]]:
    """Looks ten times a second until it is so."""
    pause = threading.Event()

    def wait(fulfilled: Callable[[], bool], what: str) -> None:
        for _ in range(int(within_s * 10)):
            if fulfilled():
                return
            pause.wait(0.1)
        raise AssertionError(f"it did not come to this: {what}")

    yield wait


def test_a_pool_of_slow_starters_works_again_after_each_of_twenty_kills(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    site: Callable[[str], dict[str, str]],
    send: Callable[..., Grant],
) -> None:
    slow = site(_IN_CHILDREN.format("import time; time.sleep(8)"))
    with (
        started_worker(local_redis.url, manager.url, tmp_path, more=slow) as worker,
        eventually(60) as wait,
    ):
        killed: set[int] = set()
        for number in range(20):
            job = send(number).job
            # A child that dies before it hears the answer leaves its report to be offered twice.
            manager.wait_for(lambda j=job: any(r.job == j for r in manager.reports), job)
            [child] = children_of(worker.pid)
            killed.add(child)
            os.kill(child, signal.SIGKILL)
            wait(lambda c=child: c not in children_of(worker.pid), "the child is gone")
        assert len(killed) == 20
    assert "UP message" not in (tmp_path / "worker.log").read_text()


@pytest.mark.parametrize(
    "deed", ["import time; time.sleep(3600)", "raise SystemExit(1)"], ids=["hang", "crash"]
)
def test_a_node_whose_children_cannot_start_is_ill_within_35_seconds(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    site: Callable[[str], dict[str, str]],
    deed: str,
) -> None:
    more = site(_IN_CHILDREN.format(deed)) | {"FANSCRIBE_HEALTH_PORT": str(port := free_port())}
    with (
        started_worker(local_redis.url, manager.url, tmp_path, more=more) as worker,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        eventually(35) as wait,
    ):

        def ill() -> bool:
            try:
                answer = client.get("/healthz")
            except httpx.TransportError:
                return False  # it has not come so far yet
            return answer.status_code == 503 and "no child" in answer.text

        wait(ill, "its health is red")
        assert worker.poll() is None
        if manager.node_beats:
            assert {beat.children for beat in manager.node_beats} == {0}


def test_an_engine_that_hangs_is_ended_and_the_report_names_the_limit(
    local_redis: Redis, manager: InTestManager, tmp_path: Path, send: Callable[..., Grant]
) -> None:
    with started_worker(local_redis.url, manager.url, tmp_path) as worker:
        for number, (limits, says) in enumerate(
            [
                ({"soft_s": 1.0, "hard_s": 1.0}, "hard limit of 1 s"),
                ({"stuck_s": 1.0}, "longer than 1 s: it was stuck"),
            ]
        ):
            send(number, text_id="hang", **limits)
            manager.wait_for(lambda n=number: len(manager.reports) == n + 1, says)
            failed = manager.reports[-1].failed
            assert failed is not None
            assert failed.failure is FailureClass.TIME_LIMIT
            assert says in failed.message
        send(2)
        manager.wait_for(lambda: len(manager.reports) == 3, "the next job, in a fresh child")
        assert manager.reports[-1].result is not None
        assert worker.poll() is None


def test_a_hundred_children_with_both_native_engines_end_without_hanging(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    announcer: Announcer,
    make_grant: Callable[..., Grant],
    put_pcm: Callable[..., Place],
) -> None:
    """libgomp and onnxruntime are known to wait for each other as a process ends. The pool has
    one slot: a child that hangs keeps the next job from being done."""
    pids = tmp_path / "children"
    more = {
        "TINY_MODEL": str(tiny_whisper.write(tmp_path / "tiny")),
        "CHILDREN": str(pids),
        "PYTHONPATH": str(Path(__file__).parent),
        "OMP_NUM_THREADS": "2",
    }
    spec = DetectSpec(pcm=put_pcm(3.0), model="tiny", windows=[])
    with started_worker(
        local_redis.url, manager.url, tmp_path, module="recycling_app", more=more
    ) as worker:
        for number in range(100):
            grant = make_grant(spec, job=f"task1/detect/{number}/-/-/0/0")
            manager.change(lambda g=grant: manager.grants.append(g))
            announcer.announce(QUEUE, grant.job)
            manager.wait_for(lambda n=number: len(manager.reports) == n + 1, f"job {number}")
            assert manager.reports[-1].result is not None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert len(set(pids.read_text().split())) == 100


def test_a_frozen_child_is_replaced(
    local_redis: Redis, manager: InTestManager, tmp_path: Path, send: Callable[..., Grant]
) -> None:
    with started_worker(local_redis.url, manager.url, tmp_path) as worker, eventually(120) as wait:
        send(0)
        manager.wait_for(lambda: len(manager.reports) == 1, "the child works")
        [child] = children_of(worker.pid)
        os.kill(child, signal.SIGSTOP)
        manager.wait_for(lambda: manager.node_beats[-1].children == 0, "it is missed")
        wait(lambda: child not in children_of(worker.pid), "it is killed")
        send(1)
        manager.wait_for(lambda: len(manager.reports) == 2, "its successor works")


def test_a_worker_killed_with_a_message_in_its_hands_loses_only_the_bell(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    site: Callable[[str], dict[str, str]],
    transcribe_grant: Callable[..., Grant],
    announcer: Announcer,
) -> None:
    """The message is in no list of the broker then; the job waits in the store, here the manager
    of the tests, and its bell is rung again."""
    left = tmp_path / "kills"
    left.write_text("3")
    more = site(_BEFORE_ANYBODY_HEARS_OF_THE_MESSAGE) | {"KILLS_LEFT": str(left)}
    grant = transcribe_grant(0)
    manager.grants = [grant]
    for kill in range(3):
        with started_worker(local_redis.url, manager.url, tmp_path, more=more) as worker:
            manager.wait_for(lambda n=kill: len(manager.registered) > n, "it registers")
            announcer.announce(QUEUE, grant.job)
            assert worker.wait(60) == -signal.SIGKILL
        with local_redis.client() as client:
            assert client.llen("fanscribe." + QUEUE) == client.hlen("unacked") == 0
    assert manager.claims == []
    with started_worker(local_redis.url, manager.url, tmp_path, more=more):
        announcer.announce(QUEUE, grant.job)
        manager.wait_for(lambda: len(manager.reports) == 1, "it is done once it is rung again")


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("off", ["+2h", "-2h"])
def test_a_worker_whose_clock_is_two_hours_off_works_like_any_other(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    send: Callable[..., Grant],
    off: str,
) -> None:
    prefix = ("faketime", "--exclude-monotonic", "-f", off)
    with started_worker(local_redis.url, manager.url, tmp_path, prefix=prefix):
        send(0)
        manager.wait_for(lambda: len(manager.reports) == 1, "the report")
        slow = send(1, text_id="hear-5s")
        manager.wait_for(lambda: len(manager.reports) == 2, "the slow job's report")
        manager.wait_for(lambda: manager.node_beats[-1].children == 1, "its child is seen")
    assert [report.result is not None for report in manager.reports] == [True, True]
    assert sum(beat.leases[0].job == slow.job for beat in manager.beats) > 10
    assert manager.reports[1].seconds is not None
    assert 4.0 < manager.reports[1].seconds < 60.0
    assert manager.refused <= 2, "it learnt the manager's time from the first refusal"


def test_a_worker_whose_pool_never_stops_leaves_all_the_same(
    manager: InTestManager, local_redis: Redis, tmp_path: Path
) -> None:
    """Once seen in a soak: a child had died and the broker's connections had been mute."""
    more = {"PYTHONPATH": str(Path(__file__).parent), "FANSCRIBE_LEAVE_WITHIN_S": "0.1"}
    with started_worker(
        local_redis.url, manager.url, tmp_path, module="hanging_app", more=more
    ) as worker:
        manager.wait_for(lambda: bool(manager.registered), "the node registers")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert manager.node_beats[-1].leaving
    told = (tmp_path / "worker.log").read_text(encoding="utf-8")
    assert "leaving_hangs" in told
    assert "hanging_app.py" in told.partition("leaving_hangs")[2], "where each thread hangs"
