"""OpenAI's client and a Bazarr-like caller against a whole stack: real decoder, queue, workers."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import APITimeoutError, OpenAI

from tests.system.conftest import PATIENCE_S, Stack, wait_for

StartStack = Callable[..., Stack]
Spoken = Callable[[str], Path]


def test_the_official_client_is_answered_and_its_time_out_ends_the_work(
    stub_stack: StartStack, spoken: Spoken
) -> None:
    stack = stub_stack()
    with OpenAI(
        base_url=f"{stack.url}/v1", api_key="any", timeout=PATIENCE_S, max_retries=0
    ) as client:
        found = client.audio.transcriptions.create(
            file=spoken("talk"),
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
        assert found.language == "english"
        assert found.text.startswith("Stub sentence 1 of")
        assert found.segments[-1].end <= found.duration
        assert found.words[0].word == "Stub"
        events = list(
            client.audio.transcriptions.create(
                file=spoken("streamed"), model="stub-whisper", stream=True
            )
        )
        assert "".join(each.delta for each in events[:-1]) == events[-1].text == found.text
        with pytest.raises(APITimeoutError):
            client.audio.transcriptions.create(
                file=spoken("slow"), model="whisper-1", language="en", timeout=5
            )
    wait_for("the cancel", lambda: tasks_of(stack)[0]["state"] == "cancelled", patience_s=60)
    assert tasks_of(stack)[0]["metadata"] == {"route": "/v1/audio/transcriptions"}


def test_bazarr_s_bare_samples_become_subtitles_and_their_language_a_name(
    stub_stack: StartStack, spoken: Spoken
) -> None:
    stack = stub_stack()
    with wave.open(str(spoken("film"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples = file.readframes(file.getnframes())
        seconds = file.getnframes() / 16_000
    with httpx.Client(base_url=stack.url, timeout=PATIENCE_S) as client:
        files = {"audio_file": ("audio_stream", samples)}
        query = {"task": "transcribe", "language": "en", "output": "srt", "encode": "false"}
        subtitles = client.post("/asr", params=query, files=files)
        language = client.post("/detect-language", params={"encode": "false"}, files=files)
    assert subtitles.text.startswith("1\n00:00:00,"), subtitles.text
    assert "x-fanscribe-warnings" not in subtitles.headers
    assert language.json() == {
        "detected_language": "english",
        "language_code": "en",
        "confidence": 1.0,
    }
    heard, oldest = tasks_of(stack)
    (item,) = httpx.get(f"{stack.url}/v1/tasks/{oldest['id']}/items").json()["items"]
    assert abs(item["duration"] - seconds) < 0.1
    assert [heard["targets"], oldest["targets"]] == [[], []]


def tasks_of(stack: Stack) -> list[Any]:
    """Newest first."""
    found: list[Any] = httpx.get(f"{stack.url}/v1/tasks").json()["tasks"]
    return found
