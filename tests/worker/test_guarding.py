"""Sounds that are no speech, before the real demo model: an empty transcript, never a phrase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from demo import speech
from services import settings
from services.model.decoding import Decoding
from services.model.stages import PartPlan, Place, TranscribeResult, TranscribeSpec
from services.model.transcript import Transcript
from services.storage.local import LocalStore
from services.worker.work import Attempt
from whisper_worker import listening, voice
from whisper_worker.segmenter import spans
from whisper_worker.timeline import RATE

SECONDS = 10
MOMENTS = np.arange(SECONDS * RATE) / RATE


def hum(hertz: float) -> np.ndarray:
    """With its overtones, as the mains has."""
    tones = [0.1 / k * np.sin(2 * np.pi * hertz * k * MOMENTS) for k in (1, 2, 3)]
    return np.sum(tones, axis=0)


SOUNDS = {
    "silence": np.zeros(SECONDS * RATE),
    "faint noise": np.random.default_rng(1).normal(0, 0.001, SECONDS * RATE),
    "loud noise": np.random.default_rng(1).normal(0, 0.2, SECONDS * RATE),
    "a hum of 50 Hz": hum(50),
    "a hum of 60 Hz": hum(60),
    "a hum of 100 Hz": hum(100),
    "a hum of 220 Hz": hum(220),
}


@pytest.fixture(autouse=True)
def demo_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FANSCRIBE_DEMO_MODELS", "true")
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@pytest.fixture
def hear(
    local_store: LocalStore,
    output_place: Callable[[str], Place],
    make_work: Callable[..., Attempt],
) -> Callable[..., Transcript]:
    """What is written down of samples, where speech was looked for in them (`vad`) or not."""

    def hear(samples: np.ndarray, *, vad: bool, **options: Any) -> Transcript:
        whole = np.clip(samples, -1, 1).astype(np.float32)
        info = local_store.put("pcm", [(whole * 32767).astype("<i2").tobytes()])
        total = len(whole)
        found = spans(voice.of(whole), window=voice.WINDOW, total=total)
        spec = TranscribeSpec(
            pcm=Place(key="pcm", url=local_store.url_to_get("pcm", 60), size=info.size),
            part=PartPlan(start=0, end=total, speech=found if vad else [(0, total)]),
            model="whisper-demo",
            language="en",
            decoding=Decoding(**options),
            output=output_place("out.json"),
            output_text=output_place("out.txt"),
        )
        result: TranscribeResult = listening.transcribe(spec, make_work(spec))
        assert result.no_speech == (result.segments == 0)
        return Transcript.model_validate_json(result.transcript.inline or "")

    return hear


@pytest.mark.parametrize("vad", [True, False])
@pytest.mark.parametrize("sound", SOUNDS)
def test_a_sound_that_is_no_speech_gives_an_empty_transcript(
    hear: Callable[..., Transcript], sound: str, vad: bool
) -> None:
    heard = hear(SOUNDS[sound], vad=vad)
    assert (heard.text, heard.segments, heard.no_speech) == ("", [], True)
    assert all(segment.flags for segment in heard.dropped)


def test_what_a_hum_is_taken_for_is_kept_aside_and_is_text_without_guards(
    hear: Callable[..., Transcript],
) -> None:
    heard = hear(SOUNDS["a hum of 220 Hz"], vad=False)
    assert [segment.flags for segment in heard.dropped] == [["no_voice"]] * len(heard.dropped) != []
    bare = hear(SOUNDS["a hum of 220 Hz"], vad=False, guards=[])
    assert (bare.no_speech, bare.dropped) == (False, [])


@pytest.mark.parametrize("vad", [True, False])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_guard_keeps_speech_away(
    hear: Callable[..., Transcript], vad: bool, language: str
) -> None:
    said = {"en": "The farmer is playing the violin.", "zh": "医生想踢足球。"}[language]
    samples = speech.speak(said, language, speech.voices(language, held_out=False)[0])
    heard = hear(np.concatenate([np.zeros(RATE), samples, np.zeros(2 * RATE)]), vad=vad)
    assert heard.segments
    assert heard.dropped == []
