"""What a task's page and the queues say of waiting, running and failing, and of when it ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.model.errors import FailureClass
from services.model.messages import Finish, Report
from services.model.speed import Speed
from services.model.stages import PartPlan, PrepareResult
from services.model.transcript import inline

TEXT = {"text_id": "1", "text": "x" * 150, "language": "en"}  # ten seconds' worth
QUEUE = "translate.stub-nmt"


@pytest.fixture
def measured(manager):
    """A manager whose one node was measured at a second of work for each second of audio."""
    store = manager.application.store
    lines = dict.fromkeys(("prepare", "transcribe.stub-whisper", QUEUE), Speed().seen(10.0, 10.0))
    store.add_speeds("node-1", lines)
    return manager


def queue_of(manager, name: str = QUEUE):
    queues = manager.api.get("/v1/queues").json()["queues"]
    return next(each for each in queues if each["queue"] == name)


def test_nothing_is_promised_before_anything_was_measured(manager) -> None:
    task = manager.task(manager.create(items=[TEXT], targets=["zh"])["id"])

    assert (task["position"], task["expected_seconds"], task["expected_at"]) == (0, None, None)
    queue = queue_of(manager)
    assert (queue["expected_seconds"], queue["seconds_per_size"]) == (None, None)


def test_a_task_knows_its_place_and_its_end(measured) -> None:
    for _ in range(8):
        measured.create(items=[TEXT], targets=["zh"])
    task = measured.task(measured.create(items=[TEXT], targets=["zh"])["id"])

    assert task["position"] == 8
    assert task["expected_seconds"] == pytest.approx(8 * 10 / 4 + 10, abs=1.0)  # on four slots
    assert datetime.fromisoformat(task["expected_at"]) > datetime.fromisoformat(task["created_at"])


def test_an_audio_is_promised_its_translations_too(measured) -> None:
    key = measured.upload(b"\0" * 160_000)
    body = {"items": [{"text_id": "1", "audio": key, "language": "en"}], "targets": ["zh", "ja"]}

    task = measured.task(measured.create(**body)["id"])

    assert task["expected_seconds"] == pytest.approx(3 * 10, abs=1.0)


def test_what_the_speech_model_writes_in_english_needs_no_translation_into_it(measured) -> None:
    item = {"text_id": "1", "audio": measured.upload(b"\0" * 160_000), "language": "de"}
    body = {"items": [item], "targets": ["en"], "options": {"task": "translate"}}

    task = measured.task(measured.create(**body)["id"])

    assert task["expected_seconds"] == pytest.approx(2 * 10, abs=1.0)


def test_an_urgent_task_stands_before_the_others(measured) -> None:
    for _ in range(8):
        measured.create(items=[TEXT], targets=["zh"])
    task = measured.create(items=[TEXT], targets=["zh"], priority="urgent")

    assert measured.task(task["id"])["position"] == 0


def test_an_ended_task_expects_nothing(measured) -> None:
    task = measured.finished(items=[TEXT], targets=["zh"])

    assert (task["position"], task["expected_seconds"], task["running"]) == (None, None, [])


def test_a_queue_tells_when_new_work_would_start(measured) -> None:
    assert queue_of(measured)["expected_seconds"] == 0.0
    for _ in range(8):
        measured.create(items=[TEXT], targets=["zh"])

    queue = queue_of(measured)

    assert (queue["expected_seconds"], queue["work_seconds"]) == (20.0, 80.0)
    assert queue["seconds_per_size"] == 1.0


def test_bulk_work_does_not_delay_what_is_normal(measured) -> None:
    for _ in range(8):
        measured.create(items=[TEXT], targets=["zh"], priority="bulk")

    queue = queue_of(measured)

    assert (queue["expected_seconds"], queue["work_seconds"]) == (0.0, 80.0)


def test_a_running_job_shows_its_node_and_its_limits(measured) -> None:
    created = measured.create(items=[TEXT], targets=["zh"])
    measured.driver.claim_next()

    task = measured.task(created["id"])

    (running,) = task["running"]
    assert running | {"started_at": "then"} == {
        "stage": "translate",
        "text_id": "1",
        "language": "zh",
        "source": "T",
        "part": 0,
        "attempt": 1,
        "node": "node-1",
        "started_at": "then",
        "progress": 0.0,
        "expected_seconds": 10.0,
        "soft_limit_s": 200.0,
        "hard_limit_s": 300.0,
    }
    assert task["position"] is None
    assert task["expected_seconds"] == pytest.approx(10.0, abs=1.0)


def test_every_try_that_failed_has_a_line_of_its_own(start) -> None:
    manager = start(retry_scale=1e-6)
    manager.driver.broken = {"zh"}
    manager.driver.failure = FailureClass.SERVICE_UNAVAILABLE

    task = manager.finished(items=[TEXT], targets=["zh"])

    assert [line["attempt"] for line in task["attempts"]] == [1, 2, 3]
    assert {line["attempts"] for line in task["attempts"]} == {3}
    assert [line["dead"] for line in task["attempts"]] == [False, False, True]
    assert [line["next_attempt_at"] for line in task["attempts"]] == [None] * 3
    assert {line["node"] for line in task["attempts"]} == {"node-1"}
    for line in task["attempts"]:
        began, failed = (datetime.fromisoformat(line[name]) for name in ("started_at", "at"))
        assert timedelta(0) <= failed - began < timedelta(minutes=1)


def test_a_job_that_waits_says_when_it_is_tried_again(manager) -> None:
    manager.driver.broken = {"zh"}
    manager.driver.failure = FailureClass.SERVICE_UNAVAILABLE
    created = manager.create(items=[TEXT], targets=["zh"])
    manager.driver.step()

    (line,) = manager.task(created["id"])["attempts"]

    wait = datetime.fromisoformat(line["next_attempt_at"]) - datetime.fromisoformat(line["at"])
    assert timedelta(minutes=5) <= wait < timedelta(minutes=6)
    assert (line["attempt"], line["dead"]) == (1, False)


def test_a_long_audio_whose_language_is_being_told_is_still_to_be_written_down(measured) -> None:
    store = measured.application.store
    created = measured.create(items=[{"text_id": "1", "audio": measured.upload()}], targets=["zh"])
    token, grant = measured.driver.claim_next()[0], store.running_in("prepare", 1)[0]
    whole = PartPlan(start=0, end=960_000, speech=[(0, 960_000)])
    result = PrepareResult(pcm=inline(""), seconds=120.0, parts=[whole, whole])
    report = Report(job=grant.id, attempt=1, result=result)
    measured.driver.callbacks.finish(Finish(token=token, node="node-1", reports=[report]))

    task = measured.task(created["id"])

    detecting = 60.0
    assert task["expected_seconds"] == pytest.approx((detecting + 120) / 3 + 180 / 3, rel=0.2)
