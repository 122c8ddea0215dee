"""A file that is locked, full or left by a dead writer: an error of ours, and nothing lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from store_factories import a_job, a_task

from services.model.errors import OutOfSpace
from task_manager.store.protocol import StoreUnavailable
from task_manager.store.sqlite import SqliteStore, commits

HOLDER = Path(__file__).with_name("holder.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """One that loses patience soon."""
    monkeypatch.setattr(commits, "BUSY_S", 0.2)
    opened = SqliteStore(path)
    opened.insert_task(a_task("kept"))
    opened.insert_jobs([a_job()])
    yield opened
    opened.close()


@contextmanager
def holder(kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, HOLDER, kind, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def whole(path: Path) -> bool:
    with sqlite3.connect(path) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return bool(answer == ("ok",))


def test_a_file_that_another_process_keeps_locked_is_unavailable_to_writers(
    store: SqliteStore, path: Path
) -> None:
    with holder("lock", path) as process:
        assert said(process) == "locked"

        with pytest.raises(StoreUnavailable, match="locked"):
            store.insert_task(a_task("refused"))
        with pytest.raises(StoreUnavailable):
            store.claim(queue="q", models=[], node="n", token="x" * 16, limit=1)
        with pytest.raises(StoreUnavailable):
            store.try_write()
        assert store.task("kept") == a_task("kept")

    assert store.insert_task(a_task("next"))[1]
    assert store.task("refused") is None
    assert len(store.claim(queue="q", models=[], node="n", token="x" * 16, limit=1)) == 1


def test_every_writer_in_line_hears_of_a_lock(store: SqliteStore, path: Path) -> None:
    def write(number: int) -> str:
        try:
            store.insert_task(a_task(str(number)))
        except StoreUnavailable:
            return "refused"
        return "written"

    with holder("lock", path) as process, ThreadPoolExecutor(8) as threads:
        assert said(process) == "locked"
        assert {"refused"} == set(threads.map(write, range(8)))

    assert {"written"} == {write(number) for number in range(8)}


def test_a_writer_that_dies_in_the_midst_of_a_transaction_leaves_nothing_of_it(
    store: SqliteStore, path: Path
) -> None:
    with holder("write", path) as process:
        assert said(process) == "writing"
        with pytest.raises(StoreUnavailable):
            store.insert_task(a_task("refused"))

    assert store.insert_task(a_task("next"))[1]
    assert store.task("kept") == a_task("kept")
    assert store.upload("half 0") is None
    assert whole(path)


def test_a_full_disk_is_out_of_space_and_what_was_written_stays(
    store: SqliteStore, path: Path
) -> None:
    (connection,) = store._idle
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 5}")

    written = []
    with pytest.raises(OutOfSpace) as refused:  # noqa: PT012
        for number in range(1_000):
            store.insert_task(a_task(str(number), metadata={"filling": "x" * 2_000}))
            written.append(str(number))

    assert (refused.value.status, refused.value.code) == (507, "out_of_space")
    assert store.task("kept") == a_task("kept")
    connection.execute("PRAGMA max_page_count = 100000")
    assert [number for number in written if store.task(number) is None] == []
    assert store.insert_task(a_task("after"))[1]
    assert whole(path)


def test_trying_to_write_needs_room_and_leaves_the_version_of_the_schema(
    store: SqliteStore, path: Path
) -> None:
    wal = path.with_name(path.name + "-wal")
    (connection,) = store._idle
    before = connection.execute("PRAGMA user_version").fetchone(), wal.stat().st_size

    store.try_write()

    assert connection.execute("PRAGMA user_version").fetchone() == before[0]
    assert wal.stat().st_size > before[1]


def test_a_file_that_may_not_grow_keeps_all_that_was_acknowledged(path: Path) -> None:
    with holder("limit", path) as process:
        assert process.stdout is not None
        *acknowledged, refusal = [line.strip() for line in process.stdout]

    assert refusal in {"OutOfSpace", "StoreUnavailable"}
    assert len(acknowledged) > 20
    store = SqliteStore(path)
    assert [number for number in acknowledged if store.task(number) is None] == []
    assert store.insert_task(a_task("after"))[1]
    store.close()
    assert whole(path)
