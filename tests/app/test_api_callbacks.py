"""The listener of the workers: signed calls, signed URLs, and nothing else."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from running_manager import error_of

from services import signing
from services.model.messages import NodeBeat, Progress, Register

SECRET = "a secret of the tests"
HELLO = Register(
    node="n", kind="whisper", host="h", pid=1, queues=[], models=[], slots=1, version="0"
).model_dump_json()


def call(manager, name: str, body: str, *, secret: str = "", shift: float = 0.0, **headers):
    signed = signing.sign(secret, message_id="m", at=time.time() + shift, body=body)
    sent = {**signed, "content-type": "application/json", **headers}
    return httpx.post(f"{manager.workers_url}/callbacks/v1/{name}", content=body, headers=sent)


def test_a_signed_call_is_answered_with_the_managers_time(start) -> None:
    manager = start(callback_secret=SECRET, api_key="k")
    answer = call(manager, "register", HELLO, secret=SECRET)
    assert answer.status_code == 200
    assert abs(answer.json()["now"] - time.time()) < 60


@pytest.mark.parametrize("wrong", [{"secret": "other"}, {"secret": SECRET, "shift": 4000.0}])
def test_a_wrong_or_old_signature_is_401_and_tells_the_time(start, wrong) -> None:
    manager = start(callback_secret=SECRET, api_key="k")
    answer = call(manager, "register", HELLO, **wrong)
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "now"}
    assert answer.json()["code"] == "bad_signature"
    assert abs(answer.json()["now"] - time.time()) < 60
    assert [node.id for node in manager.application.store.nodes()] == ["node-1"]


def test_no_signature_at_all_is_401_also_without_a_secret(shared) -> None:
    url = f"{shared.workers_url}/callbacks/v1/register"
    headers = {"content-type": "application/json"}
    assert httpx.post(url, content=HELLO, headers=headers).status_code == 401


def test_a_changed_body_is_401(shared) -> None:
    signed = signing.sign("", message_id="m", at=time.time(), body=HELLO)
    url = f"{shared.workers_url}/callbacks/v1/register"
    headers = {**signed, "content-type": "application/json"}
    answer = httpx.post(url, content=HELLO.replace('"n"', '"x"'), headers=headers)
    assert answer.status_code == 401


def test_a_node_that_is_not_known_is_asked_to_register(shared) -> None:
    answer = call(shared, "node-beat", NodeBeat(node="unknown").model_dump_json())
    assert error_of(answer)[:2] == (404, "unknown_node")


def test_a_callback_that_is_no_such_message_is_422(shared) -> None:
    body = json.dumps({**json.loads(HELLO), "more": 1})
    assert error_of(call(shared, "register", body)) == (422, "unknown_field", "more")


def test_progress_of_an_attempt_that_counts_no_more_is_409_and_of_an_unknown_job_410(
    manager,
) -> None:
    manager.create(items=[{"audio": manager.upload()}], targets=["zh"])
    token, grant = manager.driver.claim_stage("transcribe")
    told = Progress(token=token, job=grant.job, attempt=grant.attempt, number=1, fraction=0.1)
    assert call(manager, "progress", told.model_dump_json()).status_code == 200
    other = told.model_copy(update={"token": "x" * 32})
    assert call(manager, "progress", other.model_dump_json()).status_code == 409
    gone = told.model_copy(update={"job": "no/such/job"})
    assert call(manager, "progress", gone.model_dump_json()).status_code == 410


def test_the_public_listener_has_no_callbacks_and_the_other_no_tasks(shared) -> None:
    answer = shared.api.post("/callbacks/v1/register", content=HELLO)
    assert error_of(answer)[:2] == (404, "unknown_route")
    answer = httpx.get(f"{shared.workers_url}/v1/tasks")
    assert error_of(answer)[:2] == (404, "unknown_route")
    assert httpx.get(f"{shared.workers_url}/readyz").status_code == 200


def test_without_a_secret_the_workers_listener_serves_this_machine_alone(shared) -> None:
    answer = call(shared, "register", HELLO, host="evil.example")
    assert error_of(answer)[:2] == (403, "forbidden_host")


@pytest.fixture
def by_url(start):
    return start(objects_access="url", callback_secret=SECRET, api_key="k")


def signed_url(manager, method: str, key: str, expires_in: float = 60.0) -> str:
    expires = int(time.time() + expires_in)
    signature = signing.sign_url(SECRET, method=method, key=key, expires=expires)
    return f"{manager.workers_url}/objects/{key}?expires={expires}&signature={signature}"


def test_an_object_is_put_and_fetched_by_signed_urls(by_url) -> None:
    key = "tasks/t/jobs/transcribe/0/-/-/0/0/1/transcript"
    stored = httpx.put(signed_url(by_url, "PUT", key), content=b"x" * 300_000)
    assert stored.status_code == 201
    assert stored.json()["size"] == 300_000
    answer = httpx.get(signed_url(by_url, "GET", key))
    assert answer.content == b"x" * 300_000
    assert by_url.objects() == {key}


def test_a_signature_opens_one_object_for_one_method_for_its_time(by_url) -> None:
    key = "tasks/t/a"
    assert httpx.put(signed_url(by_url, "PUT", key), content=b"x").status_code == 201
    answer = httpx.get(signed_url(by_url, "PUT", key))
    assert error_of(answer)[:2] == (403, "bad_signature")
    answer = httpx.get(signed_url(by_url, "GET", key).replace("/a?", "/b?"))
    assert error_of(answer)[:2] == (403, "bad_signature")
    answer = httpx.get(signed_url(by_url, "GET", key, expires_in=-5))
    assert error_of(answer)[:2] == (403, "url_expired")
    answer = httpx.get(signed_url(by_url, "GET", "tasks/t/none"))
    assert error_of(answer)[:2] == (404, "object_missing")


def test_by_path_no_object_is_served(shared) -> None:
    answer = httpx.get(f"{shared.workers_url}/objects/x?expires=1&signature=x")
    assert error_of(answer)[:2] == (404, "unknown_route")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=7-99", 206, b"789"),
        ("bytes=99-", 200, b"0123456789"),
        ("bytes=-3", 200, b"0123456789"),
        ("pages=1-2", 200, b"0123456789"),
    ],
)
def test_a_range_of_an_object_is_served_alone(by_url, asked, status, content) -> None:
    httpx.put(signed_url(by_url, "PUT", "tasks/t/a"), content=b"0123456789")
    answer = httpx.get(signed_url(by_url, "GET", "tasks/t/a"), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, content)


def test_remembered_sentences_are_asked_for_and_told_by_signed_calls(manager) -> None:
    manager.create(items=[{"text_id": "1", "text": "Hello.", "language": "en"}], targets=["zh"])
    token, grant = manager.driver.claim_stage("translate")
    held = {"job": grant.job, "attempt": grant.attempt}
    made = json.dumps({"made": [{**held, "texts": {"a" * 64: "你好。"}}]})
    wanted = json.dumps({"token": token, "wanted": [{**held, "digests": ["a" * 64, "b" * 64]}]})

    assert call(manager, "translations/keep", made, secret="other").status_code == 401
    assert call(manager, "translations/keep", made).json() == {"count": 1}
    answer = call(manager, "translations/lookup", wanted)

    assert answer.json() == {"known": {grant.job: {"a" * 64: "你好。"}}}
    bad = json.dumps({"made": [{**held, "texts": {"no digest": "x"}}]})
    assert call(manager, "translations/keep", bad).status_code == 422
