"""Which pairs of languages a task may ask for: refused at once where they are known, else where
they are learnt; and what can be had in both scripts of Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import answered
from running_manager import Manager, error_of

CATALOG = """
[[model]]
name = "stub-whisper"
kind = "transcribe"
engine = "stub"

[[model]]
name = "stub-nmt"
kind = "translate"
engine = "stub"
pairs = [["en", "zh"], ["zh", "en"]]
"""
ENGLISH = {"text_id": "1", "text": "Good morning.", "language": "en"}
FRENCH = {"text_id": "2", "text": "Bonjour.", "language": "fr"}


@pytest.fixture
def narrow(start, tmp_path: Path) -> Manager:
    """It translates between English and Chinese, and nothing else."""
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG)
    return start(catalog_file=file, stub_models=False)


def refusal(manager: Manager, **body) -> dict:
    answer = manager.api.post("/v1/tasks", json=body)
    assert answer.status_code == 422, answer.text
    return answer.json()["error"]


@pytest.mark.parametrize(
    ("items", "language", "targets", "field"),
    [
        ([FRENCH], None, ["zh"], 0),
        ([ENGLISH, FRENCH], None, ["zh"], 1),
        ([ENGLISH], None, ["zh", "fr"], 0),
        ([{"text": "Bonjour."}], "fr", ["zh"], 0),
        ([{"text": "Bonjour."}], "French", ["zh-TW"], 0),
        ([{"text": "Bonjour.", "language": "fr"}], "en", ["en"], 0),
        ([{"text": "早安。", "language": "zh-TW"}], None, ["zh", "en", "fr"], 0),
    ],
)
def test_a_pair_that_is_known_not_to_be_served_is_refused(
    narrow: Manager, items, language, targets, field
) -> None:
    error = refusal(narrow, items=items, language=language, targets=targets)
    assert (error["code"], error["field"]) == ("pair_not_served", f"items.{field}.language")
    assert narrow.api.get("/v1/tasks").json()["tasks"] == []


@pytest.mark.parametrize(
    ("text", "language", "target", "told"),
    [
        ("Bonjour.", "fr", "zh", "fr into zh; from fr it can be: nothing."),
        ("Hello.", "en", "de", "en into de; from en it can be: zh, zh-Hant."),
        ("早安。", "zh-TW", "de", "zh-Hant into de; from zh-Hant it can be: en, zh."),
        ("早安。", "cn", "jp", "zh into ja; from zh it can be: en, zh-Hant."),
    ],
)
def test_a_refusal_lists_what_is_served(narrow: Manager, text, language, target, told) -> None:
    error = refusal(narrow, items=[{"text": text, "language": language}], targets=[target])
    assert error["message"] == f"No configured model translates {told}"


def test_stated_audio_is_held_to_the_same(narrow: Manager) -> None:
    item = {"audio": narrow.upload(), "language": "fr"}
    assert refusal(narrow, items=[item], targets=["zh"])["code"] == "pair_not_served"
    assert narrow.create(items=[item], targets=["fr"])["targets"] == ["fr"]


def test_what_the_speech_model_writes_in_english_is_translated_from_english(
    narrow: Manager,
) -> None:
    item = {"audio": narrow.upload(), "language": "fr"}
    english = {"task": "translate"}
    narrow.create(items=[item], targets=["zh-Hant"], options=english)
    both = {**item, "text": "Bonjour."}
    error = refusal(narrow, items=[both], targets=["zh-Hant"], options=english)
    assert error["message"].startswith("No configured model translates fr into zh-Hant")
    error = refusal(narrow, items=[{"audio": item["audio"]}], targets=["de"], options=english)
    assert error["message"].startswith("No configured model translates en into de")


def test_a_model_that_is_named_need_not_know_the_language_that_is_spoken(narrow: Manager) -> None:
    item = {"audio": narrow.upload(), "language": "fr"}
    for named in ({"translate_model": "stub-nmt"}, {"translate_models": {"zh": ["stub-nmt"]}}):
        options = {"task": "translate", **named}
        narrow.create(items=[item], targets=["zh"], options=options)
        error = refusal(narrow, items=[item], targets=["zh"], options=named)
        assert "does not translate fr into zh" in error["message"]


def test_a_language_is_added_to_what_was_written_in_english_from_english(narrow: Manager) -> None:
    item = {"text_id": "1", "audio": narrow.upload(), "language": "fr"}
    task = narrow.finished(items=[item], targets=["zh"], options={"task": "translate"})["id"]
    add = f"/v1/tasks/{task}/languages"
    assert error_of(narrow.api.post(add, json={"add": ["de"]})) == (422, "pair_not_served", "add")
    assert narrow.api.post(add, json={"add": ["zh-TW"]}).status_code == 202
    assert narrow.work(task)["state"] == "succeeded"
    assert narrow.api.get(f"/v1/tasks/{task}/result").json() == {
        "zh": {"1": {"A": "[zh] Heard 1."}},
        "zh-Hant": {"1": {"A": "[zh-Hant] Heard 1."}},
    }


def test_a_pair_that_is_learnt_not_to_be_served_fails_its_cells_alone(narrow: Manager) -> None:
    narrow.driver.languages = {"autre": "fr"}
    items = [{"text_id": each, "audio": narrow.upload(each.encode())} for each in ("autre", "one")]
    task = narrow.finished(items=[*items, ENGLISH], targets=["zh", "zh-Hant"])
    assert task["state"] == "partial"
    assert {(line["code"], line["message"]) for line in task["attempts"]} == {
        ("pair_not_served", "No configured model translates fr into zh."),
        ("pair_not_served", "No configured model translates fr into zh-Hant."),
    }
    result = narrow.api.get(f"/v1/tasks/{task['id']}/result").json()
    assert {language: set(texts) for language, texts in result.items()} == {
        "zh": {"one", "1"},
        "zh-Hant": {"one", "1"},
    }


def test_chinese_that_is_heard_comes_in_both_scripts_without_a_model(narrow: Manager) -> None:
    narrow.driver.languages = {"1": "zh"}
    task = narrow.finished(items=[{"text_id": "1", "audio": narrow.upload()}],
                           targets=["zh", "zh-Hant"])  # fmt: skip
    assert task["state"] == "succeeded"
    jobs = narrow.application.store.jobs_of_items(task["id"], 0, 0)
    assert {job.language: job.model for job in jobs if job.stage == "translate"} == {
        "zh-Hant": "opencc"
    }
    coded = narrow.api.get(f"/v1/tasks/{task['id']}/result", params={"form": "coded"}).json()
    assert set(coded["data"]) == {"1", "8"}


def test_a_script_is_spelt_as_the_caller_spelt_it_only_if_asked_to(narrow: Manager) -> None:
    for options, spelt in (({}, "zh-Hant"), ({"language_spelling": "caller"}, "zh_TW")):
        task = narrow.finished(items=[ENGLISH], targets=["zh_TW"], options=options)
        assert task["targets"] == [spelt]
        result = narrow.api.get(f"/v1/tasks/{task['id']}/result").json()
        assert result == {spelt: {"1": {"T": "[zh-Hant] Good morning."}}}


def test_one_model_for_all_leaves_scripts_to_their_conversion(narrow: Manager) -> None:
    items = [{"text_id": "1", "text": "早安。", "language": "zh"}]
    options = {"translate_model": "stub-nmt"}
    task = narrow.create(items=items, targets=["en", "zh-Hant"], options=options)
    jobs = narrow.application.store.jobs_of_items(task["id"], 0, 0)
    assert {job.language: job.model for job in jobs} == {"en": "stub-nmt", "zh-Hant": "opencc"}


def test_traditional_chinese_that_is_stated_is_heard_as_such_on_every_route(
    manager: Manager,
) -> None:
    files = {"audio_file": ("talk.wav", b"RIFF of a talk")}
    asked = {"language": "zh-TW", "output": "json"}
    told = answered(manager, lambda: manager.api.post("/asr", params=asked, files=files)).json()
    assert told["language"] == "zh"  # as Whisper calls it
    form = {"model": "whisper-1", "language": "zh-Hant", "response_format": "verbose_json"}
    files = {"file": ("talk.wav", b"RIFF of a talk")}
    told = answered(
        manager, lambda: manager.api.post("/v1/audio/transcriptions", data=form, files=files)
    ).json()
    assert told["language"] == "chinese"
    tasks = manager.api.get("/v1/tasks").json()["tasks"]
    items = [manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"] for task in tasks]
    assert [item["language"] for (item,) in items] == ["zh-Hant", "zh-Hant"]


def test_a_dictation_in_a_language_that_is_not_translated_is_refused(start, tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG.replace('"transcribe"', '"transcribe"\ntranslates = false'))
    narrow = start(catalog_file=file, stub_models=False)
    files = {"audio_file": ("talk.wav", b"RIFF of a talk")}
    asked = {"language": "fr", "task": "translate"}
    answer = narrow.api.post("/asr", params=asked, files=files)
    assert error_of(answer)[:2] == (422, "pair_not_served")
