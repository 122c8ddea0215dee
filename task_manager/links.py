"""OpenAPI links: which requests the ids in an answer are for, so that programs can go on by
themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Operation = dict[str, Any]

# What an answer tells: path parameters of other routes, and where in its body each stands.
TELLS = {
    "create_task": {"task_id": "id"},
    "list_tasks": {"task_id": "tasks/0/id"},
    "list_dead_jobs": {"task_id": "jobs/0/task"},
    "list_items": {"text_id": "items/0/text_id"},
    "list_task_deliveries": {"delivery_id": "deliveries/0/id"},
    "create_upload": {"upload_id": "id"},
    "begin_upload": {"upload_id": "id"},
    "create_webhook": {"webhook_id": "id"},
    "list_webhooks": {"webhook_id": "webhooks/0/id"},
    "ping_webhook": {"delivery_id": "id"},
    "list_deliveries": {"delivery_id": "deliveries/0/id"},
    "create_key": {"key_id": "id"},
    "list_keys": {"key_id": "keys/0/id"},
    "list_nodes": {"node_id": "nodes/0/id"},
    "list_models": {"name": "data/0/id"},
}
_CHOSEN = {"form", "source", "language", "number"}  # path parameters that callers choose
_PAGE = {"cursor", "after"}  # query parameters that take the `next` of the page before


def add(document: dict[str, Any]) -> None:
    """Writes the links into an OpenAPI document."""
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    for operation in operations:
        links = dict(_onward(operation, operations))
        page = _PAGE & _parameters(operation, "query")
        if page and "next" in _fields(document, operation):
            told = dict.fromkeys(page, "$response.body#/next")
            links["next_page"] = _link(operation, told, _parameters(operation, "path"))
        if links:
            _good_answer(operation)["links"] = links


def _onward(operation: Operation, operations: list[Operation]) -> Iterator[tuple[str, Operation]]:
    """To every route that needs something of this answer, and nothing that is not known then."""
    told = {
        name: f"$response.body#/{place}"
        for name, place in TELLS.get(operation["operationId"], {}).items()
    }
    asked = _parameters(operation, "path")
    for other in operations:
        needed = _parameters(other, "path")
        if needed & set(told) and needed <= {*told, *asked, *_CHOSEN}:
            given = {name: place for name, place in told.items() if name in needed}
            yield other["operationId"], _link(other, given, asked & needed)


def _link(to: Operation, told: dict[str, str], asked: set[str]) -> Operation:
    carried = {name: f"$request.path.{name}" for name in sorted(asked) if name not in told}
    return {"operationId": to["operationId"], "parameters": {**carried, **told}}


def _parameters(operation: Operation, place: str) -> set[str]:
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == place}


def _fields(document: dict[str, Any], operation: Operation) -> set[str]:
    """Of the answer's body, where it is JSON that has a name."""
    schema = _good_answer(operation)["content"].get("application/json", {}).get("schema", {})
    named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return set(named.get("properties", {}))


def _good_answer(operation: Operation) -> Operation:
    """The first with a status of 2xx; others have nothing to say."""
    first = min(status for status in operation["responses"] if status.startswith("2"))
    found: Operation = operation["responses"][first]
    return found
