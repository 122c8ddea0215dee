"""The audit log: who ordered what, and nothing that is nobody's business."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from key_holder import SECRETS, holder_of, make_key
from running_manager import Manager, error_of

from services import logs
from services.model.access import AuditLine, Scope
from task_manager.audit import AuditLog
from task_manager.callers import Caller

TASK = {"items": [{"text_id": "1", "text": "Hello.", "language": "en"}], "targets": ["zh"]}
PRIVATE = "Merger talks with Initech.wav"


@pytest.fixture
def keyed(start) -> Manager:
    return start(**SECRETS)


@contextlib.contextmanager
def everything_logged() -> Iterator[None]:
    logs.configure("debug", "json")
    try:
        yield
    finally:
        logs.configure("warning", "console")


def entries(manager: Manager, **query) -> list[tuple[str, str, str, str]]:
    """Oldest first: by which key, what, on what, how it ended."""
    page = manager.api.get("/v1/audit", params=query).json()
    return [
        (each["key"], each["action"], each["subject"], each["outcome"])
        for each in reversed(page["entries"])
    ]


def test_every_order_is_there_with_who_gave_it_and_how_it_ended(keyed: Manager) -> None:
    made = make_key(keyed)
    key_id = str(made["id"])
    with holder_of(keyed, made["key"]) as holder:
        task = holder.post("/v1/tasks", json=TASK).json()["id"]
        holder.post("/v1/tasks", json={"targets": ["zh"]})
        holder.post(f"/v1/tasks/{task}/retry")
        holder.post(f"/v1/tasks/{task}/languages", json={"add": ["fr"]})
        holder.post(f"/v1/tasks/{task}/cancel")
        holder.delete(f"/v1/tasks/{task}")
        holder.get("/v1/tasks")
    keyed.api.post("/v1/nodes/node-1/drain")
    keyed.api.delete(f"/v1/keys/{key_id}")

    assert entries(keyed) == [
        ("static", "key.create", key_id, "ok"),
        (key_id, "task.create", task, "ok"),
        (key_id, "task.create", "", "required"),
        (key_id, "task.retry", task, "not_terminal"),
        (key_id, "task.add_languages", task, "not_terminal"),
        (key_id, "task.cancel", task, "ok"),
        (key_id, "task.delete", task, "ok"),
        ("static", "node.drain", "node-1", "ok"),
        ("static", "key.revoke", key_id, "ok"),
    ]
    (line,) = keyed.api.get("/v1/audit", params={"key": key_id, "limit": 1}).json()["entries"]
    assert (line["owner"], line["address"]) == ("acme", "127.0.0.1")
    assert line["at"] > made["created_at"]


def test_what_is_done_to_webhooks_is_noted(start) -> None:
    manager = start(**SECRETS, private_networks="127.0.0.0/8")
    made = manager.api.post("/v1/webhooks", json={"url": "http://127.0.0.1:8080/hook"}).json()
    for method, path in (("POST", "/rotate"), ("PATCH", ""), ("DELETE", "")):
        body = {} if method == "DELETE" else {"json": {}}
        manager.api.request(method, f"/v1/webhooks/{made['id']}{path}", **body)

    actions = ["create", "rotate", "change", "delete"]
    noted = [("static", f"webhook.{action}", made["id"], "ok") for action in actions]
    assert entries(manager) == noted


def test_the_log_is_read_by_page_and_by_key(keyed: Manager) -> None:
    made = [str(make_key(keyed)["id"]) for _ in range(5)]
    with holder_of(keyed, make_key(keyed, "admin")["key"]) as admin:
        theirs = admin.post(
            "/v1/keys", json={"name": "n", "owner": "o", "scopes": ["read"]}
        ).json()["id"]
        mine = keyed.api.get("/v1/keys").json()["keys"][1]["id"]

    first = keyed.api.get("/v1/audit", params={"limit": 4}).json()
    rest = keyed.api.get("/v1/audit", params={"limit": 4, "cursor": first["next"]}).json()

    subjects = [each["subject"] for each in [*first["entries"], *rest["entries"]]]
    assert subjects == [theirs, mine, *made[::-1]]
    assert rest["next"] is None
    assert entries(keyed, key=mine) == [(mine, "key.create", theirs, "ok")]


def test_lines_reach_the_store_without_anybody_reading_them(keyed: Manager) -> None:
    key_id = make_key(keyed)["id"]

    keyed.application.pipeline.ports.audit.flush(keyed.application.store)

    (line,) = keyed.application.store.audit_page(limit=9)
    assert (line.subject, line.outcome) == (key_id, "ok")
    assert abs(line.at - keyed.application.store.now()) < 60


def test_only_administrators_read_it(keyed: Manager) -> None:
    with holder_of(keyed, make_key(keyed, "submit", "read", "worker")["key"]) as holder:
        assert error_of(holder.get("/v1/audit"))[:2] == (403, "scope_missing")


def test_neither_keys_nor_names_nor_texts_are_logged(keyed: Manager, capsys) -> None:
    with everything_logged():
        made = make_key(keyed)
        with holder_of(keyed, made["key"]) as holder:
            headers = {"content-type": "audio/wav"}
            holder.post("/v1/uploads", content=b"RIFF", params={"name": PRIVATE}, headers=headers)
            holder.post("/v1/tasks", files={"files": (PRIVATE, b"RIFF")}, data={"targets": "zh"})
            holder.get("/v1/tasks")
        keyed.api.delete(f"/v1/keys/{made['key']}")
    secret = str(made["key"]).rpartition("_")[2]
    lines = capsys.readouterr().err
    said = lines + keyed.api.get("/v1/audit").text

    assert all(f'"done": "{each}"' in lines for each in ("upload.create", "task.create"))
    for private in (secret, PRIVATE, "Initech", *SECRETS.values()):
        assert private not in said


@pytest.mark.parametrize(("days", "left"), [(90.0, ["new"]), (0.0, ["new", "old"])])
def test_lines_are_kept_for_the_days_that_were_set(start, days: float, left: list[str]) -> None:
    application = start(**SECRETS, audit_days=days).application
    store = application.store
    ages = {"old": 91, "new": 89}
    said = {"key": "k", "owner": "o", "action": "a", "outcome": "ok", "address": ""}
    store.add_audit(
        AuditLine(id=name, at=store.now() - age * 86_400, subject=name, **said)
        for name, age in ages.items()
    )

    application.ticker._expire()

    assert [line.subject for line in store.audit_page(limit=9)] == left


# ── on its way to the store ──────────────────────────────────────────────────────────────────


class Away:
    """A store that does not answer, until it does."""

    def __init__(self) -> None:
        self.answers = False
        self.lines: list[AuditLine] = []

    def now(self) -> float:
        return 1_700_000_000.0

    def add_audit(self, lines: list[AuditLine]) -> None:
        if not self.answers:
            raise ConnectionError
        self.lines += lines


def test_lines_wait_for_a_store_that_is_away() -> None:
    store, log = Away(), AuditLog()
    caller = Caller("o", "fs_a", frozenset({Scope.READ}))
    for subject in ("1", "2"):
        log.add(caller, "::1", action="a", subject=subject, outcome="ok")
        with pytest.raises(ConnectionError):
            log.flush(store)

    store.answers = True
    for _ in range(2):
        log.flush(store)

    assert ["1", "2"] == [line.subject for line in store.lines]
    assert all(abs(line.at - store.now()) < 60 for line in store.lines)
