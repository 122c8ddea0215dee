"""Keys: answered once, held to their limits, seen by their owner, and soon out of use."""

from __future__ import annotations

import time

import httpx
import pytest
from key_holder import SECRETS, holder_of, make_key, stopped_clock
from running_manager import PATIENCE_S, Manager, error_of

from services.model.access import ApiKey, Scope
from services.model.access import make_key as new_key
from task_manager import callers

TASK = {"items": [{"text_id": "1", "text": "Hello.", "language": "en"}], "targets": ["zh"]}


@pytest.fixture
def keyed(start) -> Manager:
    """One that asks everybody for a key."""
    return start(**SECRETS)


def key_with(manager: Manager, **fields) -> str:
    """A key as the store has it, written past the API."""
    key, key_id, digest = new_key()
    now = manager.application.store.now()
    known = {"name": "n", "owner": "acme", "scopes": [Scope.READ], "created_at": now}
    manager.application.store.insert_key(
        ApiKey(**known | {"id": key_id, "digest": digest} | fields)
    )
    return key


# ── making and showing them ──────────────────────────────────────────────────────────────────


def test_a_key_is_answered_once_and_only_its_hash_is_kept(keyed: Manager) -> None:
    made = make_key(keyed, "read", expires_in_s=3600, limits={"per_minute": 5})

    shown = keyed.api.get(f"/v1/keys/{made['id']}").json()

    key = made.pop("key")
    assert shown == made
    assert shown["limits"]["per_minute"] == 5
    listed = keyed.api.get("/v1/keys").text
    secret = key.rpartition("_")[2]
    assert secret not in listed
    for path in keyed.application.settings.data_dir.glob("store.sqlite*"):
        assert secret.encode() not in path.read_bytes()


def test_keys_are_listed_by_page_newest_first(keyed: Manager) -> None:
    made = [make_key(keyed)["id"] for _ in range(5)]

    first = keyed.api.get("/v1/keys", params={"limit": 3}).json()
    rest = keyed.api.get("/v1/keys", params={"cursor": first["next"]}).json()

    assert [key["id"] for key in [*first["keys"], *rest["keys"]]] == made[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"owner": ""}, "owner"),
        ({"owner": "a b"}, "owner"),
        ({"owner": {"$ne": ""}}, "owner"),
        ({"name": ""}, "name"),
        ({"expires_in_s": 0}, "expires_in_s"),
        ({"limits": {"per_second": 0}}, "limits.per_second"),
        ({"limits": {"a_second": 1}}, "limits.a_second"),
        ({"key": "fs_of_my_own"}, "key"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(keyed: Manager, wrong, field: str) -> None:
    body = {"name": "n", "owner": "o", "scopes": ["read"], **wrong}

    answer = keyed.api.post("/v1/keys", json=body)

    assert (answer.status_code, error_of(answer)[2]) == (422, field)
    assert keyed.api.get("/v1/keys").json()["keys"] == []


def test_a_key_that_is_not_there_is_404(keyed: Manager) -> None:
    assert error_of(keyed.api.get("/v1/keys/fs_none"))[:2] == (404, "not_found")
    assert error_of(keyed.api.delete("/v1/keys/fs_none"))[:2] == (404, "not_found")


# ── when they count ──────────────────────────────────────────────────────────────────────────


def test_a_key_that_nobody_made_opens_nothing(keyed: Manager) -> None:
    made = make_key(keyed)
    for wrong in (new_key()[0], f"{made['id']}_{'0' * 64}", f"{made['key']}0", made["id"]):
        with holder_of(keyed, wrong) as nobody:
            answer = nobody.get("/v1/tasks")
            assert error_of(answer)[:2] == (401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing_from_then_on(keyed: Manager) -> None:
    made = make_key(keyed)
    with holder_of(keyed, made["key"]) as holder:
        assert holder.get("/v1/tasks").status_code == 200

        revoked = keyed.api.delete(f"/v1/keys/{made['id']}").json()

        assert revoked["revoked_at"] is not None
        assert error_of(holder.get("/v1/tasks"))[:2] == (401, "key_revoked")
    again = keyed.api.delete(f"/v1/keys/{made['id']}").json()
    assert again["revoked_at"] == revoked["revoked_at"]


def test_a_key_that_another_manager_revoked_stops_within_seconds(keyed: Manager) -> None:
    clock = stopped_clock(keyed)
    made = make_key(keyed)
    with holder_of(keyed, made["key"]) as holder:
        assert holder.get("/v1/tasks").status_code == 200
        keyed.application.store.revoke_key(str(made["id"]), 1.0)

        clock.now += callers.FRESH_S - 0.1
        assert holder.get("/v1/tasks").status_code == 200
        clock.now += 0.2
        assert error_of(holder.get("/v1/tasks"))[:2] == (401, "key_revoked")


def test_an_expired_key_opens_nothing(keyed: Manager) -> None:
    key = key_with(keyed, expires_at=keyed.application.store.now() - 1)

    with holder_of(keyed, key) as holder:
        for _ in range(2):
            assert error_of(holder.get("/v1/tasks"))[:2] == (401, "key_expired")


def test_a_key_is_not_believed_in_longer_than_it_lasts(keyed: Manager) -> None:
    clock = stopped_clock(keyed)
    key = key_with(keyed, expires_at=keyed.application.store.now() + 2)
    with holder_of(keyed, key) as holder:
        assert holder.get("/v1/tasks").status_code == 200

        (known,) = keyed.application.public.state.callers._known.values()

        assert clock.now < known.until <= clock.now + 2


def test_the_last_use_of_a_key_is_shown(keyed: Manager) -> None:
    made = make_key(keyed)
    assert made["used_at"] is None

    with holder_of(keyed, made["key"]) as holder:
        holder.get("/v1/tasks")

    shown = keyed.api.get(f"/v1/keys/{made['id']}").json()
    assert shown["used_at"] >= made["created_at"]


def test_without_a_server_key_a_key_still_says_who_somebody_is(manager: Manager) -> None:
    """Loopback needs none, but who shows one is held to it."""
    made = make_key(manager, "read")
    with holder_of(manager, made["key"]) as holder:
        assert error_of(holder.post("/v1/tasks", json=TASK))[:2] == (403, "scope_missing")
    with holder_of(manager, "sk-what-some-library-always-sends") as holder:
        assert holder.post("/v1/tasks", json=TASK).status_code == 202
    with holder_of(manager, new_key()[0]) as holder:
        assert holder.get("/v1/tasks").status_code == 401


# ── whose tasks they see ─────────────────────────────────────────────────────────────────────


def test_owners_see_their_own_tasks_and_nobody_elses(keyed: Manager) -> None:
    theirs = make_key(keyed, owner="acme")["key"]
    with (
        holder_of(keyed, theirs) as one,
        holder_of(keyed, make_key(keyed, owner="acme")["key"]) as colleague,
        holder_of(keyed, make_key(keyed, owner="other")["key"]) as stranger,
    ):
        task = one.post("/v1/tasks", json=TASK).json()["id"]
        paths = [
            f"/v1/tasks/{task}",
            f"/v1/tasks/{task}/items",
            f"/v1/tasks/{task}/events",
            f"/v1/tasks/{task}/result",
            f"/v1/tasks/{task}/result/zh/1/T",
            f"/v1/tasks/{task}/items/1/transcript",
            f"/v1/tasks/{task}/items/1/subtitles.srt",
        ]
        for path in paths:
            assert error_of(stranger.get(path))[:2] == (404, "not_found"), path
        for order in ("cancel", "retry", "result/lookup"):
            body = {"cells": [{"language": "zh", "text_id": "1", "source": "T"}]}
            answer = stranger.post(f"/v1/tasks/{task}/{order}", json=body)
            assert error_of(answer)[:2] == (404, "not_found"), order
        assert error_of(stranger.delete(f"/v1/tasks/{task}"))[:2] == (404, "not_found")
        retried = stranger.post("/v1/jobs/dead/retry", json={"tasks": [task]}).json()
        assert retried["skipped"] == [{"task": task, "code": "not_found"}]
        assert stranger.get("/v1/tasks").json()["tasks"] == []

        assert [each["id"] for each in colleague.get("/v1/tasks").json()["tasks"]] == [task]
        assert colleague.get(f"/v1/tasks/{task}").status_code == 200


def test_an_upload_is_its_owners(keyed: Manager) -> None:
    with (
        holder_of(keyed, make_key(keyed, owner="acme")["key"]) as one,
        holder_of(keyed, make_key(keyed, owner="other")["key"]) as stranger,
    ):
        headers = {"content-type": "audio/wav"}
        key = one.post("/v1/uploads", content=b"RIFF", headers=headers).json()["key"]
        body = {"items": [{"text_id": "1", "audio": key}], "targets": ["zh"]}

        assert stranger.post("/v1/tasks", json=body).status_code == 422
        assert one.post("/v1/tasks", json=body).status_code == 202


def test_an_administrator_sees_all_and_lists_whose_they_ask_for(keyed: Manager) -> None:
    with holder_of(keyed, make_key(keyed, owner="acme")["key"]) as one:
        task = one.post("/v1/tasks", json=TASK).json()["id"]
        for path in ("/v1/tasks", "/v1/jobs/dead"):
            answer = one.get(path, params={"owner": "key"})
            assert error_of(answer) == (403, "scope_missing", "owner")
            assert one.get(path, params={"owner": "acme"}).status_code == 200

    assert keyed.api.get(f"/v1/tasks/{task}").status_code == 200
    assert keyed.api.get("/v1/tasks").json()["tasks"] == []
    theirs = keyed.api.get("/v1/tasks", params={"owner": "acme"}).json()["tasks"]
    assert [each["id"] for each in theirs] == [task]


def test_the_same_idempotency_key_of_two_owners_makes_two_tasks(keyed: Manager) -> None:
    made = set()
    for owner in ("acme", "other"):
        with holder_of(keyed, make_key(keyed, owner=owner)["key"]) as holder:
            answer = holder.post("/v1/tasks", json=TASK, headers={"Idempotency-Key": "k"})
            made.add(answer.json()["id"])
    assert len(made) == 2


# ── how much they may ────────────────────────────────────────────────────────────────────────


def test_who_asks_too_fast_is_told_how_long_to_wait(keyed: Manager) -> None:
    clock = stopped_clock(keyed)
    made = make_key(keyed, limits={"per_second": 2, "per_minute": 4})
    with holder_of(keyed, made["key"]) as holder:
        assert [holder.get("/v1/codebook").status_code for _ in range(3)] == [200, 200, 429]
        refused = holder.get("/v1/codebook")
        assert error_of(refused)[:2] == (429, "rate_limited")
        assert refused.headers["retry-after"] == "1"

        clock.now += 1
        assert [holder.get("/v1/codebook").status_code for _ in range(3)] == [200, 200, 429]
        clock.now += 1
        refused = holder.get("/v1/codebook")
        assert error_of(refused)[:2] == (429, "rate_limited")
        assert refused.headers["retry-after"] == "13"

        clock.now += 13
        assert holder.get("/v1/codebook").status_code == 200
    assert keyed.api.get("/v1/codebook").status_code == 200


def test_two_keys_of_one_owner_have_a_rate_each(keyed: Manager) -> None:
    stopped_clock(keyed)
    for _ in range(2):
        made = make_key(keyed, limits={"per_minute": 1})
        with holder_of(keyed, made["key"]) as holder:
            assert [holder.get("/v1/codebook").status_code for _ in range(2)] == [200, 429]


def test_a_request_that_goes_on_counts_until_its_answer_has_ended(keyed: Manager) -> None:
    made = make_key(keyed, limits={"at_once": 1})
    with holder_of(keyed, made["key"]) as holder:
        task = holder.post("/v1/tasks", json=TASK).json()["id"]
        with holder.stream("GET", f"/v1/tasks/{task}/events") as events:
            assert events.status_code == 200
            refused = holder.get("/v1/tasks")
            assert error_of(refused)[:2] == (429, "too_many_at_once")
            assert refused.headers["retry-after"] == "1"
            assert keyed.api.get("/v1/tasks").status_code == 200
        end = time.monotonic() + PATIENCE_S
        while holder.get("/v1/tasks").status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_key_may_allow_fewer_open_tasks_than_the_server(keyed: Manager) -> None:
    made = make_key(keyed, limits={"open_tasks": 1})
    with holder_of(keyed, made["key"]) as holder:
        task = holder.post("/v1/tasks", json=TASK).json()["id"]
        refused = holder.post("/v1/tasks", json=TASK)
        assert error_of(refused)[:2] == (429, "too_many_open_tasks")
        assert "1 open tasks" in refused.json()["error"]["message"]
    assert keyed.work(task)["state"] == "succeeded"


def test_an_owner_keeps_as_much_media_as_the_key_allows(keyed: Manager, monkeypatch) -> None:
    monkeypatch.setattr("task_manager.fresh.FRESH_S", 0.0)
    made = make_key(keyed, limits={"stored_bytes": 10_000})
    headers = {"content-type": "audio/wav"}

    def upload(holder: httpx.Client, size: int) -> httpx.Response:
        return holder.post("/v1/uploads", content=b"x" * size, headers=headers)

    with holder_of(keyed, made["key"]) as holder:
        refused = upload(holder, 10_001)
        assert error_of(refused)[:2] == (507, "storage_limit")
        assert int(refused.headers["retry-after"]) > 0
        assert upload(holder, 6_000).status_code == 201
        form = {"files": ("1.wav", b"x" * 3_000)}
        assert error_of(upload(holder, 6_000))[:2] == (507, "storage_limit")
        sent = holder.post("/v1/tasks", files=form, data={"targets": "zh"})
        assert sent.status_code == 202
        refused = holder.post("/v1/tasks", files=form, data={"targets": "zh"})
        assert error_of(refused)[:2] == (507, "storage_limit")

        holder.delete(f"/v1/tasks/{sent.json()['id']}")

        again = holder.post("/v1/tasks", files=form, data={"targets": "zh"})
        assert again.status_code == 202
