"""The OpenAPI document: what it says of itself fits together, and its links lead somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asking import answered
from key_holder import SECRETS
from running_manager import Manager

from task_manager import submission
from task_manager.links import TELLS
from task_manager.routes.bodies import FORM_SCHEMA

TEXT = {"text_id": "a/b", "text": "Hello.", "language": "en"}


@pytest.fixture(scope="module")
def document(shared: Manager) -> dict[str, Any]:
    return shared.api.get("/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By their names."""
    return {
        each["operationId"]: each
        for methods in document["paths"].values()
        for each in methods.values()
    }


def links(operations: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, str]]]:
    for name, operation in operations.items():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                yield name, link["operationId"], link["parameters"]


@pytest.mark.parametrize(("secrets", "needs_none"), [({}, True), (SECRETS, False)])
def test_only_a_server_with_a_key_asks_for_one(start, secrets, needs_none: bool) -> None:
    paths = start(**secrets).api.get("/openapi.json").json()["paths"]
    asked = [
        each["security"]
        for methods in paths.values()
        for each in methods.values()
        if "security" in each
    ]
    assert len(asked) > 40
    assert all(({} in each) is needs_none for each in asked)


def test_every_reference_leads_to_a_schema(document) -> None:
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert "Problem" in named
    assert named <= set(document["components"]["schemas"])


def test_every_route_with_a_body_says_how_it_refuses_one(operations) -> None:
    with_body = {name: each for name, each in operations.items() if "requestBody" in each}
    assert len(with_body) > 15
    assert {
        name
        for name, each in with_body.items()
        if not {"400", "408", "413", "422"} <= set(each["responses"])
    } == {"put_part"}  # any bytes are a part


def test_every_route_that_writes_says_that_the_disk_may_be_full(document) -> None:
    reads = {"look_up_cells", "sign_parts"}
    silent = {
        each["operationId"]
        for methods in document["paths"].values()
        for method, each in methods.items()
        if method != "get" and "507" not in each["responses"]
    }
    assert silent == reads


def test_every_text_in_a_body_is_bounded_so_that_half_a_surrogate_is_found(
    document, operations
) -> None:
    """A text with no rule of its own is taken as it is, half a surrogate pair included, and no
    store and no answer can hold that. The body of a task is read by a stricter reader."""
    bodies = {
        name: each["requestBody"]["content"]["application/json"]["schema"]
        for name, each in operations.items()
        if name != "create_task"
        and "application/json" in each.get("requestBody", {}).get("content", {})
    }
    assert len(bodies) > 8
    loose = [
        f"{name}: {place}"
        for name, schema in bodies.items()
        for place, text in texts(document, schema)
        if not {"maxLength", "pattern", "enum", "const"} & set(text)
    ]
    assert loose == ["change_node: labels"]  # has a rule of its own, and tells what it is


def texts(document, schema, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a text inside this one, with where it stands."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from texts(document, document["components"]["schemas"][name], place)
    if schema.get("type") == "string":
        yield place, schema
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from texts(document, schema[word], place)
    for each in schema.get("anyOf", []):
        yield from texts(document, each, place)
    for name, each in schema.get("properties", {}).items():
        yield from texts(document, each, f"{place}.{name}" if place else name)


def test_every_link_fills_parameters_that_its_route_has(operations) -> None:
    found = list(links(operations))
    assert len(found) > 50
    for source, target, parameters in found:
        known = {each["name"] for each in operations[target].get("parameters", [])}
        assert set(parameters) <= known, (source, target)


def test_every_id_that_is_told_leads_somewhere(operations) -> None:
    assert set(TELLS) <= set(operations)
    assert set(TELLS) <= {source for source, *_ in links(operations)}


def test_who_follows_the_links_comes_from_a_task_to_its_words(shared, operations) -> None:
    """As a program would that knows nothing but the document."""
    created = shared.finished(items=[TEXT], targets=["zh"])
    answer = operations["create_task"]["responses"]["202"]["links"]
    assert answer["get_result"]["parameters"] == {"task_id": "$response.body#/id"}
    items = shared.api.get(f"/v1/tasks/{created['id']}/items").json()

    following = operations["list_items"]["responses"]["200"]["links"]["get_cell"]["parameters"]

    assert following == {
        "task_id": "$request.path.task_id",
        "text_id": "$response.body#/items/0/text_id",
    }
    path = f"/v1/tasks/{created['id']}/result/zh/{items['items'][0]['text_id']}/T"
    assert shared.api.get(path).json()["text"] == "[zh] Hello."


def test_an_upload_is_found_by_the_id_that_it_was_answered(shared) -> None:
    begun = shared.api.post("/v1/uploads/parts", json={"size": 4}).json()
    assert begun["key"] == f"uploads/{begun['id']}"
    assert shared.api.get(f"/v1/uploads/{begun['id']}").json() == begun


@pytest.mark.parametrize("form", ["json", "text", "srt", "verbose_json", "vtt", "stream"])
def test_words_come_in_no_form_that_the_document_does_not_know(shared, operations, form) -> None:
    fields = {"stream": "true"} if form == "stream" else {"response_format": form}
    body = {"data": {"model": "stub-whisper", **fields}, "files": {"file": ("1.wav", b"RIFF")}}

    answer = answered(shared, lambda: shared.api.post("/v1/audio/transcriptions", **body))

    kind = answer.headers["content-type"].partition(";")[0]
    assert answer.status_code == 200
    assert kind in operations["create_transcription"]["responses"]["200"]["content"]


def test_the_form_of_a_task_is_described_with_every_field_that_it_takes() -> None:
    assert set(FORM_SCHEMA["schema"]["properties"]) == {*submission._FIELDS, "files", "targets"}
