"""Too much is refused early and tells why; what was accepted, and the workers, do not notice."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest
from running_manager import PATIENCE_S, Manager, error_of

from services import signing
from services.model.errors import OutOfSpace, RequestRefused, TooMany, Unavailable
from services.model.messages import NodeBeat
from services.settings import Settings
from task_manager import admission, problems
from task_manager.store.protocol import StoreUnavailable

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}
TASK = {"items": [TEXT], "targets": ["zh"]}
FAR = 2**60
SECRET = "a secret of the tests"


@pytest.fixture
def full(monkeypatch):
    """No look lasts, so that what was accepted a moment ago counts."""
    monkeypatch.setattr("task_manager.fresh.FRESH_S", 0.0)


@pytest.mark.parametrize(
    ("settings", "status", "code"),
    [
        ({"min_free_bytes": FAR}, 507, "out_of_space"),
        ({"min_free_memory_bytes": FAR}, 503, "low_memory"),
    ],
)
def test_a_machine_without_room_takes_neither_tasks_nor_files(
    start, settings, status: int, code: str
) -> None:
    manager = start(**settings)
    for answer in (
        manager.api.post("/v1/tasks", json=TASK),
        manager.api.post("/v1/tasks", files={"files": ("1.wav", b"RIFF" * 100_000)}),
        manager.api.post("/v1/uploads", content=b"x" * 300_000),
    ):
        assert error_of(answer)[:2] == (status, code)
        assert int(answer.headers["retry-after"]) >= 10
        assert "nothing was taken" in answer.json()["error"]["message"]
    assert manager.objects() == set()
    assert manager.application.store.tasks(None, limit=1) == []
    counted = httpx.get(f"{manager.workers_url}/metrics").text
    assert f'fanscribe_refused_total{{code="{code}"}} 3.0' in counted


@pytest.mark.parametrize("refused", [TooMany, Unavailable, OutOfSpace, StoreUnavailable])
def test_whoever_may_come_again_is_told_when(refused: type[RequestRefused]) -> None:
    by_default = problems.refusal(refused("Not now."), "/v1/tasks")
    assert int(by_default.headers["retry-after"]) > 0
    stated = problems.refusal(refused("Not now.", retry_after_s=77), "/v1/audio/transcriptions")
    assert stated.headers["retry-after"] == "77"


def test_a_refusal_comes_before_the_body_is_read(start) -> None:
    """The caller has sent nothing but the head."""
    manager = start(min_free_memory_bytes=FAR)
    head = (
        "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000000\r\n"
        "Content-Type: audio/wav\r\nExpect: 100-continue\r\n\r\n"
    )
    with _connected(manager.url) as caller:
        caller.sendall(head.encode())
        assert caller.recv(20).startswith(b"HTTP/1.1 503")


def test_a_full_queue_takes_no_more_until_it_has_room(full, start) -> None:
    manager = start(max_waiting_jobs=2)
    first = manager.create(items=[TEXT], targets=["zh", "ja"])

    refused = manager.api.post("/v1/tasks", json=TASK)
    assert error_of(refused)[:2] == (503, "queue_full")
    assert int(refused.headers["retry-after"]) >= 10

    assert manager.work(first["id"])["state"] == "succeeded"
    assert manager.work(manager.create(**TASK)["id"])["state"] == "succeeded"


def test_an_owner_with_as_many_open_tasks_as_allowed_is_told_to_wait(start) -> None:
    """Also in a burst within the second for which a count is believed."""
    manager = start(max_open_tasks=3)
    made = [manager.create(**TASK) for _ in range(3)]

    refused = manager.api.post("/v1/tasks", json=TASK)

    assert error_of(refused)[:2] == (429, "too_many_open_tasks")
    assert int(refused.headers["retry-after"]) >= 1
    assert len(manager.application.store.tasks("local", limit=9)) == 3
    assert [manager.work(task["id"])["state"] for task in made] == ["succeeded"] * 3


def test_a_task_that_was_accepted_can_be_asked_for_again(full, start) -> None:
    """Its answer was lost; the same key must find it, however full the queue is."""
    manager = start(max_open_tasks=1)
    headers = {"Idempotency-Key": "k"}
    first = manager.create(headers=headers, **TASK)

    again = manager.create(headers=headers, **TASK)

    assert again["id"] == first["id"]
    assert manager.refused(**TASK)[:2] == (429, "too_many_open_tasks")


def test_who_has_no_key_is_told_that_and_not_how_full_it_is(start) -> None:
    manager = start(api_key="k", callback_secret=SECRET, min_free_memory_bytes=FAR)
    answer = httpx.post(f"{manager.url}/v1/tasks", json=TASK)
    assert error_of(answer)[:2] == (401, "unauthenticated")


def test_both_the_store_and_the_media_are_looked_after(tmp_path) -> None:
    local = Settings(data_dir=tmp_path)
    assert admission.folders(local) == [tmp_path / "objects", tmp_path / "store.sqlite"]
    away = Settings(store_url="mongodb://a/b", objects_url="s3://b/p")
    assert admission.folders(away) == []


# ── floods ───────────────────────────────────────────────────────────────────────────────────


def _connected(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), PATIENCE_S)


def signed_url(manager: Manager, method: str, key: str = "tasks/t/a") -> str:
    expires = int(time.time() + 60)
    signature = signing.sign_url(SECRET, method=method, key=key, expires=expires)
    return f"{manager.workers_url}/objects/{key}?expires={expires}&signature={signature}"


def node_beat(manager: Manager, secret: str = "") -> int:
    body = NodeBeat(node="node-1").model_dump_json()
    headers = signing.sign(secret, message_id="m", at=time.time(), body=body)
    return httpx.post(
        f"{manager.workers_url}/callbacks/v1/node-beat",
        content=body, headers={**headers, "content-type": "application/json"}, timeout=PATIENCE_S,
    ).status_code  # fmt: skip


@pytest.fixture
def flooded(start):
    """A manager all of whose threads for public requests wait, and more requests after them."""
    manager = start(objects_access="url", callback_secret=SECRET, api_key="k")
    release, begun = threading.Event(), threading.Semaphore(0)

    def slow() -> dict[str, str]:
        begun.release()
        release.wait(3 * PATIENCE_S)
        return {}

    manager.application.public.add_api_route("/slow", slow)
    with contextlib.ExitStack() as stack:
        stack.callback(release.set)
        for _ in range(60):
            caller = stack.enter_context(_connected(manager.url))
            caller.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(40):  # as many threads as the pool has
            assert begun.acquire(timeout=PATIENCE_S)
        yield manager


def test_a_flood_of_slow_requests_leaves_callbacks_and_probes_answered(flooded: Manager) -> None:
    assert node_beat(flooded, SECRET) == 200
    assert flooded.driver.callbacks.node_beat(NodeBeat(node="node-1")) is not None
    for url in (flooded.url, flooded.workers_url):
        assert httpx.get(f"{url}/healthz", timeout=PATIENCE_S).status_code == 200
        assert httpx.get(f"{url}/readyz", timeout=PATIENCE_S).status_code == 200
    assert httpx.get(f"{flooded.workers_url}/metrics", timeout=PATIENCE_S).status_code == 200


def test_a_flood_of_slow_requests_leaves_objects_served(flooded: Manager) -> None:
    content = b"x" * 300_000
    put = httpx.put(signed_url(flooded, "PUT"), content=content, timeout=PATIENCE_S)
    assert put.status_code == 201
    assert httpx.get(signed_url(flooded, "GET"), timeout=PATIENCE_S).content == content


def test_slow_uploads_hold_up_no_workers_files(start) -> None:
    """More uploads than there are threads for them, and none goes on."""
    manager = start(objects_access="url", callback_secret=SECRET, api_key="k")
    head = (
        "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n"
        "Content-Type: audio/wav\r\nContent-Length: 1000\r\n\r\nRIFF"
    )
    with contextlib.ExitStack() as stack:
        for _ in range(70):
            stack.enter_context(_connected(manager.url)).sendall(head.encode())
        url = signed_url(manager, "PUT")
        assert httpx.put(url, content=b"x", timeout=PATIENCE_S).status_code == 201
        assert node_beat(manager, SECRET) == 200


def test_a_caller_who_hangs_up_is_no_mistake_of_ours(manager) -> None:
    head = "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
    with _connected(manager.url) as caller:
        caller.sendall(f"{head}Content-Length: 1000\r\n\r\nRIFF".encode())
    end = time.monotonic() + PATIENCE_S
    while 'route="/v1/uploads"' not in (seen := manager.api.get("/metrics").text):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert 'route="/v1/uploads",status="400"' in seen
    assert manager.objects() == set()


def test_more_requests_at_once_than_can_be_kept_are_told_to_come_back(manager, monkeypatch) -> None:
    monkeypatch.setattr(admission, "MAX_AT_ONCE", 2)
    task = manager.create(**TASK)["id"]
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stream = stack.enter_context(manager.api.stream("GET", f"/v1/tasks/{task}/events"))
            assert stream.status_code == 200
        refused = manager.api.get("/v1/tasks")
        assert error_of(refused)[:2] == (503, "too_busy")
        assert refused.headers["retry-after"] == "2"
        assert manager.api.get("/healthz").status_code == 200
        assert node_beat(manager) == 200
    assert json.loads(_when_free(manager, "/v1/tasks"))["tasks"]


def _when_free(manager: Manager, path: str) -> str:
    """The streams' ends are noticed a little later than they happen."""
    end = time.monotonic() + PATIENCE_S
    while (answer := manager.api.get(path)).status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.02)
    return answer.text
