"""A database server that is killed, frozen or started anew: an error of ours, and nothing lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from store_factories import a_job, a_task
from wire_server import WireServer

from services.model.job import Job
from services.model.states import JobState
from task_manager.store.mongo import MongoStore
from task_manager.store.protocol import JobChange, Store, StoreUnavailable

T = TypeVar("T")

LIMITS = "&".join(
    f"{name}MS={ms}"
    for name, ms in {
        "serverSelectionTimeout": 1000,
        "connectTimeout": 1000,
        "socketTimeout": 1000,
        "waitQueueTimeout": 1000,
        "heartbeatFrequency": 500,
    }.items()
)
PATIENCE_S = 60.0  # of a test, with anything that should happen
WRITERS = 4

OPERATIONS: dict[str, Callable[[Store], object]] = {
    "read": lambda store: store.task("t"),
    "insert": lambda store: store.insert_task(a_task("new")),
    "insert many": lambda store: store.insert_jobs([a_job(5), a_job(6)]),
    "claim": lambda store: store.claim(queue="q", models=[], node="n", token="x" * 16, limit=1),
    "commit": lambda store: store.move_job(
        a_job().id, state=JobState.WAITING, attempt=0, change=JobChange({"rank": 1})
    ),
    "try to write": lambda store: store.try_write(),
    "count": lambda store: store.queue_depths(0.0),
    "page": lambda store: store.dead_page(None, limit=5),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WireServer]:
    """It keeps its databases on disk."""
    started = WireServer(tmp_path, str(tmp_path / "data"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
def store(server: WireServer) -> Iterator[MongoStore]:
    opened = MongoStore(f"{server.url}/outages?{LIMITS}")
    yield opened
    opened.close()


class Writer:
    """Lives whole lives of jobs: insert, claim, commit; each step until it is acknowledged."""

    def __init__(self, store: Store, name: str, stopping: threading.Event) -> None:
        self._store, self.name, self._stopping = store, name, stopping
        self.done: list[str] = []
        self.refusals = 0

    def run(self) -> None:
        for number in count():
            if self._stopping.is_set():
                return
            self._live(a_job(number, f"{self.name}-{number}", queue=self.name))

    def _live(self, job: Job) -> None:
        token = f"{job.task_id}-{'x' * 16}"
        self._insist(lambda: self._store.insert_jobs([job]))
        won = self._insist(
            lambda: self._store.claim(
                queue=self.name, models=[], node="n", token=token, limit=1, announced=job.id
            )
        )
        assert [job.id] == [each.id for each in won], "an acknowledged insert was lost"
        self._insist(lambda: self._commit(job))
        self.done.append(job.id)

    def _commit(self, job: Job) -> None:
        fields = {"state": JobState.SUCCEEDED, "open": False, "reported": 1}
        change = JobChange(fields)
        if self._store.move_job(job.id, state=JobState.RUNNING, attempt=1, change=change) is None:
            known = self._store.job(job.id)  # the word about it was lost, not the write
            assert known is not None
            assert known.state is JobState.SUCCEEDED

    def _insist(self, step: Callable[[], T]) -> T:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return step()
            except StoreUnavailable:
                self.refusals += 1
                assert time.monotonic() < deadline, "the store stayed away"


def await_that(condition: Callable[[], bool], running: list[Future[None]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        for future in running:
            if future.done():
                future.result()
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def refused(store: Store) -> set[str]:
    """Which operations raise StoreUnavailable when all are asked at once, each in its time."""
    with ThreadPoolExecutor(len(OPERATIONS)) as threads:
        asked = {name: threads.submit(work, store) for name, work in OPERATIONS.items()}
        errors = {name: future.exception(PATIENCE_S) for name, future in asked.items()}
    return {name for name, error in errors.items() if type(error) is StoreUnavailable}


def test_a_server_that_was_killed_is_unavailable(server: WireServer, store: MongoStore) -> None:
    server.kill()

    assert refused(store) == set(OPERATIONS)


def test_a_server_that_stands_still_is_unavailable_in_time(
    server: WireServer, store: MongoStore
) -> None:
    store.insert_task(a_task())
    server.freeze()

    assert refused(store) == set(OPERATIONS)

    server.thaw()
    assert store.task("t") == a_task()


@pytest.mark.parametrize("rounds", [2, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_nothing_acknowledged_is_lost_or_doubled_over_outages(
    server: WireServer, store: MongoStore, fault: str, rounds: int
) -> None:
    stopping = threading.Event()
    writers = [Writer(store, f"writer{number}", stopping) for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as threads:
        running = [threads.submit(writer.run) for writer in writers]
        try:
            for _ in range(rounds):
                _one_outage(server, fault, writers, running)
        finally:
            stopping.set()

    for future in running:
        future.result()
    for writer in writers:
        jobs = [store.job(job_id) for job_id in writer.done]
        assert {(job.state, job.attempt) for job in jobs if job} == {(JobState.SUCCEEDED, 1)}
        assert None not in jobs
    assert store.running_jobs() == store.queue_depths(store.now()) == []


def _one_outage(
    server: WireServer, fault: str, writers: list[Writer], running: list[Future[None]]
) -> None:
    done, refused = _sums(writers)
    await_that(lambda: _sums(writers)[0] >= done + 20, running)
    if fault == "kill":
        server.kill()
    else:
        server.freeze()
    await_that(lambda: _sums(writers)[1] > refused, running)
    if fault == "kill":
        server.start()
    else:
        server.thaw()


def _sums(writers: list[Writer]) -> tuple[int, int]:
    return sum(len(writer.done) for writer in writers), sum(writer.refusals for writer in writers)
