"""The glossary of a task through the API: given, copied from lists, and refused."""

from __future__ import annotations

from typing import Any

import pytest
from running_manager import Manager, error_of

from services.model.glossary import MAX_TRANSLATION
from services.model.hotwords import MAX_TERMS
from task_manager.schemas.terms import MAX_NAMED

TEXT = {"items": [{"text": "Good morning.", "language": "en"}], "targets": ["zh", "de"]}
TERM = {"text": "Fanscribe", "translations": {"zh-CN": "范译"}, "keep": True}


def made(manager: Manager, name: str, *terms: Any) -> dict[str, Any]:
    answer = manager.api.post("/v1/term-lists", json={"name": name, "terms": list(terms)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def glossary_of(manager: Manager, **glossary: Any) -> dict[str, Any]:
    task = manager.create(**TEXT, options={"glossary": glossary})
    return manager.task(task["id"])["options"]["glossary"]


def refused(manager: Manager, **glossary: Any) -> tuple[int, str, str | None]:
    return manager.refused(**TEXT, options={"glossary": glossary})


def test_a_glossary_is_kept_with_its_task_by_canonical_tags(manager: Manager) -> None:
    assert glossary_of(manager, terms=[TERM]) == {
        "terms": [
            {
                "text": "Fanscribe", "boost": None, "language": None,
                "translations": {"zh": "范译"}, "keep": True, "case_sensitive": False,
            }
        ],
        "taken_from": [],
    }  # fmt: skip


def test_lists_are_copied_and_what_the_request_says_goes_first(manager: Manager) -> None:
    one = made(manager, "one", TERM, "only heard", {"text": "GPU", "keep": True})
    two = made(manager, "two", {"text": "bank", "translations": {"de": "Bank"}, "boost": 2})
    own = {"text": "GPU", "translations": {"zh": "显卡"}}

    found = glossary_of(manager, terms=[own], lists=["one", two["id"]])
    manager.api.delete(f"/v1/term-lists/{one['id']}")

    assert [term["text"] for term in found["terms"]] == ["GPU", "Fanscribe", "bank"]
    assert found["terms"][0]["translations"] == {"zh": "显卡"}
    assert found["terms"][2]["boost"] is None
    assert found["taken_from"] == [f"{one['id']}@1", f"{two['id']}@1"]


def test_a_list_is_good_for_both_ears_and_tongues(manager: Manager) -> None:
    made(manager, "products", {**TERM, "boost": 3})
    options = {"hotwords": {"list": "products"}, "glossary": {"lists": ["products"]}}
    task = manager.create(**TEXT, options=options)
    kept = manager.task(task["id"])["options"]
    assert kept["hotwords"]["terms"] == [{"text": "Fanscribe", "boost": 3}]
    assert kept["glossary"]["terms"][0]["translations"] == {"zh": "范译"}


def test_two_languages_may_share_a_word(manager: Manager) -> None:
    gift = {"text": "Gift", "language": "en", "translations": {"de": "Geschenk"}}
    poison = {"text": "Gift", "language": "de", "translations": {"zh": "毒药"}}
    assert len(glossary_of(manager, terms=[gift, poison])["terms"]) == 2


def test_lists_that_do_not_agree_are_refused_until_the_request_decides(manager: Manager) -> None:
    made(manager, "one", {"text": "bank", "translations": {"de": "Bank"}})
    made(manager, "two", {"text": "bank", "translations": {"de": "Ufer"}})
    made(manager, "three", {"text": "bank", "translations": {"de": "Bank"}, "boost": 2})
    lists = {"lists": ["one", "two"]}
    assert refused(manager, **lists) == (422, "conflicting_terms", "options.glossary.lists.1")
    own = {"text": "bank", "translations": {"de": "Bank"}}
    assert len(glossary_of(manager, terms=[own], **lists)["terms"]) == 1
    assert len(glossary_of(manager, lists=["one", "three"])["terms"]) == 1


@pytest.mark.parametrize(
    ("glossary", "code", "field"),
    [
        ({}, "no_terms", "terms"),
        ({"terms": ["Fanscribe"]}, "term_without_translation", "terms.0"),
        ({"terms": [{"text": "a", "boost": 2}]}, "term_without_translation", "terms.0"),
        ({"terms": [TERM, TERM]}, "duplicate_term", "terms.1"),
        ({"terms": [{"text": " ", "keep": True}]}, "empty_term", "terms.0"),
        ({"terms": [{"text": "a\u0000", "keep": True}]}, "control_character", "terms.0"),
        ({"terms": [{"text": "a", "translations": {"zh": " "}}]}, "empty_translation",
         "terms.0.translations.zh"),
        ({"terms": [{"text": "a", "translations": {"zh": "a\u0007"}}]}, "control_character",
         "terms.0.translations.zh"),
        ({"terms": [{"text": "a", "translations": {"klingon!": "x"}}]}, "unknown_language",
         "terms.0.translations"),
        ({"terms": [{"text": "a", "translations": {"zh": "x", "zh-CN": "y"}}]},
         "duplicate_translation", "terms.0.translations.zh"),
        ({"terms": [{"text": "a", "keep": True, "language": "klingon!"}]}, "unknown_language",
         "terms.0.language"),
        ({"lists": ["none"]}, "unknown_term_list", "lists.0"),
        ({"lists": ["a\u0000"]}, "control_character", "lists.0"),
        ({"lists": ["a"] * (MAX_NAMED + 1)}, "too_long", "lists"),
        ({"weight": 1}, "unknown_field", "weight"),
    ],
)  # fmt: skip
def test_a_glossary_that_makes_no_sense_is_refused(
    manager: Manager, glossary: dict[str, Any], code: str, field: str
) -> None:
    assert refused(manager, **glossary) == (422, code, f"options.glossary.{field}")


def test_a_translation_has_a_length(manager: Manager) -> None:
    long = {"text": "a", "translations": {"zh": "x" * (MAX_TRANSLATION + 1)}}
    assert refused(manager, terms=[long])[:2] == (422, "too_long")


def test_more_than_a_task_takes_is_refused(manager: Manager) -> None:
    made(manager, "many", *({"text": str(n), "keep": True} for n in range(MAX_TERMS)))
    assert refused(manager, lists=["many"], terms=[TERM])[1] == "too_many_terms"
    glossary_of(manager, lists=["many"])


def test_more_than_a_job_may_carry_is_refused_for_its_language(manager: Manager) -> None:
    long = [{"text": f"{n:04}", "translations": {"de": "ü" * 100}} for n in range(400)]
    assert refused(manager, terms=long) == (422, "glossary_too_large", "options.glossary.terms")
    both = [{**term, "translations": {"de": "ü" * 100, "fr": "ü" * 100}} for term in long[:300]]
    glossary_of(manager, terms=both)
    kept = [{"text": f"{n:04}{'字' * 90}", "keep": True} for n in range(400)]
    assert refused(manager, terms=kept)[1] == "glossary_too_large"


def test_a_form_takes_a_glossary_too(manager: Manager) -> None:
    fields = {"texts": '{"1": "Hello."}', "language": "en", "targets": "de"}
    fields["glossary"] = '{"terms": [{"text": "Fanscribe", "keep": true}]}'
    task = manager.api.post("/v1/tasks", files={name: (None, v) for name, v in fields.items()})
    assert task.status_code == 202, task.text
    kept = manager.task(task.json()["id"])["options"]["glossary"]
    assert kept["terms"][0]["text"] == "Fanscribe"


def test_a_stored_list_refuses_what_a_task_would(manager: Manager) -> None:
    bad = {"name": "n", "terms": [{"text": "a", "translations": {"zh": " "}}]}
    answer = manager.api.post("/v1/term-lists", json=bad)
    assert error_of(answer) == (422, "empty_translation", "terms.0.translations.zh")
