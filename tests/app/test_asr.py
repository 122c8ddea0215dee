"""The routes of whisper-asr-webservice, asked as Bazarr and subgen ask them."""

from __future__ import annotations

import json
import struct

import pytest
from asking import AUDIO, answered, tasks_of, waiting
from running_manager import PATIENCE_S, Manager, error_of

TEXT = "Heard talk."


def asked(manager: Manager, route: str = "/asr", content: bytes = b"RIFF of a talk", **query):
    files = {"audio_file": ("talk.wav", content)}
    return answered(manager, lambda: manager.api.post(route, params=query, files=files))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("txt", f"{TEXT}\n"),
        ("srt", f"1\n00:00:00,500 --> 00:00:02,500\n{TEXT}\n"),
        ("vtt", f"WEBVTT\n\n00:00:00.500 --> 00:00:02.500\n{TEXT}\n"),
        ("tsv", f"start\tend\ttext\n500\t2500\t{TEXT}\n"),
    ],
)
def test_every_output_comes_as_plain_text(manager: Manager, output: str, expected: str) -> None:
    answer = asked(manager, output=output)
    assert (answer.status_code, answer.text) == (200, expected)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].endswith(f"talk.{output}")
    assert answer.headers["asr-engine"] == "stub-whisper"


def test_text_is_the_output_of_those_who_name_none(manager: Manager) -> None:
    assert asked(manager).text == f"{TEXT}\n"


@pytest.mark.parametrize("words", [False, True])
def test_json_has_segments_and_words_where_they_are_asked_for(
    manager: Manager, words: bool
) -> None:
    told = json.loads(asked(manager, output="json", word_timestamps=words).text)
    assert (told["text"], told["language"]) == (TEXT, "en")
    (segment,) = told["segments"]
    assert (segment["start"], segment["end"], segment["text"]) == (0.5, 2.5, TEXT)
    shown = [each["word"] for each in segment.get("words", [])]
    assert shown == (["Heard", "talk."] if words else [])


def test_a_translation_into_english_names_the_language_that_is_spoken(manager: Manager) -> None:
    answer = asked(manager, task="translate", language="de", output="json")
    assert json.loads(answer.text)["language"] == "de"
    (task,) = tasks_of(manager)
    assert (task.manifest.options.decoding.task, task.manifest.items[0].language) == (
        "translate",
        "de",
    )


def test_what_is_asked_for_reaches_the_work(manager: Manager) -> None:
    files = {"audio_file": AUDIO}
    query = {"language": "zh", "initial_prompt": "Before.", "vad_filter": "false"}
    with waiting(lambda: manager.api.post("/asr", params=query, files=files)) as waits:
        token, grant = manager.driver.claim_stage("prepare")
        assert grant.spec.vad is False
        manager.driver.finish(token, grant)
        token, grant = manager.driver.claim_stage("transcribe")
        manager.driver.finish(token, grant)
        assert waits.result(PATIENCE_S).status_code == 200
    assert (grant.spec.language, grant.spec.decoding.prompt) == ("zh", "Before.")


def test_parameters_that_mean_nothing_here_are_named(manager: Manager) -> None:
    answer = asked(manager, video_file="/films/a.mkv", diarize="true")
    warnings = json.loads(answer.headers["x-fanscribe-warnings"])
    assert warnings == ["parameter_ignored: video_file", "parameter_ignored: diarize"]


def test_samples_without_a_header_get_one(manager: Manager) -> None:
    """Bazarr sends them with `encode=false`."""
    samples = b"\1\2" * 8000
    files = {"audio_file": ("film", samples)}
    with waiting(
        lambda: manager.api.post("/asr", params={"encode": "false"}, files=files)
    ) as waits:
        token, grant = manager.driver.claim_stage("prepare")
        (task,) = tasks_of(manager)
        stored = b"".join(manager.application.objects.get(grant.spec.audio.key))
        manager.driver.finish(token, grant)
        manager.driver.finish(*manager.driver.claim_stage("transcribe"))
        assert waits.result(PATIENCE_S).text == "Heard film.\n"
    assert stored.endswith(samples)
    riff, _, wave, _, _, kind, channels, rate = struct.unpack("<4sI4s4sIHHI", stored[:28])
    assert (riff, wave, kind, channels, rate) == (b"RIFF", b"WAVE", 1, 1, 16_000)
    assert task.metadata == {"route": "/asr"}


def test_an_empty_file_is_refused_with_or_without_a_header(shared: Manager) -> None:
    for encode in ("true", "false"):
        answer = shared.api.post(
            "/asr", params={"encode": encode}, files={"audio_file": ("a.wav", b"")}
        )
        assert error_of(answer) == (422, "empty_file", "audio_file")


@pytest.mark.parametrize("spoken", ["de", "he"])
def test_a_language_is_named_without_a_transcription(manager: Manager, spoken: str) -> None:
    manager.driver.languages = {"talk": spoken}
    answer = asked(manager, "/detect-language")
    assert answer.json() == {
        "detected_language": {"de": "german", "he": "hebrew"}[spoken],
        "language_code": spoken,
        "confidence": 0.8,
    }
    (task,) = tasks_of(manager)
    stages = {job.stage.value for job in manager.application.store.jobs_of_items(task.id, 0, 0)}
    assert stages == {"prepare", "detect"}


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"language": "klingon"}, "unknown_language", "language"),
        ({"output": "doc"}, "not_one_of", "output"),
        ({"task": "sing"}, "not_one_of", "task"),
        ({"initial_prompt": "x" * 10_001}, "too_long", "initial_prompt"),
    ],
)
def test_what_is_wrong_is_refused_in_our_envelope(
    shared: Manager, query, code: str, field: str
) -> None:
    answer = shared.api.post("/asr", params=query, files={"audio_file": AUDIO})
    assert error_of(answer) == (422, code, field)


def test_a_file_in_another_field_is_not_found(shared: Manager) -> None:
    answer = shared.api.post("/asr", files={"file": AUDIO})
    assert error_of(answer) == (422, "required", "audio_file")
