"""A task names, for each target language, the models of which the first that serves is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from running_manager import Manager

TEXT = {"text_id": "1", "text": "Good morning.", "language": "en"}
CATALOG = """
[[model]]
name = "first"
kind = "translate"
engine = "stub"
pairs = [["en", "de"], ["fr", "ja"]]

[[model]]
name = "second"
kind = "translate"
engine = "stub"
aliases = ["other"]
languages = ["en", "de", "ja"]
"""


@pytest.fixture
def catalog_manager(start, tmp_path: Path) -> Manager:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG)
    return start(catalog_file=file)


def models_of(manager: Manager, targets: list[str], **options) -> dict[str, str]:
    """Target → the model that its job waits for."""
    task = manager.create(items=[TEXT], targets=targets, options=options)
    jobs = manager.application.store.jobs_of_items(task["id"], 0, 0)
    return {job.language: job.model for job in jobs}


def test_the_first_model_of_a_list_that_serves_the_pair_is_taken(catalog_manager) -> None:
    wanted = {"ja": ["first", "other"], "*": ["stub-nmt", "first"]}
    made = models_of(catalog_manager, ["ja", "de", "zh"], translate_models=wanted)
    assert made == {"ja": "second", "de": "stub-nmt", "zh": "stub-nmt"}


def test_a_language_without_a_list_is_left_to_the_catalog(catalog_manager) -> None:
    made = models_of(catalog_manager, ["ja", "de"], translate_models={"jp": ["stub-nmt"]})
    assert made == {"ja": "stub-nmt", "de": "first"}


def test_one_model_may_still_be_named_for_all(catalog_manager) -> None:
    made = models_of(catalog_manager, ["ja", "de"], translate_model="other")
    assert made == {"ja": "second", "de": "second"}


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({"translate_models": {"de": ["nobody"]}}, "unknown_model", ".de.0"),
        ({"translate_models": {"de": ["first", "stub-whisper"]}}, "unknown_model", ".de.1"),
        ({"translate_models": {"fr": ["stub-nmt"]}}, "not_a_target", ".fr"),
        ({"translate_models": {"elvish": ["first"]}}, "unknown_language", ""),
        ({"translate_models": {"ja": ["first"], "jp": ["first"]}}, "duplicate_target", ".ja"),
        ({"translate_models": {"ja": ["first"]}}, "pair_not_served", ".ja"),
        ({"translate_models": {"zh": ["second", "first"]}}, "pair_not_served", ".zh.0"),
        ({"translate_models": {"*": ["first"]}}, "pair_not_served", ".*"),
        ({"translate_models": {"de": []}}, "too_short", ".de"),
        (
            {"translate_models": {"de": ["first"]}, "translate_model": "first"},
            "conflicting_options",
            "",
        ),
    ],
)
def test_what_no_model_of_a_list_can_do_is_refused(catalog_manager, options, code, field) -> None:
    refused = catalog_manager.refused(items=[TEXT], targets=["de", "ja", "zh"], options=options)
    assert refused == (422, code, f"options.translate_models{field}")


def test_a_refusal_names_what_the_models_serve(catalog_manager) -> None:
    body = {"items": [TEXT], "targets": ["ja"], "options": {"translate_models": {"*": ["first"]}}}
    answer = catalog_manager.api.post("/v1/tasks", json=body)
    assert "from en it can be: de" in answer.json()["error"]["message"]


def test_lists_may_come_as_a_field_of_a_form(catalog_manager) -> None:
    form = {
        "targets": "de",
        "texts": '{"1": "Good morning."}',
        "language": "en",
        "translate_models": '{"de": ["second"]}',
    }
    sent = [(name, (None, value)) for name, value in form.items()]
    answer = catalog_manager.api.post("/v1/tasks", files=sent)
    assert answer.status_code == 202, answer.text
    task = catalog_manager.task(answer.json()["id"])
    assert task["options"]["translate_models"] == {"de": ["second"]}


def test_a_name_that_is_no_text_is_refused_in_words_that_are_one(catalog_manager) -> None:
    body = """{"items": [{"text": "Hi.", "language": "en"}], "targets": ["de"],
        "options": {"translate_models": {"\\ud800": ["first"]}}}"""
    headers = {"content-type": "application/json"}
    answer = catalog_manager.api.post("/v1/tasks", content=body, headers=headers)
    assert answer.status_code == 422


def test_a_pair_that_is_known_only_later_and_not_served_fails_its_cells(catalog_manager) -> None:
    audio = {"text_id": "1", "audio": catalog_manager.upload()}
    task = catalog_manager.finished(
        items=[audio],
        targets=["ja", "de"],
        options={"translate_models": {"ja": ["first"], "*": ["stub-nmt"]}},
    )
    assert [line["code"] for line in task["attempts"]] == ["pair_not_served"]
    assert task["state"] == "partial"
