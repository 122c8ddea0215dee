"""Who is served: with a key whoever shows it, without one this machine alone."""

from __future__ import annotations

import httpx
import pytest
from running_manager import error_of

from services.settings import Settings
from task_manager.commands import MayNotServe, refuse_open_doors
from task_manager.loopback import is_loopback

KEY = {"api_key": "a key of the tests", "callback_secret": "a secret of the tests"}


def test_a_key_opens_every_route_and_nothing_else_does(start) -> None:
    manager = start(**KEY)
    paths = ("/v1/tasks", "/v1/tasks/x", "/v1/nodes", "/v1/codebook", "/v1/queues", "/v1/models")
    for sent in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic YTpi"}):
        for path in paths:
            answer = httpx.get(manager.url + path, headers=sent)
            assert error_of(answer)[:2] == (401, "unauthenticated"), path
            assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/v1/tasks", "/v1/uploads"):
            answer = httpx.post(manager.url + path, content=b"x", headers=sent)
            assert error_of(answer)[:2] == (401, "unauthenticated"), path
    assert manager.api.get("/v1/tasks").status_code == 200


def test_health_needs_no_key(start) -> None:
    manager = start(**KEY)
    assert httpx.get(f"{manager.url}/healthz").json()["status"] == "ok"
    assert httpx.get(f"{manager.url}/readyz").status_code == 200


def test_with_a_key_any_host_name_and_origin_is_served(start) -> None:
    manager = start(**KEY)
    headers = {"host": "fanscribe.example", "origin": "https://page.example"}
    assert manager.api.get("/v1/tasks", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:80", "a.localhost"])
def test_without_a_key_names_of_this_machine_are_served(shared, host) -> None:
    headers = {"host": host, "origin": "http://localhost:5173"}
    assert shared.api.get("/v1/tasks", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[", ""])
def test_without_a_key_a_foreign_host_name_is_refused(shared, host) -> None:
    for path in ("/v1/tasks", "/healthz", "/docs", "/nothing"):
        answer = shared.api.get(path, headers={"host": host})
        assert error_of(answer)[:2] == (403, "forbidden_host")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "file://"])
def test_without_a_key_a_foreign_origin_is_refused(shared, origin) -> None:
    answer = shared.api.post("/v1/tasks", json={}, headers={"origin": origin})
    assert error_of(answer)[:2] == (403, "forbidden_origin")


def test_nobody_may_claim_another_address_by_a_header(shared) -> None:
    headers = {"x-forwarded-for": "8.8.8.8"}
    assert shared.api.get("/v1/tasks", headers=headers).status_code == 200


def test_only_loopback_addresses_count_as_this_machine() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "", "10.1.1.1", "::ffff:8.8.8.8", "host"]))


@pytest.mark.parametrize("open_door", ["host", "worker_host"])
@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({}, "FANSCRIBE_API_KEY and FANSCRIBE_CALLBACK_SECRET"),
        ({"api_key": "k"}, "set FANSCRIBE_CALLBACK_SECRET,"),
        ({"callback_secret": "s"}, "set FANSCRIBE_API_KEY,"),
    ],
)
def test_off_loopback_the_manager_refuses_to_start_and_says_what_to_set(
    tmp_path, open_door, given, lacking
) -> None:
    settings = Settings(data_dir=tmp_path, **{open_door: "0.0.0.0"}, **given)
    with pytest.raises(MayNotServe, match=lacking):
        refuse_open_doors(settings)


def test_off_loopback_with_both_secrets_it_starts(tmp_path) -> None:
    refuse_open_doors(Settings(data_dir=tmp_path, host="0.0.0.0", worker_host="0.0.0.0", **KEY))
