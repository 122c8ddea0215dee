"""What only the SQLite store promises: durability on one host."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from store_factories import a_change, a_job, a_task, an_event

from services.model.states import JobState
from task_manager.store.protocol import StoreUnavailable
from task_manager.store.sqlite import SqliteStore

WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, WRITER, f"sqlite://{path}"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(200)]
        writer.kill()
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]

    store = SqliteStore(path)
    missing = [task_id for task_id in acknowledged if store.task(task_id) is None]
    store.close()
    with sqlite3.connect(path) as connection:
        intact = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()

    assert len(acknowledged) >= 200
    assert missing == []
    assert intact == ("ok",)


def test_many_may_open_a_new_file_at_once(path: Path) -> None:
    def open_and_write(number: int) -> bool:
        store = SqliteStore(path)
        try:
            return store.insert_task(a_task(str(number)))[1]
        finally:
            store.close()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(open_and_write, range(16)))


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    store = SqliteStore(path)
    store.insert_jobs([a_job()])
    store.close()

    again = SqliteStore(path)

    assert again.job(a_job().id) == a_job()
    again.close()


def test_every_write_is_synced_to_a_write_ahead_log(path: Path) -> None:
    store = SqliteStore(path)
    (connection,) = store._idle

    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_closed_store_is_unavailable(path: Path) -> None:
    store = SqliteStore(path)
    store.ping()
    store.close()

    with pytest.raises(StoreUnavailable):
        store.ping()
    with pytest.raises(StoreUnavailable):
        store.insert_task(a_task())


def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)

    with pytest.raises(StoreUnavailable):
        SqliteStore(path)


def test_a_file_of_a_newer_release_is_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreUnavailable, match="newer release"):
        SqliteStore(path)


def test_an_insert_of_many_is_whole_or_not_at_all(path: Path) -> None:
    store = SqliteStore(path)

    with pytest.raises(OverflowError):
        store.insert_jobs([a_job(0), a_job(1, rank=2**70)])

    assert store.job(a_job(0).id) is None
    store.close()


def test_a_write_that_fails_does_not_spoil_those_that_share_its_commit(path: Path) -> None:
    store = SqliteStore(path)
    store.insert_task(a_task())

    def write(number: int) -> str:
        fields = {"progress": 0.5} if number % 3 else {"nonsense": 1}
        try:
            store.note_task("t", fields)
            store.append_event(an_event())
        except ValueError:
            return "refused"
        return "written"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(write, range(300)))

    assert outcomes == ["written" if number % 3 else "refused" for number in range(300)]
    assert store.last_event("t") == 200
    store.close()


def test_a_write_that_fails_leaves_nothing_behind(path: Path) -> None:
    store = SqliteStore(path)
    store.insert_jobs([a_job()])

    with pytest.raises(ValueError, match="nonsense"):
        store.move_job(a_job().id, state=JobState.WAITING, attempt=0, change=a_change(nonsense=1))

    assert store.job(a_job().id) == a_job()
    assert store.claim(queue="q", models=[], node="n", token="x", limit=1)
    store.close()
