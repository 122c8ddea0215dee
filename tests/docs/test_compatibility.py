"""Which changes of the API break a client, and which do not: one table."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pages import ROOT

sys.path.insert(0, str(ROOT / "docs"))
compatibility = importlib.import_module("compatibility")

NEW = {
    "type": "object",
    "required": ["targets"],
    "additionalProperties": False,
    "properties": {
        "targets": {"type": "array", "items": {"type": "string", "maxLength": 9}},
        "priority": {"type": "string", "enum": ["normal", "bulk"], "default": "normal"},
        "beam": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
        "label": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "options": {"type": "object", "default": {"fast": True}},
    },
}
TASK = {
    "type": "object",
    "required": ["id", "state"],
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["queued", "done"]},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Task"}},
        "progress": {"type": "number"},
    },
}
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/tasks": {
            "post": {
                "operationId": "create_task",
                "parameters": [
                    {"in": "query", "name": "dry", "schema": {"type": "boolean", "default": False}}
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/New"}},
                        "multipart/form-data": {"schema": {"type": "object"}},
                    },
                },
                "responses": {
                    "202": {
                        "headers": {"Location": {}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Task"}}
                        },
                    },
                    "422": {"description": "Wrong."},
                },
            }
        }
    },
    "components": {"schemas": {"New": NEW, "Task": TASK}},
}


class Draft:
    """A copy of the document to be changed."""

    def __init__(self) -> None:
        self.document = copy.deepcopy(DOCUMENT)
        self.paths = self.document["paths"]
        self.route = self.paths["/tasks"]["post"]
        self.new = self.document["components"]["schemas"]["New"]
        self.task = self.document["components"]["schemas"]["Task"]


def asked(**more: Any) -> Callable[[Draft], Any]:
    """A field of the request with these words changed; `field` names it."""
    return lambda draft: draft.new["properties"][more["field"]].update(more["to"])


def told(field: str, to: dict[str, Any]) -> Callable[[Draft], Any]:
    return lambda draft: draft.task["properties"].update({field: to})


def parameter(**more: Any) -> Callable[[Draft], Any]:
    return lambda draft: draft.route["parameters"].append(
        {"in": "query", "name": "owner", "schema": {"type": "string"}, **more}
    )


BREAKS = [
    (lambda draft: draft.paths.clear(), "the route is gone"),
    (lambda draft: draft.route.update(operationId="make"), "its name was `create_task`"),
    (lambda draft: draft.route.update(security=[{"key": []}]), "it needs a key now"),
    (lambda draft: draft.route["parameters"].clear(), "the query parameter `dry` is gone"),
    (parameter(required=True), "new required query parameter `owner`"),
    (lambda draft: draft.route["parameters"][0].update(required=True), "`dry` is required now"),
    (lambda draft: draft.route.pop("requestBody"), "it takes no body any more"),
    (
        lambda draft: draft.route["requestBody"]["content"].pop("multipart/form-data"),
        "the request is no multipart/form-data any more",
    ),
    (lambda draft: draft.new["properties"].pop("label"), "the field `label` is gone"),
    (lambda draft: draft.new["required"].append("beam"), "the field `beam` is required"),
    (
        lambda draft: (
            draft.new["required"].append("owner"),
            draft.new["properties"].update(owner={"type": "string"}),
        ),
        "new required field `owner`",
    ),
    (asked(field="beam", to={"maximum": 5}), "maximum 10 → 5"),
    (asked(field="beam", to={"minimum": 2}), "minimum 1 → 2"),
    (asked(field="beam", to={"default": 4}), "5 → 4"),
    (asked(field="options", to={"default": {"fast": False}}), "False"),
    (asked(field="options", to={"default": {}}), "{}"),
    (asked(field="beam", to={"type": "string"}), "integer → not any more"),
    (asked(field="priority", to={"enum": ["normal"]}), "`bulk` → not any more"),
    (asked(field="priority", to={"pattern": "^n"}), "pattern any → ^n"),
    (asked(field="label", to={"anyOf": [{"type": "string"}]}), "null → not any more"),
    (asked(field="targets", to={"items": {"type": "string", "maxLength": 2}}), "each is narrower"),
    (asked(field="targets", to={"maxItems": 3}), "maxItems any → 3"),
    (lambda draft: draft.route["responses"].pop("202"), "it answers no 202 any more"),
    (lambda draft: draft.route["responses"].update({"200": {}}), "it may answer 200 now"),
    (lambda draft: draft.route["responses"]["202"].pop("headers"), "no header `Location`"),
    (lambda draft: draft.task["properties"].pop("id"), "the field `id` is gone"),
    (lambda draft: draft.task["required"].remove("id"), "`id` may be missing"),
    (told("id", {"anyOf": [{"type": "string"}, {"type": "null"}]}), "also null"),
    (told("id", {"type": "integer"}), "also integer"),
    (told("id", {}), "string → anything"),
    (told("state", {"type": "string", "enum": ["queued", "done", "lost"]}), "also `lost`"),
    (told("state", {"type": "string"}), "any value"),
]
ADDS = [
    (lambda draft: draft.paths.update({"/x": {"get": {"responses": {}}}}), "new route"),
    (parameter(), "new query parameter `owner`"),
    (lambda draft: draft.new["properties"].update(more={"type": "string"}), "new field `more`"),
    (lambda draft: draft.new["required"].clear(), "`targets` may be missing"),
    (asked(field="beam", to={"maximum": 20}), "maximum 10 → 20"),
    (asked(field="beam", to={"type": "number"}), "also number"),
    (asked(field="priority", to={"enum": ["normal", "bulk", "now"]}), "also `now`"),
    (lambda draft: draft.new.pop("additionalProperties"), "any further fields"),
    (lambda draft: draft.route["requestBody"]["content"].update({"text/x": {}}), "may be text/x"),
    (lambda draft: draft.route["responses"].update({"409": {}}), "it may answer 409 now"),
    (lambda draft: draft.route["responses"].pop("422"), "it answers no 422 any more"),
    (told("name", {"type": "string"}), "new field `name`"),
    (lambda draft: draft.task["required"].append("progress"), "`progress` is always there"),
    (told("state", {"type": "string", "enum": ["done"]}), "`queued` → not any more"),
    (told("progress", {"type": "integer"}), "number → not any more"),
]
NOTHING = [
    lambda draft: draft.route.update(summary="Takes a task.", description="In words."),
    asked(field="beam", to={"description": "More is slower.", "examples": [3]}),
    lambda draft: draft.task.update(title="Another"),
    asked(field="options", to={"default": {"fast": True, "new": 1}}),  # its field tells of it
]


def found(change: Callable[[Draft], Any]) -> list[Any]:
    draft = Draft()
    change(draft)
    return compatibility.changes(DOCUMENT, draft.document)


@pytest.mark.parametrize(("change", "said"), BREAKS, ids=[said for _, said in BREAKS])
def test_a_change_that_breaks_a_client_is_told(change: Callable[[Draft], Any], said: str) -> None:
    breaking = [str(each) for each in found(change) if each.breaks]

    assert any(said in each for each in breaking), found(change)


@pytest.mark.parametrize(("change", "said"), ADDS, ids=[said for _, said in ADDS])
def test_a_change_that_breaks_nobody_is_told_as_such(
    change: Callable[[Draft], Any], said: str
) -> None:
    (only,) = found(change)

    assert (only.breaks, said in str(only)) == (False, True), only


@pytest.mark.parametrize("change", NOTHING)
def test_words_for_people_are_no_change(change: Callable[[Draft], Any]) -> None:
    assert found(change) == []


def test_what_is_added_is_missed_by_who_goes_back() -> None:
    draft = Draft()
    draft.paths["/x"] = {"get": {"responses": {}}}

    (gone,) = compatibility.changes(draft.document, DOCUMENT)

    assert (gone.breaks, str(gone)) == (True, "`GET /x`: the route is gone.")
