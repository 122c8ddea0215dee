"""RabbitMQ as broker: real workers, quorum queues of these tests' own, the manager of the tests.

Runs where FANSCRIBE_TEST_AMQP_URL names a RabbitMQ, such as amqp://guest:guest@127.0.0.1:5672/.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from in_test_manager import SECRET, InTestManager
from kombu import Connection

from services.model.messages import Grant
from services.model.stages import PartPlan, Place, TranscribeSpec
from services.queue import Announcer, BrokerAway, broker_queue, make_app, queue_at

Start = Callable[..., subprocess.Popen[bytes]]
AMQP_URL = os.environ.get("FANSCRIBE_TEST_AMQP_URL", "")

pytestmark = pytest.mark.skipif(not AMQP_URL, reason="FANSCRIBE_TEST_AMQP_URL names no RabbitMQ")


class Line:
    """A TCP line to the broker that can be cut."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._target = (address.hostname or "127.0.0.1", address.port or 5672)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        host, _, _ = address.netloc.rpartition("@")
        port = self._socket.getsockname()[1]
        self.url = urlunsplit(address._replace(netloc=f"{host}@127.0.0.1:{port}"))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends all connections; new ones are possible at once."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._socket.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._socket.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line(AMQP_URL)
    yield line
    line.close()


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue that nobody else uses, gone afterwards."""
    name = f"transcribe.stub-{secrets.token_hex(6)}"
    yield name
    delete(name)


@pytest.fixture
def other_queue() -> Iterator[str]:
    name = f"transcribe.stub-{secrets.token_hex(6)}"
    yield name
    delete(name)


@pytest.fixture
def announcer() -> Iterator[Announcer]:
    announcer = Announcer(AMQP_URL)
    yield announcer
    announcer.close()


@pytest.fixture
def start(manager: InTestManager, tmp_path: Path, queue: str, other_queue: str) -> Iterator[Start]:
    """Starts a worker of one child that listens to these queues; back when it has registered.
    Workers end before the queues do, or they would declare them again."""
    children: list[subprocess.Popen[bytes]] = []

    def start(node: str, *queues: str, url: str = AMQP_URL) -> subprocess.Popen[bytes]:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("FANSCRIBE_")},
            "FANSCRIBE_BROKER_URL": url,
            "FANSCRIBE_MANAGER_URL": manager.url,
            "FANSCRIBE_CALLBACK_SECRET": SECRET,
            "FANSCRIBE_DATA_DIR": str(tmp_path / "data"),
            "FANSCRIBE_STUB_MODELS": "true",
            "FANSCRIBE_NODE": node,
            "FANSCRIBE_QUEUES": ",".join(queues),
            "FANSCRIBE_CONCURRENCY": "1",
            "TMPDIR": str(tmp_path),
        }
        code = "from services.worker.launch import launch; launch('whisper', 'whisper_worker.app')"
        command = [sys.executable, "-c", code]
        with (tmp_path / f"{node}.log").open("wb") as log:
            child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        children.append(child)
        known = {node}
        manager.wait_for(
            lambda: known <= {hello.node for hello in manager.registered}, f"{node} registers"
        )
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()
    idle = look("idle")
    if idle is not None and not idle.consumer_count:  # else it serves somebody else
        delete("idle")
    for log_path in tmp_path.glob("*.log"):
        print(log_path.name, log_path.read_text())


@pytest.fixture
def give(
    manager: InTestManager,
    make_grant: Callable[..., Grant],
    put_pcm: Callable[..., Place],
    output_place: Callable[[str], Place],
) -> Callable[..., str]:
    """Has a job ready for the next claim; its id."""
    pcm = put_pcm(8.0)

    def give(number: int, **more: object) -> str:
        spec = TranscribeSpec(
            pcm=pcm,
            part=PartPlan(start=0, end=128_000, speech=[(0, 128_000)]),
            model="stub-whisper",
            language=None,
            output=output_place(f"tasks/task1/{number}.json"),
            output_text=output_place(f"tasks/task1/{number}.txt"),
        )
        grant = make_grant(spec, job=f"task1/transcribe/{number}/-/-/0/0", **more)
        manager.change(lambda: manager.grants.append(grant))
        return grant.job

    return give


def delete(name: str) -> None:
    with Connection(AMQP_URL) as connection, connection.channel() as channel:
        channel.queue_delete(broker_queue(name))


def look(name: str) -> Any:
    """message_count and consumer_count of the queue; None if there is none."""
    with Connection(AMQP_URL) as connection, connection.channel() as channel:
        try:
            return channel.queue_declare(broker_queue(name), passive=True)
        except connection.channel_errors:
            return None


def announce_until_taken(announcer: Announcer, queue: str, job: str) -> None:
    """As the ticker does, which tries again at each of its looks."""
    for _ in range(3):
        with suppress(BrokerAway):
            announcer.announce(queue, job)
            return
    announcer.announce(queue, job)


def test_queues_are_durable_quorum_queues_and_may_be_declared_again(queue: str) -> None:
    for _ in range(2):
        with Connection(AMQP_URL) as connection, connection.channel() as channel:
            declared = queue_at(AMQP_URL, queue)(channel)
            declared.declare()
            assert declared.durable
            assert declared.queue_arguments["x-queue-type"] == "quorum"
            other = {"x-queue-type": "classic"}
            with pytest.raises(connection.channel_errors, match="inequivalent"):
                channel.queue_declare(broker_queue(queue), durable=True, arguments=other)


def test_a_message_of_a_killed_worker_reaches_the_next_one_and_its_claim_decides(
    manager: InTestManager, start: Start, give: Callable[..., str], announcer: Announcer, queue: str
) -> None:
    first = start("node-1", queue)
    job = give(0, text_id="slow")
    announcer.announce(queue, job)
    manager.wait_for(lambda: bool(manager.told), "the first worker is at it")
    first.send_signal(signal.SIGKILL)
    start("node-2", queue)
    manager.wait_for(lambda: len(manager.claims) == 2, "the message comes again")
    assert [claim.job for claim in manager.claims] == [job, job]
    assert [claim.node for claim in manager.claims] == ["node-1", "node-2"]
    # The lease is the first one's: the manager grants nothing, and the second runs nothing.
    later = give(1)
    announcer.announce(queue, later)
    manager.wait_for(lambda: len(manager.reports) == 1, "a job of its own")
    assert manager.reports[0].job == later


def test_both_sides_come_back_when_the_line_to_the_broker_was_cut(
    manager: InTestManager, start: Start, give: Callable[..., str], line: Line, queue: str
) -> None:
    announcer = Announcer(line.url)
    start("node-1", queue, url=line.url)
    announcer.announce(queue, give(0))
    manager.wait_for(lambda: len(manager.reports) == 1, "a job before the cut")
    line.cut()
    announce_until_taken(announcer, queue, give(1))
    manager.wait_for(lambda: len(manager.reports) == 2, "a job after the cut")
    announcer.close()


def test_a_message_that_nobody_understands_stops_nobody(
    manager: InTestManager, start: Start, give: Callable[..., str], announcer: Announcer, queue: str
) -> None:
    start("node-1", queue)
    with make_app(AMQP_URL) as app:
        for name in ("fanscribe.of-a-later-release", "fanscribe.work"):
            app.send_task(name, args=[{"unreadable": True}], queue=queue_at(AMQP_URL, queue))
    announcer.announce(queue, give(0))
    manager.wait_for(lambda: len(manager.reports) == 1, "the job behind it")


def test_short_jobs_overtake_a_long_one_of_another_queue(
    manager: InTestManager,
    start: Start,
    give: Callable[..., str],
    announcer: Announcer,
    queue: str,
    other_queue: str,
) -> None:
    start("node-1", queue, other_queue)
    start("node-2", queue, other_queue)
    long = give(0, text_id="slow")
    announcer.announce(queue, long)
    manager.wait_for(lambda: bool(manager.told), "the long job is under way")
    # The server hands messages around: every second one comes by the busy worker.
    for number in range(1, 7):
        announcer.announce(other_queue, give(number))
        manager.wait_for(lambda n=number: len(manager.reports) == n, "a short job")
    assert long not in {report.job for report in manager.reports}
    busy = next(claim.node for claim in manager.claims if claim.job == long)
    assert {claim.node for claim in manager.claims[1:]} == {"node-1", "node-2"} - {busy}


def test_a_worker_that_was_busy_listens_again(
    manager: InTestManager,
    start: Start,
    give: Callable[..., str],
    announcer: Announcer,
    queue: str,
    other_queue: str,
) -> None:
    start("node-1", queue, other_queue)
    jobs = [give(number) for number in range(4)]
    for number, job in enumerate(jobs):
        announcer.announce((queue, other_queue)[number % 2], job)
    manager.wait_for(lambda: len(manager.reports) == 4, "all are worked off, one by one")


def test_a_deleted_queue_is_an_error_once_and_then_declared_anew(
    announcer: Announcer, queue: str
) -> None:
    announcer.announce(queue, "job")
    delete(queue)
    with pytest.raises(BrokerAway, match="NO_ROUTE"):
        announcer.announce(queue, "job")
    announcer.announce(queue, "job")
    assert look(queue).message_count == 1


def test_a_worker_declares_a_deleted_queue_anew_and_listens(
    manager: InTestManager, start: Start, give: Callable[..., str], announcer: Announcer, queue: str
) -> None:
    start("node-1", queue)
    delete(queue)
    manager.wait_for(lambda: look(queue) is not None, "the queue is there again")
    announce_until_taken(announcer, queue, give(0))
    manager.wait_for(lambda: len(manager.reports) == 1, "a job by the new queue")
