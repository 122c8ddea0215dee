"""Webhooks through the API: made, changed, told of tasks, and sent to a real receiver."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running_manager import Manager, error_of
from standardwebhooks.webhooks import WebhookVerificationError

from benchmarks.faults.receiver import PATIENCE_S, Received, Receiver, receiving, status
from services.model.webhook import secret_of

TEXT = {"text_id": "文本编号1", "text": "Good morning.", "language": "en"}
PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
QUICK = {"private_networks": "127.0.0.1/32", "tick_every_s": 0.05, "retry_scale": 1e-5}
MINE = secret_of(b"m" * 24)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def quick(start: Callable[..., Manager]) -> Manager:
    """A manager that may tell this machine, and whose schedule of 27 hours takes a second."""
    return start(**QUICK)


def made(manager: Manager, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = manager.api.post("/v1/webhooks", json={"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def log_of(manager: Manager, path: str, state: str, count: int = 1) -> list[dict[str, Any]]:
    """The log, once so many of its lines are in this state."""
    end = time.monotonic() + PATIENCE_S
    while True:
        lines = manager.api.get(f"{path}/deliveries").json()["deliveries"]
        if sum(line["state"] == state for line in lines) == count:
            return lines
        assert time.monotonic() < end, lines
        time.sleep(0.01)


def told(receiver: Receiver, count: int, event: str) -> list[Received]:
    return [each for each in receiver.wait(count) if each.event == event]


def shown_on_the_page(event: str) -> dict[str, Any]:
    """The example of docs/webhooks.md."""
    blocks = re.findall(r"^```json\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return {each["type"]: each["data"] for each in map(json.loads, blocks)}[event]


# ── what is told ─────────────────────────────────────────────────────────────────────────────


def test_everything_that_happens_to_a_task_is_told_and_signed(
    quick: Manager, receiver: Receiver
) -> None:
    hook = made(quick, receiver)
    audio = quick.upload(name="1.mp3")

    task = quick.finished(items=[{"audio": audio}, TEXT], targets=["zh", "en"], metadata={"a": 1})

    found = receiver.wait(4)
    assert sorted(each.event for each in found) == [
        "item.transcribed", "language.completed", "language.completed", "task.succeeded",
    ]  # fmt: skip
    for each in found:
        verified = each.verified(hook["secret"])
        assert verified["data"]["task_id"] == task["id"]
        assert verified["data"]["metadata"] == {"a": 1}
        assert each.headers["webhook-id"].startswith("msg_")
        with pytest.raises(WebhookVerificationError):
            each.verified(MINE)
    (end,) = [each.data for each in found if each.event == "task.succeeded"]
    assert (end["state"], end["targets"], end["counts"]["cells_done"]) == (
        "succeeded", ["zh", "en"], 4,
    )  # fmt: skip
    assert {each.data["language"] for each in found if each.event == "language.completed"} == {
        "zh", "en",
    }  # fmt: skip
    assert "result" not in end
    for each in found:
        assert set(each.data) == set(shown_on_the_page(each.event)), each.event
    log_of(quick, f"/v1/webhooks/{hook['id']}", "delivered", count=4)
    metrics = quick.api.get("/metrics").text
    assert 'fanscribe_deliveries_total{outcome="delivered"} 4.0' in metrics


def test_a_full_payload_holds_the_texts(quick: Manager, receiver: Receiver) -> None:
    made(quick, receiver, payload="full")
    audio = quick.upload(name="1.mp3")

    task = quick.finished(
        items=[{"audio": audio}], targets=["jp"], options={"language_spelling": "caller"}
    )

    found = {each.event: each.data for each in receiver.wait(3)}
    cells = {"1": {"A": "[ja] Heard 1."}}
    assert found["item.transcribed"]["text"] == "Heard 1."
    assert found["language.completed"]["result"] == {"jp": cells}
    assert found["task.succeeded"]["result"] == {"jp": cells}
    served = quick.api.get(f"/v1/tasks/{task['id']}/result?form=expanded").json()
    assert found["task.succeeded"]["result"] == served


def test_what_fails_is_told_and_told_again_after_a_retry(
    quick: Manager, receiver: Receiver
) -> None:
    made(quick, receiver, events=["job.dead", "task.partial", "task.failed", "task.succeeded"])
    quick.driver.broken = {"zh"}

    task = quick.finished(items=[TEXT], targets=["zh", "ja"])
    dead, partial = sorted(receiver.wait(2), key=lambda each: each.event)
    quick.api.post(f"/v1/tasks/{task['id']}/retry")
    quick.work(task["id"])
    receiver.wait(4)
    quick.driver.broken = set()
    quick.api.post(f"/v1/tasks/{task['id']}/retry")
    quick.work(task["id"])

    found = receiver.wait(5)
    assert (dead.event, partial.event) == ("job.dead", "task.partial")
    assert (dead.data["code"], dead.data["language"], dead.data["attempts"]) == (
        "engine_failed", "zh", 1,
    )  # fmt: skip
    assert sorted(each.event for each in found) == [
        "job.dead", "job.dead", "task.partial", "task.partial", "task.succeeded",
    ]  # fmt: skip
    assert len({each.id for each in found}) == 5
    assert set(dead.data) == set(shown_on_the_page("job.dead"))
    assert set(partial.data) == set(shown_on_the_page("task.succeeded"))


def test_a_task_brings_its_own_url_with_a_secret_of_its_own(
    quick: Manager, receiver: Receiver
) -> None:
    hook = {"url": receiver.url, "events": ["task.cancelled"], "secret": MINE}

    task = quick.create(items=[TEXT], targets=["zh"], webhook=hook)
    quick.api.post(f"/v1/tasks/{task['id']}/cancel")

    (end,) = receiver.wait(1)
    assert end.event == "task.cancelled"
    assert end.verified(MINE)["data"]["state"] == "cancelled"
    assert task["webhook_secret"] is None
    (line,) = log_of(quick, f"/v1/tasks/{task['id']}", "delivered")
    assert (line["url"], line["webhook"], line["event"]) == (receiver.url, None, "task.cancelled")


def test_the_secret_that_a_task_was_given_is_shown_to_who_asked_for_it(
    quick: Manager, receiver: Receiver
) -> None:
    body = {"items": [TEXT], "targets": ["zh"], "webhook": {"url": receiver.url}}
    headers = {"Idempotency-Key": "k"}

    task = quick.create(headers=headers, **body)
    again = quick.create(headers=headers, **body)
    other = quick.api.post(
        "/v1/tasks", headers=headers, json={**body, "webhook": {"url": receiver.url + "/other"}}
    )
    quick.work(task["id"])

    assert (task["id"], task["webhook_secret"]) == (again["id"], again["webhook_secret"])
    assert error_of(other)[:2] == (409, "idempotency_mismatch")
    assert "webhook_secret" not in quick.task(task["id"])
    for each in receiver.wait(2):
        each.verified(task["webhook_secret"])


def test_a_form_names_a_webhook_too(quick: Manager, receiver: Receiver) -> None:
    form = {
        "targets": "zh", "language": "en", "texts": '{"1": "Hello."}',
        "webhook": f'{{"url": "{receiver.url}", "events": ["task.succeeded"]}}',
    }  # fmt: skip
    answer = quick.api.post("/v1/tasks", files={name: (None, text) for name, text in form.items()})
    quick.work(answer.json()["id"])

    (end,) = receiver.wait(1)
    assert end.verified(answer.json()["webhook_secret"])["type"] == "task.succeeded"


def test_tasks_of_others_are_not_told(quick: Manager, receiver: Receiver) -> None:
    hook = made(quick, receiver)
    store = quick.application.store
    store.change_endpoint(hook["id"], 0, {"owner": "somebody else"})
    quick.application.pipeline.ports.listeners.forget("local")

    quick.finished(items=[TEXT], targets=["zh"], webhook={"url": receiver.url + "/mine"})

    assert {each.path for each in receiver.wait(2)} == {"/hook/mine"}
    assert error_of(quick.api.get(f"/v1/webhooks/{hook['id']}"))[:2] == (404, "not_found")
    assert quick.api.get("/v1/webhooks").json() == {"webhooks": []}


# ── how it is sent ───────────────────────────────────────────────────────────────────────────


def test_a_delivery_is_tried_eight_times_with_one_id_and_can_be_replayed(
    quick: Manager, receiver: Receiver
) -> None:
    hook = made(quick, receiver)
    receiver.script = [status(code) for code in (500, 302, 404, 429, 502, 503, 504, 500)]

    quick.api.post(f"/v1/webhooks/{hook['id']}/ping")

    path = f"/v1/webhooks/{hook['id']}"
    (line,) = log_of(quick, path, "dead")
    assert [each["status"] for each in line["attempts"]] == [
        500, 302, 404, 429, 502, 503, 504, 500,
    ]  # fmt: skip
    assert {each.id for each in receiver.received} == {line["id"]}
    assert len(receiver.received) == 8
    assert len({each.body for each in receiver.received}) == 1
    assert line["next_attempt_at"] is None

    again = quick.api.post(f"{path}/deliveries/{line['id']}/replay")

    assert (again.status_code, again.json()["state"]) == (202, "pending")
    (line,) = log_of(quick, path, "delivered")
    assert receiver.received[8].id == line["id"]
    assert receiver.received[8].verified(hook["secret"])["type"] == "webhook.ping"


def test_410_disables_the_webhook_until_it_is_enabled_again(
    quick: Manager, receiver: Receiver
) -> None:
    hook = made(quick, receiver, events=["task.succeeded"])
    path = f"/v1/webhooks/{hook['id']}"
    receiver.script = [status(410)]

    quick.finished(items=[TEXT], targets=["zh"])
    (line,) = log_of(quick, path, "dead")
    quick.finished(items=[TEXT], targets=["zh"])

    seen = quick.api.get(path).json()
    assert (seen["enabled"], seen["disabled_reason"]) == (
        False, "The receiver answered 410 Gone.",
    )  # fmt: skip
    assert len(receiver.received) == 1
    assert error_of(quick.api.post(f"{path}/ping"))[:2] == (409, "webhook_disabled")

    quick.api.patch(path, json={"enabled": True})
    replayed = quick.api.post(f"{path}/replay").json()

    assert replayed == {"replayed": 1, "more": False}
    log_of(quick, path, "delivered")
    assert [each.id for each in receiver.received] == [line["id"]] * 2


def test_what_is_pending_for_a_webhook_that_is_deleted_is_given_up(
    quick: Manager, receiver: Receiver
) -> None:
    hook = made(quick, receiver, events=["task.succeeded"])
    receiver.script = [status(503, Retry_After="1")]
    task = quick.finished(items=[TEXT], targets=["zh"])
    receiver.wait(1)

    gone = quick.api.delete(f"/v1/webhooks/{hook['id']}")

    assert gone.status_code == 204
    (line,) = log_of(quick, f"/v1/tasks/{task['id']}", "dead")
    assert line["attempts"][-1]["error"] == "The webhook was deleted."
    assert len(receiver.received) == 1


def test_a_retry_after_is_heeded(quick: Manager, receiver: Receiver) -> None:
    hook = made(quick, receiver)
    receiver.script = [status(429, Retry_After="3600")]

    quick.api.post(f"/v1/webhooks/{hook['id']}/ping")
    receiver.wait(1)

    end = time.monotonic() + PATIENCE_S
    while not (line := log_of(quick, f"/v1/webhooks/{hook['id']}", "pending")[0])["attempts"]:
        assert time.monotonic() < end
    store = quick.application.store
    wait = store.delivery(line["id"]).due - store.now()
    assert 3500 < wait <= 3600


def test_while_a_secret_is_replaced_both_sign(quick: Manager, receiver: Receiver) -> None:
    hook = made(quick, receiver, secret=MINE)
    path = f"/v1/webhooks/{hook['id']}"

    new = quick.api.post(f"{path}/rotate", json={}).json()
    quick.api.post(f"{path}/ping")
    (both,) = receiver.wait(1)
    last = quick.api.post(f"{path}/rotate", json={"keep_old_s": 0}).json()
    quick.api.post(f"{path}/ping")
    one = receiver.wait(2)[1]

    assert both.headers["webhook-signature"].count("v1,") == 2
    both.verified(MINE)
    both.verified(new["secret"])
    assert new["old_secret_until"] is not None
    assert last["old_secret_until"] is None
    one.verified(last["secret"])
    with pytest.raises(WebhookVerificationError):
        one.verified(new["secret"])
    assert "secret" not in quick.api.get(path).json()


def test_a_receiver_that_stands_still_holds_up_no_other(quick: Manager, receiver: Receiver) -> None:
    with receiving() as slow:
        go_on = threading.Event()
        slow.script = [lambda handler: (go_on.wait(PATIENCE_S), status(204)(handler))[0]] * 9
        made(quick, slow)
        made(quick, receiver)

        quick.finished(items=[TEXT], targets=["zh", "ja", "de"])

        assert len(receiver.wait(4)) == 4
        go_on.set()
        slow.wait(4)
        assert max(slow.at_once.values()) == 1


# ── what is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "required", "url"),
        ({"url": "http://127.0.0.1/"}, "url_not_allowed", "url"),
        ({"url": "http://localhost/"}, "url_not_allowed", "url"),
        ({"url": "ftp://example.com/"}, "url_not_allowed", "url"),
        ({"url": "https://example.com/", "secret": "short"}, "bad_secret", "secret"),
        ({"url": "https://example.com/", "events": ["all"]}, "not_one_of", "events.0"),
        ({"url": "https://example.com/", "payload": "fat"}, "not_one_of", "payload"),
        ({"url": "https://example.com/", "speed": 1}, "unknown_field", "speed"),
    ],
)
def test_a_bad_webhook_is_refused(
    shared: Manager, body: dict[str, Any], code: str, field: str
) -> None:
    assert error_of(shared.api.post("/v1/webhooks", json=body)) == (422, code, field)


def test_a_bad_webhook_of_a_task_is_refused(shared: Manager) -> None:
    task = {"items": [TEXT], "targets": ["zh"]}

    assert shared.refused(**task, webhook={"url": "http://10.0.0.1/"}) == (
        422, "url_not_allowed", "webhook.url",
    )  # fmt: skip
    assert shared.refused(**task, webhook={"url": "https://example.com", "secret": "x"}) == (
        422, "bad_secret", "webhook.secret",
    )  # fmt: skip


def test_a_webhook_is_changed_in_what_is_named_only(quick: Manager, receiver: Receiver) -> None:
    hook = made(quick, receiver, description="mine")
    path = f"/v1/webhooks/{hook['id']}"

    changed = quick.api.patch(path, json={"events": ["job.dead"], "payload": "full"}).json()

    del hook["secret"]
    assert changed == {**hook, "events": ["job.dead"], "payload": "full"}
    assert quick.api.get("/v1/webhooks").json() == {"webhooks": [changed]}
    assert quick.api.patch(path, json={"url": "http://10.0.0.1/"}).status_code == 422


def test_no_more_than_fifty_webhooks_are_kept(start: Callable[..., Manager]) -> None:
    manager = start(**QUICK)
    body = {"url": "http://127.0.0.1:1/"}
    for _ in range(50):
        assert manager.api.post("/v1/webhooks", json=body).status_code == 201

    assert error_of(manager.api.post("/v1/webhooks", json=body))[:2] == (409, "too_many_webhooks")


def test_the_log_of_a_webhook_is_paged(quick: Manager, receiver: Receiver) -> None:
    hook = made(quick, receiver)
    path = f"/v1/webhooks/{hook['id']}/deliveries"
    sent = [quick.api.post(f"/v1/webhooks/{hook['id']}/ping").json()["id"] for _ in range(3)]

    first = quick.api.get(path, params={"limit": 2}).json()
    second = quick.api.get(path, params={"limit": 2, "cursor": first["next"]}).json()

    shown = [line["id"] for line in first["deliveries"] + second["deliveries"]]
    assert sorted(shown) == sorted(sent)
    assert second["next"] is None
    assert error_of(quick.api.post(f"{path}/msg_nobody/replay"))[:2] == (404, "not_found")
