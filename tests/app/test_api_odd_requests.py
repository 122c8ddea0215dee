"""Requests that nobody means, as generated ones have found them: each is refused, and none is a
5xx."""

from __future__ import annotations

import pytest
from running_manager import Manager, error_of

TEXT = {"text_id": "a/b", "text": "Hello.", "language": "en"}
CELL = '{"cells": [{"language": "%s", "text_id": "%s", "source": "T"}]}'


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/tasks", "GET, POST"),
        ("/v1/tasks/1", "GET, DELETE"),
        ("/v1/webhooks/1", "GET, PATCH, DELETE"),
        ("/v1/uploads/1/parts/1", "PUT"),
        ("/healthz", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_answered_with_all_that_are(shared, path, methods) -> None:
    answer = shared.api.request("TRACE", path)

    assert error_of(answer)[:2] == (405, "method_not_allowed")
    assert answer.headers["allow"] == methods


@pytest.mark.parametrize("path", ["/v1/uploads/parts", "/v1/uploads/1/urls"])
def test_what_is_no_json_is_415_for_uploads_too(shared, path) -> None:
    answer = shared.api.post(path, content=b"size=4", headers={"content-type": "text/plain"})

    assert error_of(answer) == (415, "unsupported_content_type", None)


@pytest.mark.parametrize("number", [2**63, 10**400])
@pytest.mark.parametrize(
    ("path", "where"), [("items", "params"), ("events", "params"), ("events", "headers")]
)
def test_a_place_that_no_store_can_count_to_is_refused(shared, path, where, number) -> None:
    task = shared.create(items=[TEXT], targets=["zh"])["id"]
    name = "last-event-id" if where == "headers" else "after"

    answer = shared.api.get(f"/v1/tasks/{task}/{path}", **{where: {name: str(number)}})

    assert error_of(answer)[0] == 422


@pytest.mark.parametrize("seconds", ["1e999", "1e300", "1e18", "253402300800"])
@pytest.mark.parametrize("kept", ["media_seconds", "results_seconds"])
def test_a_time_beyond_every_calendar_is_refused(shared, kept, seconds) -> None:
    refused = refused_as_written(shared, f'"retention": {{"{kept}": {seconds}}}')
    assert refused == (422, "out_of_range", f"retention.{kept}")


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ('"metadata": {"a": [1e999]}', "metadata"),
        ('"options": {"check_threshold": 1e999}', "options.check_threshold"),
    ],
)
def test_a_number_that_could_not_be_given_back_is_refused(shared, written, field) -> None:
    assert refused_as_written(shared, written) == (422, "out_of_range", field)


def refused_as_written(manager: Manager, more: str) -> tuple[int, str, str | None]:
    text = '{"items": [{"text": "x", "language": "en"}], "targets": ["zh"], ' + more + "}"
    headers = {"content-type": "application/json"}
    return error_of(manager.api.post("/v1/tasks", content=text, headers=headers))


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/uploads", "/v1/audio/transcriptions", "/asr"])
def test_a_boundary_longer_than_the_parser_takes_is_a_bad_form(shared, path) -> None:
    headers = {"content-type": f"multipart/form-data; boundary={'a' * 300}"}

    answer = shared.api.post(path, content=b"--a--", headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_multipart")


@pytest.mark.parametrize(
    ("path", "written", "field"),
    [
        ("result/lookup", CELL % (r"\ud800", "1"), "language"),
        ("result/lookup", CELL % ("zh", r"\ud800"), "text_id"),
        ("/v1/jobs/dead/retry", r'{"tasks": ["\ud800"]}', "tasks.0"),
        ("/v1/jobs/dead/retry", r'{"all": true, "queue": "\ud800"}', "queue"),
        ("/v1/webhooks", r'{"url": "https://hooks.example.com/\ud800"}', "url"),
        ("/v1/webhooks", r'{"url": "https://hooks.example.com/", "secret": "\ud800"}', "secret"),
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_is_refused_in_every_body(shared, path, written, field) -> None:
    if not path.startswith("/"):
        path = f"/v1/tasks/{shared.create(items=[TEXT], targets=['zh'])['id']}/{path}"
    headers = {"content-type": "application/json"}

    status, code, where = error_of(shared.api.post(path, content=written, headers=headers))

    assert (status, code, where.endswith(field)) == (422, "bad_unicode", True)


# ── what Python would take for something else ────────────────────────────────────────────────


@pytest.mark.parametrize("written", ["1_0", "+10", "10.0", "١", "1e1", "0x10", ""])
@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/keys", "/v1/audit", "/v1/jobs/dead"])
def test_a_number_is_written_in_digits(shared, path: str, written: str) -> None:
    answer = shared.api.get(path, params={"limit": written})
    assert error_of(answer) == (422, "invalid", "limit")


def test_the_place_of_a_reader_is_written_in_digits(shared) -> None:
    for path in (
        "/v1/events",
        f"/v1/tasks/{shared.create(items=[TEXT], targets=['zh'])['id']}/events",
    ):
        by_header = shared.api.get(path, headers={"last-event-id": "1_0"})
        assert error_of(by_header) == (422, "invalid", "last-event-id")
        assert error_of(shared.api.get(path, params={"after": "1_0"}))[2] == "after"


@pytest.mark.parametrize("wrong", ["a\nb", "a\x00", "\x1b[31m", "\x85"])
def test_names_and_descriptions_hold_no_control_characters(shared, wrong: str) -> None:
    key = {"name": wrong, "owner": "acme", "scopes": ["read"]}
    hook = {"url": "https://hooks.example.com/x", "description": wrong}

    refused = error_of(shared.api.post("/v1/keys", json=key))
    assert refused == (422, "control_character", "name")
    refused = error_of(shared.api.post("/v1/webhooks", json=hook))
    assert refused == (422, "control_character", "description")
    made = shared.api.post("/v1/webhooks", json={**hook, "description": "Ours."}).json()
    changed = shared.api.patch(f"/v1/webhooks/{made['id']}", json={"description": wrong})
    assert error_of(changed) == (422, "control_character", "description")
