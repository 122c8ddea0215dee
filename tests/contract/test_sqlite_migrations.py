"""A file of an older release is brought up to this one with everything that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from store_factories import NOW, a_failure, a_job, a_node, a_task, an_output

from services.model.node import Trouble
from services.model.speed import Speed
from services.model.states import JobState
from services.model.task import TaskState
from services.model.values import Stored
from task_manager.store.protocol import JobChange
from task_manager.store.sqlite import SqliteStore
from task_manager.store.sqlite.schema import JOBS, NODES, OUTPUTS, SCHEMA_VERSION, TASKS, Table

VERSION_1 = Path(__file__).with_name("sqlite_version_1.sql")
NEW_FIELDS = {"size", "label"}
NEW_OF_NODES = {
    "children",
    "free_mb",
    "health_url",
    "lost_at",
    "troubles",
    "set_aside_until",
    "operator_labels",
    "speeds",
}


def write(connection: sqlite3.Connection, table: Table[Any], document: Stored) -> None:
    """A row as the first release wrote it."""
    fields = document.model_dump(mode="json", exclude=NEW_FIELDS | NEW_OF_NODES)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")]
    row = {name: value for name, value in table.written(fields).items() if name in columns}
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({marks})",
        tuple(row.values()),
    )


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    dead = a_job(
        1, state=JobState.DEAD, open=False, finished_at=NOW, history=[a_failure()], inputs={"n": 1}
    )
    documents: list[tuple[Table[Any], Stored]] = [
        (TASKS, a_task()),
        (TASKS, a_task("over", state=TaskState.SUCCEEDED)),
        (JOBS, a_job(0)),
        (JOBS, dead),
        (JOBS, a_job(2, state=JobState.SUCCEEDED, open=False, claimed_at=NOW)),
        (OUTPUTS, an_output(facts={"seconds": 3.0})),
        (NODES, a_node(labels={"a": "b"})),
    ]
    path = tmp_path / "old.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text())
    for table, document in documents:
        write(connection, table, document)
    connection.commit()
    connection.close()
    return path


def schema(path: Path) -> dict[str, set[str]]:
    """Of each table its columns, and of each index its statement."""
    connection = sqlite3.connect(path)
    made = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    found = {
        name: {str(row[1:4]) for row in connection.execute(f"PRAGMA table_info({name})")}
        if kind == "table"
        else {sql}
        for kind, name, sql in made.fetchall()
    }
    found["version"] = {str(connection.execute("PRAGMA user_version").fetchone()[0])}
    connection.close()
    return found


def test_an_old_file_gets_the_schema_of_a_new_one(old_file: Path, tmp_path: Path) -> None:
    SqliteStore(old_file).close()
    SqliteStore(tmp_path / "new.sqlite").close()

    assert schema(tmp_path / "new.sqlite") == schema(old_file)
    assert schema(old_file)["version"] == {str(SCHEMA_VERSION)}


def test_what_an_old_file_holds_is_found_by_the_new_columns(old_file: Path) -> None:
    store = SqliteStore(old_file)

    assert store.job(a_job(0).id) == a_job(0)
    assert [1] == [job.item for job in store.dead_page("o", code="timeout", limit=9)]
    assert [1] == [job.item for job in store.dead_page(None, before=(NOW + 1, ""), limit=9)]
    assert store.jobs_ahead(a_job(9), 9) == (1, 0.0)
    assert store.count_open_tasks("o", 9) == 1
    assert [job.id for job in store.lean_jobs("t", 2, 2)] == [a_job(2).id]
    assert store.lean_jobs("t", 2, 2)[0].claimed_at == NOW
    assert [line.facts for line in store.output_lines("t", 0, 0)] == [{"seconds": 3.0}]
    store.close()


def test_what_an_old_file_holds_is_written_like_anything_else(old_file: Path) -> None:
    store = SqliteStore(old_file)

    store.move_job(
        a_job(0).id, state=JobState.WAITING, attempt=0, change=JobChange({"size": 5.0, "rank": 3})
    )
    store.add_trouble("n", Trouble(at=NOW, job="j"), 9)
    store.add_speeds("n", {"q": Speed(count=1.0)})
    store.put_node(a_node(pid=7))

    assert store.jobs_ahead(a_job(9, rank=9), 9) == (1, 5.0)
    assert store.node("n") == a_node(
        pid=7, troubles=[Trouble(at=NOW, job="j")], speeds={"q": Speed(count=1.0)}
    )
    store.close()


def test_a_file_is_brought_up_once(old_file: Path) -> None:
    for _ in range(2):
        store = SqliteStore(old_file)
        assert store.job(a_job(0).id) == a_job(0)
        store.close()
