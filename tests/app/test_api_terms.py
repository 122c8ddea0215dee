"""Term lists through the API, and the terms of a task: kept, copied, and refused."""

from __future__ import annotations

from typing import Any

import pytest
from running_manager import Manager, error_of

from services.model.hotwords import MAX_TERM, MAX_TERMS
from task_manager.schemas.terms import MAX_LISTS

PLAIN = {
    "boost": None, "language": None, "translations": {}, "keep": False, "case_sensitive": False
}  # fmt: skip
TEXT = {"items": [{"text": "Good morning.", "language": "en"}], "targets": ["en"]}


def made(manager: Manager, name: str = "products", *terms: Any) -> dict[str, Any]:
    body = {"name": name, "terms": list(terms) or ["Fanscribe"]}
    answer = manager.api.post("/v1/term-lists", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def task_with(manager: Manager, **hotwords: Any) -> dict[str, Any]:
    task = manager.create(**TEXT, options={"hotwords": hotwords})
    return manager.task(task["id"])["options"]["hotwords"]


def refused(manager: Manager, **hotwords: Any) -> tuple[int, str, str | None]:
    return manager.refused(**TEXT, options={"hotwords": hotwords})


# ── lists ────────────────────────────────────────────────────────────────────────────────────


def test_a_list_is_made_read_changed_and_deleted(manager: Manager) -> None:
    new = made(manager, "drugs", "Zyrtec", {"text": "頭孢", "boost": 2.5})
    path = f"/v1/term-lists/{new['id']}"
    assert new["terms"] == [{**PLAIN, "text": "Zyrtec"}, {**PLAIN, "text": "頭孢", "boost": 2.5}]
    assert manager.api.get(path).json() == new

    changed = manager.api.put(path, json={"terms": ["Nivolumab"], "revision": 1}).json()

    assert (changed["revision"], changed["count"]) == (2, 1)
    (summary,) = manager.api.get("/v1/term-lists").json()["term_lists"]
    assert summary == {name: changed[name] for name in summary}
    assert "terms" not in summary
    assert manager.api.delete(path).status_code == 204
    assert manager.api.get(path).status_code == 404


def test_a_list_that_somebody_else_has_changed_is_not_written_over(manager: Manager) -> None:
    path = f"/v1/term-lists/{made(manager)['id']}"
    manager.api.put(path, json={"terms": ["a"]})

    late = manager.api.put(path, json={"terms": ["b"], "revision": 1})

    assert error_of(late) == (409, "term_list_changed", "revision")
    assert manager.api.get(path).json()["terms"] == [{**PLAIN, "text": "a"}]


def test_there_is_one_list_of_a_name(manager: Manager) -> None:
    made(manager)
    again = manager.api.post("/v1/term-lists", json={"name": "products", "terms": []})
    assert error_of(again) == (409, "term_list_exists", "name")


def test_an_owner_has_so_many_lists(manager: Manager) -> None:
    for number in range(MAX_LISTS):
        made(manager, f"list {number}")
    over = manager.api.post("/v1/term-lists", json={"name": "one more", "terms": []})
    assert error_of(over) == (409, "too_many_term_lists", None)


@pytest.mark.parametrize(
    ("terms", "code", "field"),
    [
        (["a", "a"], "duplicate_term", "terms.1"),
        ([" "], "empty_term", "terms.0"),
        (["a\u0000"], "control_character", "terms.0"),
        (["a" * (MAX_TERM + 1)], "too_long", "terms.0.text"),
        ([{"text": "a", "boost": 0.9}], "out_of_range", "terms.0.term.boost"),
        ([{"text": "a", "boost": 10.1}], "out_of_range", None),
        (["a"] * (MAX_TERMS + 1), "too_long", "terms"),
    ],
)
def test_what_is_no_term_is_refused(
    manager: Manager, terms: list[Any], code: str, field: str | None
) -> None:
    answer = manager.api.post("/v1/term-lists", json={"name": "n", "terms": terms})
    status, found, where = error_of(answer)
    assert (status, found) == (422, code)
    assert field is None or where == field


# ── tasks ────────────────────────────────────────────────────────────────────────────────────


def test_a_task_keeps_the_terms_that_it_was_taken_with(manager: Manager) -> None:
    kept = made(manager, "products", "Fanscribe", {"text": "CTranslate2", "boost": 3})
    task = manager.create(**TEXT, options={"hotwords": {"list": "products", "terms": ["Whisper"]}})

    manager.api.put(f"/v1/term-lists/{kept['id']}", json={"terms": ["else"]})
    manager.api.delete(f"/v1/term-lists/{kept['id']}")

    hotwords = manager.task(task["id"])["options"]["hotwords"]
    assert [term["text"] for term in hotwords["terms"]] == ["Fanscribe", "CTranslate2", "Whisper"]
    assert hotwords["terms"][1]["boost"] == 3
    assert hotwords["taken_from"] == f"{kept['id']}@1"


def test_a_list_is_named_by_its_id_as_well(manager: Manager) -> None:
    kept = made(manager)
    assert task_with(manager, list=kept["id"])["taken_from"] == f"{kept['id']}@1"


@pytest.mark.parametrize(
    ("written", "method"), [("prompt_injection", "prompt"), ("logit_bias", "bias")]
)
def test_other_names_of_the_methods_are_understood(
    manager: Manager, written: str, method: str
) -> None:
    found = task_with(manager, terms=["Fanscribe"], method=written)
    assert (found["method"], found["boost_factor"]) == (method, 1.5)


@pytest.mark.parametrize(
    ("hotwords", "code", "field"),
    [
        ({}, "no_terms", "options.hotwords.terms"),
        ({"terms": ["a", "a"]}, "duplicate_term", "options.hotwords.terms.1"),
        ({"list": "none"}, "unknown_term_list", "options.hotwords.list"),
        ({"list": "a\u0000"}, "control_character", "options.hotwords.list"),
        ({"terms": ["a"], "method": "magic"}, "not_one_of", "options.hotwords.method"),
        ({"terms": ["a"], "boost_factor": 0.9}, "out_of_range", "options.hotwords.boost_factor"),
        ({"terms": ["a"], "boost_factor": 10.5}, "out_of_range", "options.hotwords.boost_factor"),
        ({"terms": ["a"], "weight": 1}, "unknown_field", "options.hotwords.weight"),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    manager: Manager, hotwords: dict[str, Any], code: str, field: str
) -> None:
    assert refused(manager, **hotwords) == (422, code, field)


def test_more_terms_than_a_task_takes_are_refused(manager: Manager) -> None:
    made(manager, "many", *map(str, range(MAX_TERMS)))
    assert refused(manager, list="many", terms=["one more"])[1] == "too_many_terms"


def test_terms_are_named_once(manager: Manager) -> None:
    options = {"hotwords": {"terms": ["a"]}, "keywords": ["b"]}
    assert manager.refused(**TEXT, options=options)[1] == "hotwords_and_keywords"


def test_terms_for_which_a_model_at_hand_has_no_room_are_refused_before_the_work(
    start: Any,
) -> None:
    manager = start(demo_models=True)
    many = [f"Xylograph {number}" for number in range(200)]
    options = {"model": "whisper-demo", "hotwords": {"terms": many}}

    status, code, field = manager.refused(**TEXT, options=options)

    assert (status, code, field) == (422, "no_room_for_terms", "options.hotwords.terms")
    manager.create(**TEXT, options={**options, "hotwords": {"terms": many, "method": "bias"}})
    manager.create(**TEXT, options={**options, "hotwords": {"terms": many[:10]}})


def test_a_form_takes_terms_too(manager: Manager) -> None:
    fields = {"texts": '{"1": "Hello."}', "language": "en", "targets": "en"}
    fields["hotwords"] = '{"terms": ["Fanscribe"], "method": "bias"}'
    task = manager.api.post("/v1/tasks", files={name: (None, v) for name, v in fields.items()})
    assert task.status_code == 202, task.text
    assert manager.task(task.json()["id"])["options"]["hotwords"]["method"] == "bias"
