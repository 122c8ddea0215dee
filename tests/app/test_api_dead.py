"""Jobs that failed for good: listed over all tasks, and run again by one call."""

from __future__ import annotations

import json

import pytest
from running_manager import Manager, error_of
from typer.testing import CliRunner

from services.cli import make_app
from services.model.errors import FailureClass
from task_manager.routes import dead

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def failed(manager: Manager, *targets: str, **more) -> str:
    """A task in which all of these languages died."""
    manager.driver.broken = set(targets)
    task = manager.finished(items=[TEXT], targets=[*targets, "ko"], **more)
    assert task["state"] == "partial"
    return task["id"]


def listed(manager: Manager, **query):
    answer = manager.api.get("/v1/jobs/dead", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def retry(manager: Manager, **body):
    answer = manager.api.post("/v1/jobs/dead/retry", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_dead_job_tells_what_who_where_and_why(manager) -> None:
    task = failed(manager, "zh")

    answer = listed(manager)

    (job,) = answer["jobs"]
    assert answer["next"] is None
    assert job.pop("at")
    assert job.pop("id").startswith(task)
    assert job == {
        "task": task, "task_state": "partial", "stage": "translate",
        "queue": "translate.stub-nmt", "text_id": "1", "language": "zh", "source": "T",
        "part": 0, "attempts": 1, "failure": "permanent", "code": "engine_failed",
        "message": "The engine gave up.", "node": "node-1",
    }  # fmt: skip


def test_dead_jobs_are_paged_newest_first_and_filtered(manager) -> None:
    first, second = failed(manager, "zh", "ja"), failed(manager, "zh")
    manager.driver.unreadable = {"bad"}
    audio = manager.upload()
    third = manager.finished(items=[{"text_id": "bad", "audio": audio}], targets=["zh"])["id"]

    seen, cursor = [], None
    while True:
        page = listed(manager, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [job["task"] for job in page["jobs"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == [third, second, first, first]
    assert [job["task"] for job in listed(manager, code="bad_media")["jobs"]] == [third]
    assert [job["task"] for job in listed(manager, queue="prepare")["jobs"]] == [third]
    assert listed(manager, queue="prepare", code="engine_failed")["jobs"] == []


def test_named_tasks_are_run_again_and_what_succeeded_stays(manager) -> None:
    task, other = failed(manager, "zh"), failed(manager, "zh")
    manager.driver.broken = set()

    assert retry(manager, tasks=[task, task]) == {"retried": [task], "skipped": [], "next": None}

    assert manager.work(task)["state"] == "succeeded"
    assert [job["task"] for job in listed(manager)["jobs"]] == [other]
    store = manager.application.store
    assert {job.language: job.attempt for job in store.jobs_of_items(task, 0, 0)} == {
        "zh": 2,
        "ko": 1,
    }


def test_tasks_that_cannot_be_run_again_are_named_with_the_reason(manager) -> None:
    whole = manager.finished(items=[TEXT], targets=["zh"])["id"]
    deleted = failed(manager, "zh")
    manager.api.delete(f"/v1/tasks/{deleted}")
    under_way = manager.create(items=[TEXT], targets=["ja"])["id"]

    answer = retry(manager, tasks=[whole, deleted, under_way, "nobody"])

    assert answer["retried"] == []
    assert {each["task"]: each["code"] for each in answer["skipped"]} == {
        whole: "nothing_to_retry", deleted: "gone", under_way: "not_terminal",
        "nobody": "not_found",
    }  # fmt: skip
    assert listed(manager)["jobs"] == []


def test_all_that_the_filters_leave_is_run_again(manager) -> None:
    tasks = [failed(manager, "zh"), failed(manager, "ja")]
    manager.driver.unreadable = {"bad"}
    audio = manager.upload()
    other = manager.finished(items=[{"text_id": "bad", "audio": audio}], targets=["zh"])["id"]
    manager.driver.broken = set()

    answer = retry(manager, all=True, code="engine_failed")

    assert sorted(answer["retried"]) == sorted(tasks)
    assert [manager.work(task)["state"] for task in tasks] == ["succeeded"] * 2
    assert [job["task"] for job in listed(manager)["jobs"]] == [other]


def test_a_retry_of_all_is_bounded_and_says_how_to_go_on(manager, monkeypatch) -> None:
    monkeypatch.setattr(dead, "PAGE", 2)
    tasks = [failed(manager, "zh", "ja") for _ in range(3)]
    manager.driver.broken = set()

    answers = [retry(manager, all=True)]
    while answers[-1]["next"]:
        answers.append(retry(manager, all=True, cursor=answers[-1]["next"]))

    assert [answer["retried"] for answer in answers] == [[tasks[2]], [tasks[1]], [tasks[0]]]


def test_a_job_whose_task_still_runs_is_listed_and_left_alone(manager) -> None:
    manager.driver.broken = {"zh"}
    task = manager.create(items=[TEXT], targets=["zh", "ja"])["id"]
    while not listed(manager)["jobs"]:
        manager.driver.step()

    assert [job["task_state"] for job in listed(manager)["jobs"]] == ["running"]
    assert retry(manager, all=True)["skipped"] == [{"task": task, "code": "not_terminal"}]
    manager.work(task)


def test_what_ran_out_of_retries_is_dead_with_its_last_reason(start) -> None:
    manager = start(retry_scale=0.001)
    manager.driver.failure = FailureClass.INTERNAL
    failed(manager, "zh")
    (job,) = listed(manager)["jobs"]
    assert (job["failure"], job["attempts"]) == ("internal", 2)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "required", "tasks"),
        ({"tasks": ["a"], "all": True}, "required", "tasks"),
        ({"all": False}, "not_one_of", "all"),
        ({"all": True, "cursor": "x"}, "bad_cursor", "cursor"),
        ({"tasks": ["a"] * 201}, "too_long", "tasks"),
        ({"queues": "a"}, "unknown_field", "queues"),
    ],
)
def test_an_unclear_wish_is_refused(shared, body, code: str, field: str) -> None:
    answer = shared.api.post("/v1/jobs/dead/retry", json=body)
    assert error_of(answer) == (422, code, field)


def test_dead_jobs_want_the_key(start) -> None:
    manager = start(api_key="k", callback_secret="s")
    del manager.api.headers["authorization"]
    assert error_of(manager.api.get("/v1/jobs/dead"))[:2] == (401, "unauthenticated")
    answer = manager.api.post("/v1/jobs/dead/retry", json={"all": True})
    assert error_of(answer)[:2] == (401, "unauthenticated")


# ── the command line ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fanscribe(manager, monkeypatch):
    """Runs the command against the manager; its output, which must be of a success."""
    monkeypatch.setenv("FANSCRIBE_URL", manager.url)
    monkeypatch.delenv("FANSCRIBE_API_KEY", raising=False)
    app = make_app()

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_the_command_line_lists_dead_jobs_and_has_them_run_again(manager, fanscribe) -> None:
    task, other = failed(manager, "zh"), failed(manager, "ja")
    manager.driver.broken = set()

    (newest, _) = json.loads(fanscribe("dead", "--json"))
    assert (newest["task"], newest["code"]) == (other, "engine_failed")
    assert "engine_failed" in fanscribe("dead")
    assert task in fanscribe("dead", "retry", task)
    assert manager.work(task)["state"] == "succeeded"

    assert json.loads(fanscribe("dead", "--queue", "prepare", "retry", "--all", "--json")) == {
        "retried": [], "skipped": [], "next": None,
    }  # fmt: skip
    answer = json.loads(fanscribe("dead", "retry", "--all", "--code", "engine_failed", "--json"))
    assert answer["retried"] == [other]
    assert manager.work(other)["state"] == "succeeded"
    assert json.loads(fanscribe("dead", "--json")) == []
    assert "Name the tasks" in fanscribe("dead", "retry", code=2)


@pytest.mark.parametrize("filters", [{"queue": "q"}, {"code": "c"}])
def test_named_tasks_are_not_chosen_among_by_queue_or_code(manager, filters) -> None:
    task = failed(manager, "zh")

    answer = manager.api.post("/v1/jobs/dead/retry", json={"tasks": [task], **filters})

    assert error_of(answer)[:2] == (422, "contradiction")
    assert manager.task(task)["state"] == "partial"
