"""Callers who wait: they come again, they leave, many wait at once, and the manager may stop."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator

import httpx
import openai
import pytest
from asking import AUDIO, answered, drive_until, kinds, sdk, soon, tasks_of, waiting
from running_manager import PATIENCE_S, Manager

from task_manager import open_requests
from task_manager.dictation import first

URL = "/v1/audio/transcriptions"
FORM = {"files": {"file": AUDIO}, "data": {"model": "whisper-1"}}


@contextlib.contextmanager
def leaving(manager: Manager, headers: dict[str, str] | None = None, **more) -> Iterator[None]:
    """A caller who sends the request, and hangs up at the end of the block."""
    request = httpx.Request(
        "POST", manager.url, files=FORM["files"], data={**FORM["data"], **more}, headers=headers
    )
    connection = http.client.HTTPConnection(manager.url.removeprefix("http://"))
    connection.request("POST", URL, body=request.read(), headers=dict(request.headers))
    yield
    connection.close()


def the_task(manager: Manager):
    return soon(lambda: tasks_of(manager))[0]


def state(manager: Manager, task_id: str) -> str:
    return manager.application.store.task(task_id).state


@pytest.mark.parametrize("stream", ["false", "true"])
def test_the_work_is_cancelled_when_its_caller_hangs_up(manager: Manager, stream: str) -> None:
    with leaving(manager, model="stub-whisper", stream=stream):
        task = the_task(manager)
        token, grant = manager.driver.claim_stage("transcribe")
    soon(lambda: manager.driver.tell(token, grant, 1, ["Words."]) == "cancelled")
    assert manager.driver.finish(token, grant) == 410
    assert soon(lambda: state(manager, task.id) == "cancelled")


def test_a_request_that_times_out_and_is_sent_again_is_computed_once(manager: Manager) -> None:
    with sdk(manager, max_retries=2, timeout=1.0) as client:
        ask = client.audio.transcriptions.create
        with waiting(lambda: ask(file=AUDIO, model="whisper-1")) as asked:
            task = the_task(manager)
            soon(lambda: "asked" in kinds(manager, task.id))
            drive_until(manager, asked.done)
            assert asked.result(0).text == "Heard talk."
    (task,) = tasks_of(manager)
    assert task.state == "succeeded"


def test_a_client_that_retries_is_awaited_for_a_while_and_no_longer(
    manager: Manager, monkeypatch
) -> None:
    monkeypatch.setattr(open_requests, "RETURN_S", 0.5)
    with leaving(manager, headers={"x-stainless-retry-count": "0"}):
        task = the_task(manager)
    soon(lambda: "left" in kinds(manager, task.id))
    assert soon(lambda: state(manager, task.id) == "cancelled")


def test_one_who_leaves_does_not_take_the_work_of_another(manager: Manager) -> None:
    with waiting(lambda: manager.api.post(URL, **FORM)) as asked:
        task = the_task(manager)
        with leaving(manager):
            soon(lambda: "asked" in kinds(manager, task.id))
        soon(lambda: "left" in kinds(manager, task.id))
        drive_until(manager, asked.done)
    assert asked.result(0).json()["text"] == "Heard talk."
    assert len(tasks_of(manager)) == 1


def test_the_same_request_is_answered_by_the_same_task_until_a_key_asks_for_another(
    manager: Manager,
) -> None:
    def ask(key: str | None = None) -> str:
        headers = {"idempotency-key": key} if key else {}
        answer = answered(manager, lambda: manager.api.post(URL, **FORM, headers=headers))
        assert answer.status_code == 200, answer.text
        return answer.headers["x-fanscribe-task"]

    assert ask() == ask()
    assert ask("one") == ask("one") != ask()
    stored = manager.objects()
    ask()
    assert manager.objects() == stored


def test_a_key_that_belongs_to_another_audio_is_refused_and_not_tried_again(
    manager: Manager,
) -> None:
    with sdk(manager, max_retries=2) as client:
        ask = client.audio.transcriptions.create
        key = {"Idempotency-Key": "k"}
        answered(manager, lambda: ask(file=AUDIO, model="whisper-1", extra_headers=key))
        with pytest.raises(openai.ConflictError) as refused:
            ask(file=("b.wav", b"other"), model="whisper-1", extra_headers=key)
    assert refused.value.code == "idempotency_mismatch"


def test_what_came_to_nothing_is_done_anew_when_it_is_asked_for_again(manager: Manager) -> None:
    manager.driver.unreadable = {"talk"}
    for _ in range(3):
        answer = answered(manager, lambda: manager.api.post(URL, **FORM))
        assert answer.json()["error"]["code"] == "bad_media"
    manager.driver.unreadable = set()
    answer = answered(manager, lambda: manager.api.post(URL, **FORM))
    assert answer.json()["text"] == "Heard talk."
    states = [task.state.value for task in tasks_of(manager)]
    assert states == ["succeeded", "failed", "failed", "failed"]


def test_a_task_that_is_cancelled_or_deleted_under_its_caller_is_told(manager: Manager) -> None:
    with sdk(manager, max_retries=2) as client:
        ask = client.audio.transcriptions.create
        with waiting(lambda: ask(file=AUDIO, model="whisper-1")) as asked:
            manager.api.post(f"/v1/tasks/{the_task(manager).id}/cancel").raise_for_status()
            with pytest.raises(openai.ConflictError) as refused:
                asked.result(PATIENCE_S)
    assert refused.value.code == "task_cancelled"
    with waiting(lambda: manager.api.post(URL, **FORM)) as asked:
        task = soon(lambda: [each for each in tasks_of(manager) if not each.state.ended])[0]
        manager.api.delete(f"/v1/tasks/{task.id}").raise_for_status()
        assert asked.result(PATIENCE_S).status_code == 410


def test_many_who_wait_hold_up_nobody(manager: Manager) -> None:
    """More than the threads that all other requests share."""
    sent = 60
    with contextlib.ExitStack() as stack:
        for number in range(sent):
            stack.enter_context(leaving(manager, prompt=str(number)))
        soon(lambda: len(tasks_of(manager)) == sent)
        for _ in range(20):
            assert manager.api.get("/v1/tasks", params={"limit": 1}).status_code == 200
        assert manager.api.get("/readyz").status_code == 200


def test_a_manager_that_stops_sends_its_callers_back_and_keeps_their_work(start) -> None:
    manager = start()
    with waiting(lambda: manager.api.post(URL, **FORM)) as asked:
        task = the_task(manager)
        manager.application.stopping.set()
        answer = asked.result(PATIENCE_S)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
    assert int(answer.headers["retry-after"]) > 0
    assert state(manager, task.id) in {"queued", "running"}


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 7, 8, 100])
def test_the_first_free_number_is_found_in_few_looks(taken: int) -> None:
    looked: list[int] = []

    def is_free(number: int) -> bool:
        looked.append(number)
        return number >= taken

    assert first(is_free) == taken
    assert len(looked) <= 15
