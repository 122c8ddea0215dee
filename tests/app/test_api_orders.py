"""Cancel, retry, delete, and the same request twice."""

from __future__ import annotations

import pytest
from running_manager import error_of

from services.model.errors import FailureClass

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def test_a_cancel_ends_a_waiting_task(shared) -> None:
    task = shared.create(items=[TEXT], targets=["zh"])
    answer = shared.api.post(f"/v1/tasks/{task['id']}/cancel")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["cancel_requested"]) == ("cancelled", True)
    items = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    cell = items[0]["cells"]["zh"]["T"]
    assert (cell["state"], cell["error"]) == ("cancelled", None)


def test_a_running_worker_hears_of_the_cancel_at_its_next_word(manager) -> None:
    task = manager.create(items=[{"audio": manager.upload()}], targets=["zh"])
    token, grant = manager.driver.claim_stage("transcribe")
    assert manager.driver.tell(token, grant, 1, ["So far."]) == "held"
    manager.api.post(f"/v1/tasks/{task['id']}/cancel")
    assert manager.driver.tell(token, grant, 2, ["And more."]) == "cancelled"
    assert manager.driver.finish(token, grant) == 410
    assert manager.task(task["id"])["state"] == "cancelled"


def test_a_cancel_keeps_what_is_done(manager) -> None:
    task = manager.create(items=[TEXT], targets=["en", "zh"])
    manager.api.post(f"/v1/tasks/{task['id']}/cancel")
    answer = manager.api.get(f"/v1/tasks/{task['id']}/result", params={"form": "coded"}).json()
    assert (answer["complete"], answer["missing"]) == (False, [[1, "1", "T"]])
    assert answer["data"] == {"2": {"1": {"T": "Hello."}}, "1": {}}


def test_a_cancel_of_a_finished_task_is_409(shared) -> None:
    task = shared.finished(items=[TEXT], targets=["zh"])
    answer = shared.api.post(f"/v1/tasks/{task['id']}/cancel")
    assert error_of(answer)[:2] == (409, "already_finished")


def test_a_retry_runs_only_what_failed(manager) -> None:
    manager.driver.broken = {"de"}
    task = manager.finished(items=[TEXT], targets=["zh", "de"])
    assert task["state"] == "partial"
    manager.driver.broken = set()
    answer = manager.api.post(f"/v1/tasks/{task['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    task = manager.work(task["id"])
    assert task["state"] == "succeeded"
    assert manager.api.get(f"/v1/tasks/{task['id']}/result").json()["de"]["1"]["T"] == "[de] Hello."
    made = manager.application.store.jobs_of_items(task["id"], 0, 0)
    assert {job.language: job.attempt for job in made} == {"zh": 1, "de": 2}


def test_a_retry_before_the_end_or_of_nothing_failed_is_409(shared) -> None:
    task = shared.create(items=[TEXT], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/retry"
    assert error_of(shared.api.post(url))[:2] == (409, "not_terminal")
    shared.work(task["id"])
    assert error_of(shared.api.post(url))[:2] == (409, "nothing_to_retry")


def test_a_deleted_task_is_gone_with_its_media(manager) -> None:
    files = [("files", ("1.wav", b"RIFF")), ("targets", (None, "zh"))]
    by_form = manager.api.post("/v1/tasks", files=files).json()["id"]
    by_key = manager.create(items=[{"audio": manager.upload()}], targets=["zh"])["id"]
    assert manager.objects()
    for task_id in (by_form, by_key):
        manager.work(task_id)
        answer = manager.api.delete(f"/v1/tasks/{task_id}")
        assert (answer.status_code, answer.content) == (204, b"")
        base = f"/v1/tasks/{task_id}"
        for path in ("", "/items", "/result", "/items/1/transcript", "/events"):
            assert error_of(manager.api.get(base + path))[:2] == (410, "gone"), path
        assert error_of(manager.api.post(f"{base}/cancel"))[:2] == (410, "gone")
        assert error_of(manager.api.delete(base))[:2] == (410, "gone")
    assert not [key for key in manager.objects() if key.startswith("tasks/")]
    assert manager.api.get("/v1/tasks").json()["tasks"] == []


def test_tasks_that_name_one_upload_do_not_take_it_from_each_other(manager) -> None:
    key = manager.upload()
    first = manager.finished(items=[{"audio": key}], targets=["zh"])
    second = manager.create(items=[{"audio": key}], targets=["zh"])
    manager.api.delete(f"/v1/tasks/{first['id']}")
    assert manager.work(second["id"])["state"] == "succeeded"


def test_a_delete_of_a_running_task_stops_its_worker(manager) -> None:
    task = manager.create(items=[{"audio": manager.upload()}], targets=["zh"])
    token, grant = manager.driver.claim_stage("transcribe")
    manager.api.delete(f"/v1/tasks/{task['id']}")
    assert manager.driver.tell(token, grant, 1, ["So far."]) == "cancelled"
    assert manager.driver.finish(token, grant) == 410


def test_the_same_key_and_request_make_one_task(shared) -> None:
    headers = {"idempotency-key": "one"}
    body = {"items": [TEXT], "targets": ["zh"], "metadata": {"a": 1}}
    first = shared.create(headers=headers, **body)
    assert shared.create(headers=headers, **body)["id"] == first["id"]
    spelt_out = {**body, "priority": "normal", "options": {"beam_size": 5}}
    assert shared.create(headers=headers, **spelt_out)["id"] == first["id"]
    assert shared.create(headers={"idempotency-key": "two"}, **body)["id"] != first["id"]


def test_the_same_key_with_another_body_is_409(shared) -> None:
    headers = {"idempotency-key": "three"}
    shared.create(headers=headers, items=[TEXT], targets=["zh"])
    body = {"items": [TEXT], "targets": ["ja"]}
    answer = shared.api.post("/v1/tasks", json=body, headers=headers)
    assert error_of(answer)[:2] == (409, "idempotency_mismatch")


def test_the_same_files_twice_are_one_task_and_lie_there_once(manager) -> None:
    def post(content: bytes):
        files = [("files", ("1.wav", content)), ("targets", (None, "zh"))]
        return manager.api.post("/v1/tasks", files=files, headers={"idempotency-key": "k"})

    first = post(b"RIFF").json()["id"]
    stored = manager.objects()
    assert post(b"RIFF").json()["id"] == first
    assert error_of(post(b"other"))[:2] == (409, "idempotency_mismatch")
    assert manager.objects() == stored


@pytest.mark.parametrize("key", ["", "x" * 256, "t\tab"])
def test_a_bad_idempotency_key_is_refused(shared, key) -> None:
    body = {"items": [TEXT], "targets": ["zh"]}
    answer = shared.api.post("/v1/tasks", json=body, headers={"idempotency-key": key})
    assert error_of(answer) == (422, "bad_idempotency_key", "Idempotency-Key")


def test_the_task_tells_what_failed_and_when_it_is_tried_again(manager) -> None:
    manager.driver.broken = {"de"}
    manager.driver.failure = FailureClass.SERVICE_UNAVAILABLE
    task = manager.create(items=[TEXT], targets=["de"])
    manager.driver.step()
    seen = manager.task(task["id"])
    (attempt,) = seen["attempts"]
    assert attempt["failure"] == "service_unavailable"
    assert (attempt["code"], attempt["stage"], attempt["language"]) == (
        "engine_failed", "translate", "de",
    )  # fmt: skip
    assert (attempt["attempts"], attempt["dead"]) == (1, False)
    assert attempt["next_attempt_at"] > attempt["at"]
    cell = manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"][0]["cells"]["de"]["T"]
    assert (cell["state"], cell["error"]["code"]) == ("waiting", "engine_failed")
    assert cell["error"]["next_attempt_at"] == attempt["next_attempt_at"]
