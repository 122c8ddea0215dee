"""The edge of the API: browsers of other sites, headers, and bodies that are large or slow."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from asking import soon
from key_holder import SECRETS
from running_manager import PATIENCE_S, Manager, error_of

from services import logs
from services.settings import Settings
from task_manager import pace

PAGE = "https://app.example"
TASK = {"items": [{"text_id": "1", "text": "Hello.", "language": "en"}], "targets": ["zh"]}
AUTH = {"authorization": f"Bearer {SECRETS['api_key']}"}


def preflight(manager: Manager, origin: str, method: str = "POST") -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    return httpx.options(f"{manager.url}/v1/tasks", headers=headers)


# ── pages of other sites ─────────────────────────────────────────────────────────────────────


def test_pages_of_allowed_origins_may_call_and_read_the_answers(start) -> None:
    manager = start(**SECRETS, cors_origins=f"{PAGE}, http://localhost:5173")

    asked = preflight(manager, PAGE)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert "DELETE" in asked.headers["access-control-allow-methods"]
    assert "idempotency-key" in asked.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in asked.headers

    for key, status in ((AUTH, 200), ({}, 401)):
        answer = httpx.get(f"{manager.url}/v1/tasks", headers={**key, "origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", f"{PAGE}.evil.example", "null"])
def test_pages_of_other_origins_are_told_nothing(start, origin: str) -> None:
    manager = start(**SECRETS, cors_origins=PAGE)

    assert "access-control-allow-origin" not in preflight(manager, origin).headers
    answer = httpx.get(f"{manager.url}/v1/tasks", headers={**AUTH, "origin": origin})
    assert "access-control-allow-origin" not in answer.headers


def test_by_default_no_origin_is_allowed(start) -> None:
    manager = start(**SECRETS)
    asked = preflight(manager, PAGE)
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in asked.headers


def test_without_a_key_an_allowed_origin_is_refused_all_the_same(start) -> None:
    manager = start(cors_origins=PAGE)
    assert error_of(preflight(manager, PAGE))[:2] == (403, "forbidden_origin")


@pytest.mark.parametrize("wrong", ["app.example", "https://app.example/", "https://a b", "ftp://a"])
def test_what_is_no_origin_is_no_setting(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Settings(cors_origins=wrong)


# ── headers ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/tasks", 200),
        ("/v1/tasks/none", 404),
        ("/healthz", 200),
        ("/nowhere", 404),
        ("/docs", 200),
        ("/openapi.json", 200),
        ("/metrics", 200),
        ("/crash", 500),
    ],
)
def test_every_answer_has_the_headers_that_keep_browsers_in_bounds(start, path, status) -> None:
    manager = start(**SECRETS)
    manager.application.public.add_api_route("/crash", _crash)

    answer = manager.api.get(path)

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def _crash() -> None:
    raise ZeroDivisionError


def test_refusals_and_the_workers_listener_have_them_too(shared: Manager) -> None:
    for answer in (
        shared.api.get("/v1/tasks", headers={"host": "evil.example"}),
        httpx.get(f"{shared.workers_url}/healthz"),
        httpx.post(f"{shared.workers_url}/callbacks/v1/claim", content=b"{}"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_page_may_load_its_scripts_and_data_nothing(shared: Manager) -> None:
    page = shared.api.get("/docs").headers["content-security-policy"]
    data = shared.api.get("/v1/codebook").headers["content-security-policy"]

    assert "script-src 'self'" in page
    assert data == "default-src 'none'; frame-ancestors 'none'"


def test_an_answer_that_says_how_it_may_be_kept_keeps_saying_so(manager: Manager) -> None:
    items = [{"text_id": "1", "text": "Hello.", "language": "en"}]
    task = manager.finished(items=items, targets=["zh"])

    answer = manager.api.get(f"/v1/tasks/{task['id']}/result")

    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("given", ["7b3f-1", "a" * 128, "Root=1-67891233-abcdef012345678912345678"])
def test_a_request_keeps_the_id_that_it_came_with(shared: Manager, given: str) -> None:
    for path in ("/v1/tasks", "/nowhere", "/healthz"):
        assert (
            shared.api.get(path, headers={"x-request-id": given}).headers["x-request-id"] == given
        )


@pytest.mark.parametrize("given", [None, "", "a b", "a" * 129, "é", "x;y", '{"a"}'])
def test_a_request_without_a_sane_id_gets_one(shared: Manager, given: str | None) -> None:
    headers = {} if given is None else {"x-request-id": given.encode()}
    ids = [shared.api.get("/v1/tasks", headers=headers).headers["x-request-id"] for _ in "ab"]

    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{24}", each) for each in ids)


def test_the_log_lines_of_a_request_name_it(start, capfd) -> None:
    manager = start(**SECRETS)
    manager.application.public.add_api_route("/crash", _crash)
    named: dict[str, str | None] = {}

    def the_server_has_told_of_the_crash() -> bool:
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        named.update({line["action"]: line.get("request_id") for line in lines})
        return "uvicorn.error" in named

    logs.configure("info", "json")
    made = manager.api.post("/v1/tasks", json=TASK, headers={"x-request-id": "of-a-task"})
    assert made.status_code == 202
    assert manager.api.get("/crash", headers={"x-request-id": "of-a-crash"}).status_code == 500
    soon(the_server_has_told_of_the_crash)

    assert named["audit"] == "of-a-task"
    assert named["request_failed"] == named["uvicorn.error"] == "of-a-crash"


# ── slow and large requests ──────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), PATIENCE_S) as caller:
        yield caller


def all_of(caller: socket.socket) -> str:
    """What comes until the connection ends."""
    heard = b""
    while chunk := caller.recv(65_536):
        heard += chunk
    return heard.decode()


def head(path: str, kind: str, length: int = 1000) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/tasks", "application/json"),
        ("/v1/tasks", "multipart/form-data; boundary=x"),
        ("/v1/uploads", "audio/wav"),
        ("/v1/jobs/dead/retry", "application/json"),
    ],
)
def test_a_body_that_does_not_come_is_cut(start, path: str, kind: str) -> None:
    manager = start(body_within_s=0.2)
    with connected(manager.url) as caller:
        caller.sendall(head(path, kind) + (b"--x\r\n" if "boundary" in kind else b"{"))
        heard = all_of(caller)
    assert heard.startswith("HTTP/1.1 408")
    assert '"too_slow"' in heard
    assert "connection: close" in heard.lower()
    assert manager.objects() == set()


def test_a_callback_that_does_not_come_is_cut(start) -> None:
    manager = start(body_within_s=0.2)
    with connected(manager.workers_url) as caller:
        caller.sendall(head("/callbacks/v1/claim", "application/json") + b"{")
        assert all_of(caller).startswith("HTTP/1.1 408")


def test_a_file_gets_time_for_what_has_come(start) -> None:
    """A millionth of a byte a second is fast enough, so a byte buys eleven days."""
    manager = start(body_within_s=0.2)
    settings = manager.application.settings
    manager.application.public.state.settings = settings.model_copy(update={"slowest_upload": 1e-6})
    with connected(manager.url) as caller:
        caller.sendall(head("/v1/uploads", "audio/wav", length=2) + b"R")
        with contextlib.suppress(TimeoutError):
            caller.settimeout(1.0)
            assert caller.recv(1) is None
        caller.settimeout(PATIENCE_S)
        caller.sendall(b"I")
        assert caller.recv(12) == b"HTTP/1.1 201"


def test_the_head_of_a_request_that_does_not_end_is_cut(start) -> None:
    manager = start(header_within_s=0.2)
    for url in (manager.url, manager.workers_url):
        for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: loc"):
            with connected(url) as caller:
                caller.sendall(begun)
                assert all_of(caller) == ""


def test_so_is_that_of_a_later_request_on_the_same_connection(start) -> None:
    manager = start(header_within_s=0.2)
    with connected(manager.url) as caller:
        for _ in range(2):
            caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            heard = b""
            while not heard.endswith(b"}"):
                heard += caller.recv(65_536)
            assert heard.startswith(b"HTTP/1.1 200")
        caller.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert all_of(caller) == ""


def test_an_answer_may_take_longer_than_a_head(start) -> None:
    manager = start(header_within_s=0.2, body_within_s=0.2)
    items = [{"text_id": "1", "text": "Hello.", "language": "en"}]
    task = manager.create(items=items, targets=["zh"])["id"]
    with manager.api.stream("GET", f"/v1/tasks/{task}/events") as stream:
        lines = stream.iter_lines()
        next(lines)
        with connected(manager.url) as other:  # cut while the stream goes on
            assert all_of(other) == ""
        manager.work(task)
        assert '"succeeded"' in "".join(lines)


@pytest.mark.parametrize("kind", ["application/json", "audio/wav", "text/plain"])
def test_a_body_that_is_read_as_a_whole_has_a_bound_whatever_it_is_called(
    shared: Manager, kind: str
) -> None:
    """The framework reads it before it knows who calls."""

    def chunks() -> Iterator[bytes]:
        for _ in range(pace.MAX_BODY // 65_536 + 2):
            yield b" " * 65_536

    for content in (chunks(), b" " * (pace.MAX_BODY + 1)):
        answer = shared.api.post(
            "/v1/jobs/dead/retry", content=content, headers={"content-type": kind}
        )
        assert error_of(answer)[:2] == (413, "too_large")


def test_a_large_json_task_is_taken(manager: Manager) -> None:
    metadata = {"a": "x"}
    text = "Hello. " * 20_000
    items = [{"text_id": str(n), "text": text, "language": "en"} for n in range(40)]

    answer = manager.api.post(
        "/v1/tasks", json={"items": items, "targets": ["zh"], "metadata": metadata}
    )

    assert len(answer.request.content) > pace.MAX_BODY
    assert answer.status_code == 202, answer.text
