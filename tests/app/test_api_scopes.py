"""The table of who may call what: every route, by every scope."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import pytest
from key_holder import SECRETS, holder_of, make_key
from running_manager import Manager, error_of, manager_of

from services.settings import Settings

TASK = {"items": [{"text_id": "1", "text": "Hello.", "language": "en"}], "targets": ["zh"]}
SCOPES = ("submit", "read", "worker", "admin")

# Method, path, who may beside admin. `{task}` is a finished task of the caller's own owner.
TABLE = [
    ("POST", "/v1/tasks", {"submit"}),
    ("GET", "/v1/tasks", {"read"}),
    ("GET", "/v1/tasks/{task}", {"read"}),
    ("GET", "/v1/tasks/{task}/items", {"read"}),
    ("GET", "/v1/tasks/{task}/events", {"read"}),
    ("GET", "/v1/events?after=none", {"read"}),  # a good one has no end
    ("GET", "/v1/tasks/{task}/result", {"read"}),
    ("GET", "/v1/tasks/{task}/result/zh/1/T", {"read"}),
    ("POST", "/v1/tasks/{task}/result/lookup", {"read"}),
    ("GET", "/v1/tasks/{task}/items/1/transcript", {"read"}),
    ("GET", "/v1/tasks/{task}/items/1/check", {"read"}),
    ("GET", "/v1/tasks/{task}/items/1/subtitles.srt", {"read"}),
    ("PUT", "/v1/tasks/{task}/items/1/transcript", {"submit"}),
    ("GET", "/v1/tasks/{task}/items/1/versions", {"read"}),
    ("POST", "/v1/tasks/{task}/languages", {"submit"}),
    ("POST", "/v1/tasks/{task}/cancel", {"submit"}),
    ("POST", "/v1/tasks/{task}/retry", {"submit"}),
    ("DELETE", "/v1/tasks/none", {"submit"}),
    ("POST", "/v1/uploads", {"submit"}),
    ("POST", "/v1/uploads/parts", {"submit"}),
    ("GET", "/v1/uploads/none", {"submit"}),
    ("PUT", "/v1/uploads/none/parts/1", {"submit"}),
    ("POST", "/v1/uploads/none/urls", {"submit"}),
    ("POST", "/v1/uploads/none/complete", {"submit"}),
    ("DELETE", "/v1/uploads/none", {"submit"}),
    ("POST", "/v1/audio/transcriptions", {"submit"}),
    ("POST", "/v1/audio/translations", {"submit"}),
    ("POST", "/asr", {"submit"}),
    ("POST", "/detect-language", {"submit"}),
    ("POST", "/v1/webhooks", {"submit"}),
    ("GET", "/v1/webhooks", {"read"}),
    ("GET", "/v1/webhooks/none", {"read"}),
    ("PATCH", "/v1/webhooks/none", {"submit"}),
    ("DELETE", "/v1/webhooks/none", {"submit"}),
    ("POST", "/v1/webhooks/none/rotate", {"submit"}),
    ("POST", "/v1/webhooks/none/ping", {"submit"}),
    ("GET", "/v1/webhooks/none/deliveries", {"read"}),
    ("POST", "/v1/webhooks/none/deliveries/none/replay", {"submit"}),
    ("POST", "/v1/webhooks/none/replay", {"submit"}),
    ("POST", "/v1/term-lists", {"submit"}),
    ("GET", "/v1/term-lists", {"read"}),
    ("GET", "/v1/term-lists/none", {"read"}),
    ("PUT", "/v1/term-lists/none", {"submit"}),
    ("DELETE", "/v1/term-lists/none", {"submit"}),
    ("GET", "/v1/tasks/{task}/deliveries", {"read"}),
    ("POST", "/v1/tasks/{task}/deliveries/none/replay", {"submit"}),
    ("GET", "/v1/jobs/dead", {"read"}),
    ("POST", "/v1/jobs/dead/retry", {"submit"}),
    ("GET", "/v1/nodes", {"read", "worker"}),
    ("GET", "/v1/nodes/node-1", {"read", "worker"}),
    ("POST", "/v1/nodes/none/drain", {"worker"}),
    ("POST", "/v1/nodes/none/resume", {"worker"}),
    ("PATCH", "/v1/nodes/none", {"worker"}),
    ("GET", "/metrics", {"worker"}),
    ("GET", "/v1/codebook", {"submit", "read", "worker"}),
    ("GET", "/v1/languages", {"submit", "read", "worker"}),
    ("GET", "/v1/models", {"submit", "read", "worker"}),
    ("GET", "/v1/models/none", {"submit", "read", "worker"}),
    ("GET", "/v1/queues", {"submit", "read", "worker"}),
    ("POST", "/v1/keys", set()),
    ("GET", "/v1/keys", set()),
    ("GET", "/v1/keys/none", set()),
    ("DELETE", "/v1/keys/none", set()),
    ("GET", "/v1/audit", set()),
]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Manager, str]]:
    """A manager with a finished task of `acme`, and its id."""
    folder = tmp_path_factory.mktemp("keyed")
    with manager_of(Settings(data_dir=folder, stub_models=True, **SECRETS)) as manager:
        with holder_of(manager, make_key(manager, "submit")["key"]) as submitter:
            task = submitter.post("/v1/tasks", json=TASK).json()["id"]
        assert manager.work(task)["state"] == "succeeded"
        yield manager, task


@pytest.fixture(scope="module")
def holders(keyed: tuple[Manager, str]) -> Iterator[dict[str, httpx.Client]]:
    """By scope, who has that one alone."""
    manager, _ = keyed
    with contextlib.ExitStack() as stack:
        made = {scope: make_key(manager, scope)["key"] for scope in SCOPES}
        yield {scope: stack.enter_context(holder_of(manager, key)) for scope, key in made.items()}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("method", "path", "allowed"), TABLE)
def test_a_route_is_open_to_its_scopes_and_to_no_other(
    keyed, holders, method: str, path: str, allowed: set[str], scope: str
) -> None:
    _, task = keyed
    body = {"json": {}} if method in {"POST", "PATCH"} else {}

    answer = holders[scope].request(method, path.replace("{task}", task), **body)

    if scope == "admin" or scope in allowed:
        assert answer.status_code not in {401, 403}, answer.text
    else:
        refused = answer.json()["error"]
        assert (answer.status_code, refused["code"]) == (403, "scope_missing")
        for name in allowed:
            assert name in refused["message"]


def test_the_table_has_every_route(keyed) -> None:
    manager, _ = keyed
    described = manager.api.get("/openapi.json").json()["paths"]
    routes = {
        (method.upper(), path)
        for path, methods in described.items()
        for method in methods
        if path not in {"/healthz", "/readyz"}
    }

    assert len(TABLE) == len(routes)
    assert {method for method, *_ in TABLE} == {method for method, _ in routes}


def test_a_body_is_not_looked_at_before_the_scope(holders) -> None:
    answer = holders["read"].post("/v1/tasks", json={"nonsense": 1})

    assert error_of(answer)[:2] == (403, "scope_missing")
