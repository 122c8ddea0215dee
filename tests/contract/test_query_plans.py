"""Every named operation finds what it wants by an index, however much else is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from every_operation import every_operation
from store_factories import (
    NOW,
    a_delivery,
    a_failure,
    a_job,
    a_running_job,
    a_task,
    an_item,
    an_output,
)

from services.model.states import JobState
from services.model.task import TaskEvent, TaskState
from task_manager.store.sqlite import SqliteStore
from task_manager.store.sqlite.schema import DELIVERIES, EVENTS, OUTPUTS, TASKS

# A pass over one of these stops at its limit, or reads only what is asked for.
PASSES = {
    "tasks_page",
    "jobs_waiting",
    "jobs_running",
    "jobs_expanding",
    "tasks_expanding",
    "jobs_dead_page",
    "api_keys_page",
    "audit_page",
}
TINY = {"nodes"}  # as many as there are workers

PER_TASK = 50  # documents: the task, its jobs, items, outputs and events
STEP = 10  # instructions of SQLite's machine between two looks
# An operation takes so many instructions whatever is stored ...
MANY = 1_000
# ... but for those whose answer is about all that waits or runs, or about all that an owner with
# a storage limit keeps.
COUNTING = (
    "SELECT queue, count(*)",
    "SELECT id, attempt, lease_beat, lease_node",
    "SELECT coalesce(sum(size)",
    "SELECT coalesce(sum(media_bytes)",
)


class Watched(sqlite3.Connection):
    """A connection that asks for the plan of each statement, and counts what it costs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.plans: dict[str, list[str]] = {}
        self.costs: dict[str, int] = {}  # the dearest run of each
        self.current = ""
        self.so_far = 0
        self.set_progress_handler(self._step, STEP)

    def _step(self) -> int:
        self.so_far += STEP
        self.costs[self.current] = max(self.costs.get(self.current, 0), self.so_far)
        return 0

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        self.current = "EXPLAIN"
        if sql.split(maxsplit=1)[0] in {"SELECT", "UPDATE", "DELETE"}:
            plan = super().execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            self.plans[sql] = [step for *_, step in plan]
        self.current, self.so_far = sql, 0
        return super().execute(sql, values)


def documents(count: int) -> Iterator[tuple[Any, list[Any]]]:
    """Tasks and all that belongs to them, in every state."""
    numbers = range(count // PER_TASK)
    states = list(TaskState)
    yield (
        TASKS,
        [
            a_task(f"full{n}", owner=f"o{n % 7}", state=states[n % 6], created_at=NOW + n)
            for n in numbers
        ],
    )
    for n in numbers:
        task_id = f"full{n}"
        yield (
            EVENTS,
            [_event(n, i) for i in range(9)],
        )
        yield OUTPUTS, [an_output(i, task_id=task_id) for i in range(10)]
        yield DELIVERIES, [_delivery(n, i) for i in range(8)]


def _event(n: int, i: int) -> TaskEvent:
    about: dict[str, Any] = {"task_id": f"full{n}", "owner": f"o{n % 7}", "kind": "cell"}
    return TaskEvent(number=i + 1, position=9 * n + i + 1, at=NOW, **about)


def _delivery(n: int, i: int) -> Any:
    """Half of them pending, in lanes of many."""
    ended = {"state": "dead", "open": False, "ended_at": NOW + n} if i % 2 else {}
    about = {"task_id": f"full{n}", "endpoint": f"wh_{n % 3}", "lane": f"o{n % 7}/h"}
    return a_delivery(f"full{n}/{i}", due=NOW + n, created_at=NOW + n, **about, **ended)


def fill(store: SqliteStore, count: int) -> None:
    for table, some in documents(count):
        store._insert(table, some)
    for n in range(count // PER_TASK):
        store.insert_items(an_item(i, f"full{n}") for i in range(10))
        store.insert_jobs(_jobs(n))


def _jobs(n: int) -> list[Any]:
    """Of one task: one running, some of each other state, half of them waiting."""
    task_id, owner, queue = f"full{n}", f"o{n % 7}", f"q{n % 5 or ''}"
    mine: dict[str, Any] = {"task_id": task_id, "owner": owner, "queue": queue}
    ended = {"open": False, "finished_at": NOW + n, "history": [a_failure()]}
    over = [*JobState][2:] * 3
    return [
        a_running_job(0, **mine | {"id": f"{task_id}/running"}),
        *(a_job(i, rank=i, **mine) for i in range(1, 11)),
        *(a_job(11 + i, state=state, **mine, **ended) for i, state in enumerate(over)),
    ]


@pytest.fixture(params=[2_000, pytest.param(100_000, marks=pytest.mark.long)])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """A connection through which every operation went, in a store that holds so much."""
    path = tmp_path / "store.sqlite"
    store = SqliteStore(path)
    fill(store, request.param)
    connection = sqlite3.connect(
        path, factory=Watched, isolation_level=None, check_same_thread=False
    )
    store._idle.append(connection)
    every_operation(store)
    yield connection
    store.close()


def test_no_operation_reads_a_whole_table_or_sorts_one(watched: Watched) -> None:
    assert len(watched.plans) > 50

    bad = [
        (step, sql)
        for sql, plan in sorted(watched.plans.items())
        for step in plan
        if _passes(step) or step.startswith("USE TEMP B-TREE")
        if not any(f" {table} " in f"{step} {sql} " for table in TINY)
    ]

    assert bad == []


def _passes(step: str) -> bool:
    by_index = any(step.endswith(f" {index}") for index in PASSES)
    return step.startswith("SCAN") and not by_index and step != "SCAN (subquery-1)"


def test_no_operation_costs_more_where_more_is_stored(watched: Watched) -> None:
    assert sum(watched.costs.values()) > MANY

    dear = {
        sql: cost
        for sql, cost in watched.costs.items()
        if cost > MANY and not sql.startswith(COUNTING)
    }

    assert dear == {}


def test_a_pass_over_a_table_would_be_noticed(watched: Watched) -> None:
    question = "SELECT doc FROM items WHERE ordinal = 99"

    assert watched.execute(question).fetchall() == []

    assert any(_passes(step) for step in watched.plans[question])
    assert watched.costs[question] > MANY
