"""What `fanscribe status` and `fanscribe queues` print of a task that waits, runs and fails."""

from __future__ import annotations

import pytest

from fanscribe import Fanscribe
from services.client.output import show_queues, show_task
from services.model.errors import FailureClass
from services.model.speed import Speed

TEXT = {"text_id": "1", "text": "x" * 1500, "language": "en"}  # a hundred seconds' worth


@pytest.fixture
def measured(manager):
    store = manager.application.store
    store.add_speeds("node-1", {"translate.stub-nmt": Speed().seen(10.0, 10.0)})
    return manager


@pytest.fixture
def told(measured, capsys):
    """What is printed of a task."""

    def show(task_id: str) -> str:
        with Fanscribe(measured.url) as api:
            show_task(api.task(task_id), list(api.items(task_id)), as_json=False)
        return capsys.readouterr().out

    return show


def test_status_tells_the_place_and_the_time_that_is_left(measured, told) -> None:
    for _ in range(8):
        measured.create(items=[TEXT], targets=["zh"])

    printed = told(measured.create(items=[TEXT], targets=["zh"])["id"])

    assert "8 jobs ahead, about 5 min left" in printed.splitlines()[0]


def test_status_tells_where_a_job_runs_and_when_it_is_stopped(measured, told) -> None:
    task = measured.create(items=[TEXT], targets=["zh"])
    measured.driver.claim_next()

    printed = told(task["id"])

    assert "… translate 1 zh: 0%, attempt 1 on node-1 since" in printed
    assert "takes about 2 min, ended after 300 s" in printed


def test_status_tells_every_try_that_failed(start, capsys) -> None:
    manager = start(retry_scale=1e-6)
    manager.driver.broken = {"zh"}
    manager.driver.failure = FailureClass.SERVICE_UNAVAILABLE
    task = manager.finished(items=[TEXT], targets=["zh"])

    with Fanscribe(manager.url) as api:
        show_task(api.task(task["id"]), list(api.items(task["id"])), as_json=False)

    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗")]
    assert len(lines) == 3
    assert lines[2].startswith("✗ translate 1 zh: The engine gave up. (engine_failed, attempt 3 on")


def test_queues_tell_when_new_work_would_start(measured, capsys) -> None:
    for _ in range(8):
        measured.create(items=[TEXT], targets=["zh"])

    with Fanscribe(measured.url) as api:
        show_queues(api.queues(), as_json=False)

    printed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert printed["translate.stub-nmt"].rstrip().endswith("in about 3 min")
    assert printed["prepare"].rstrip().endswith("?")
