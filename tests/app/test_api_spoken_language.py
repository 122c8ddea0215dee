"""Which language was spoken, and which one the words are in, where the speech model translates."""

from __future__ import annotations

from typing import Any

import pytest
from asking import answered
from running_manager import Manager

from fanscribe import Fanscribe
from services.client.output import show_task
from services.model.job import Job, Stage
from services.model.stages import DetectResult
from services.model.task import ItemSpec, Manifest, Options, Target, Task
from task_manager import learnt

ENGLISH = {"task": "translate"}


def languages(told: dict[str, Any]) -> tuple[str | None, str | None]:
    return told["language"], told["spoken_language"]


def item_of(manager: Manager, task: str) -> dict[str, Any]:
    (item,) = manager.api.get(f"/v1/tasks/{task}/items").json()["items"]
    return item


def transcript_of(manager: Manager, task: str, **query: str) -> dict[str, Any]:
    return manager.api.get(f"/v1/tasks/{task}/items/talk/transcript", params=query).json()


def sent(manager: Manager, **item: str) -> dict[str, Any]:
    return {"text_id": "talk", "audio": manager.upload(), **item}


@pytest.mark.parametrize("stated", [{}, {"language": "fr"}], ids=["heard", "stated"])
def test_what_the_speech_model_writes_in_english_shows_both_languages(
    manager: Manager, stated: dict[str, str]
) -> None:
    manager.driver.languages = {"talk": "fr"}
    body = {"items": [sent(manager, **stated)], "targets": ["zh"], "options": ENGLISH}

    task = manager.finished(**body)["id"]

    assert languages(item_of(manager, task)) == ("en", "fr")
    assert languages(transcript_of(manager, task)) == ("en", "fr")
    assert languages(transcript_of(manager, task, language="zh")) == ("zh", None)


def test_what_is_written_as_it_is_spoken_shows_one(manager: Manager) -> None:
    manager.driver.languages = {"talk": "fr"}
    task = manager.finished(items=[sent(manager)], targets=["fr"])["id"]
    assert languages(item_of(manager, task)) == ("fr", "fr")
    assert languages(transcript_of(manager, task)) == ("fr", "fr")


def test_a_text_is_not_spoken(manager: Manager) -> None:
    item = {"text_id": "talk", "text": "Bonjour.", "language": "fr"}
    task = manager.finished(items=[item], targets=["fr"], options=ENGLISH)["id"]
    assert languages(item_of(manager, task)) == ("fr", None)
    assert languages(transcript_of(manager, task)) == ("fr", None)


def test_an_audio_with_its_text_is_in_the_language_of_that(manager: Manager) -> None:
    item = sent(manager, text="Bonjour.", language="fr")
    task = manager.finished(items=[item], targets=["zh"], options=ENGLISH)["id"]
    assert languages(item_of(manager, task)) == ("fr", "fr")
    assert languages(transcript_of(manager, task, source="A")) == ("en", "fr")
    assert languages(transcript_of(manager, task, source="T")) == ("fr", None)


@pytest.mark.parametrize(
    ("stated", "shown"), [({}, ("en", None)), ({"language": "fr"}, ("en", "fr"))]
)
def test_while_it_is_heard_the_language_of_the_words_is_told(
    manager: Manager, stated: dict[str, str], shown: tuple[str, str | None]
) -> None:
    body = {"items": [sent(manager, **stated)], "targets": ["zh"], "options": ENGLISH}
    task = manager.create(**body)["id"]
    token, grant = manager.driver.claim_stage("transcribe")
    manager.driver.tell(token, grant, 1, ["Heard."])
    assert languages(transcript_of(manager, task)) == shown


def test_a_language_that_was_told_from_windows_is_the_spoken_one() -> None:
    options = Options.model_validate({"transcribe_model": "m", "decoding": ENGLISH})
    targets = [Target(language="zh", spelling="zh")]
    manifest = Manifest(items=[ItemSpec(text_id="1")], targets=targets, options=options)
    task = Task(id="t", owner="o", created_at=0.0, manifest=manifest)
    job = Job(
        id="t/detect/0", task_id="t", stage=Stage.DETECT, item=0, owner="o", queue="q",
        priority=5, created_at=0.0, due=0.0,
        result=DetectResult(language="fr", probability=0.9).model_dump(),
    )  # fmt: skip
    known = learnt.facts(task, [job], [])
    assert (known["language"], known["spoken_language"]) == ("en", "fr")


def test_the_status_shows_from_which_language_into_which(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    manager.driver.languages = {"talk": "fr"}
    task = manager.finished(items=[sent(manager)], targets=["zh"], options=ENGLISH)["id"]
    with Fanscribe(manager.url) as api:
        show_task(api.task(task), list(api.items(task)), as_json=False)
    assert "fr → en" in capsys.readouterr().out


def test_an_answer_of_the_openai_route_names_the_language_that_was_spoken(
    manager: Manager,
) -> None:
    manager.driver.languages = {"talk": "fr"}
    path, files = "/v1/audio/translations", {"file": ("talk.wav", b"RIFF")}
    ask = {"model": "whisper-1"}
    told = answered(manager, lambda: manager.api.post(path, data=ask, files=files)).json()
    assert told["languages"] == [{"code": "fr"}]
