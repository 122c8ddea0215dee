"""The faster-whisper engine on a tiny untrained model: real inference, words without sense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_whisper

from services.model.decoding import Decoding
from services.model.errors import FailureClass, JobFailed
from services.worker.model_cache import ModelCache
from whisper_worker.engines import Hearing
from whisper_worker.engines.faster_whisper import FasterWhisper


def test_the_language_is_one_that_the_model_knows(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    language, probability = tiny_engine.detect(samples)
    assert language in tiny_whisper.LANGUAGES
    assert 0.0 < probability <= 1.0


@pytest.mark.parametrize("language", ["zh", "de", "zh-Hant"])
def test_the_language_is_one_of_those_that_may_be_spoken(
    tiny_engine: FasterWhisper, samples: np.ndarray, language: str
) -> None:
    assert tiny_engine.detect(samples, [language])[0] == language


def test_chinese_that_may_be_spoken_in_two_scripts_is_in_the_first_of_them(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    assert tiny_engine.detect(samples, ["zh-Hant", "zh"])[0] == "zh-Hant"
    assert tiny_engine.detect(samples, ["zh", "zh-Hant"])[0] == "zh"


def test_a_model_that_knows_english_only_is_not_asked_what_it_hears(
    samples: np.ndarray, tmp_path: Path
) -> None:
    folder = tiny_whisper.write(tmp_path / "tiny.en", english_only=True)
    engine = FasterWhisper(folder, "cpu", "default")
    assert engine.detect(samples) == ("en", 1.0)
    assert list(engine.transcribe(samples, "en", Hearing(Decoding().safer())))


def test_hints_change_what_is_heard(tiny_engine: FasterWhisper, samples: np.ndarray) -> None:
    def heard(**hints: str) -> list[str]:
        hotwords = hints.pop("hotwords", "")
        hearing = Hearing(Decoding(**hints).safer(), hotwords=hotwords)  # type: ignore[arg-type]
        return [each.text for each in tiny_engine.transcribe(samples, "en", hearing)]

    plain = heard()
    assert heard() == plain
    assert heard(prompt="word1") != plain
    assert heard(hotwords="word1") != plain


def test_each_window_is_heard_as_if_it_were_alone(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    cuts = [(0, 9 * 16_000), (9 * 16_000, 30 * 16_000), (30 * 16_000, len(samples))]
    decoding = Decoding(prompt="word1").safer()
    hearing = Hearing(decoding, word_timestamps=True, windows=cuts)
    alone = replace(hearing, windows=())
    heard = list(tiny_engine.transcribe(samples, "en", hearing))
    assert [segment.id for segment in heard] == list(range(len(heard)))
    apart = [
        (start, end, segment)
        for start, end in cuts
        for segment in tiny_engine.transcribe(samples[start:end], "en", alone)
    ]
    assert len(heard) == len(apart)
    for found, (start, end, segment) in zip(heard, apart, strict=True):
        assert (found.text, len(found.words or [])) == (segment.text, len(segment.words or []))
        assert found.start == pytest.approx(start / 16_000 + segment.start)
        assert found.start <= found.end <= end / 16_000


def test_a_temperature_that_is_asked_for_is_kept(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    segments = tiny_engine.transcribe(samples, "en", Hearing(Decoding(temperature=[0.4])))
    assert {segment.temperature for segment in segments} == {0.4}


def test_a_text_is_counted_in_the_tokens_of_the_model(tiny_engine: FasterWhisper) -> None:
    assert (tiny_engine.count("word1"), tiny_engine.count("")) == (1, 0)


@pytest.mark.parametrize("words", [False, True])
def test_segments_come_in_order_with_what_the_guards_need(
    tiny_engine: FasterWhisper, samples: np.ndarray, words: bool
) -> None:
    hearing = Hearing(Decoding(beam_size=2, temperature=[0.0]), word_timestamps=words)
    segments = list(tiny_engine.transcribe(samples, "en", hearing))
    assert segments
    assert [segment.id for segment in segments] == list(range(len(segments)))
    for segment in segments:
        assert segment.avg_logprob is not None
        assert segment.no_speech_prob is not None
        assert segment.compression_ratio is not None
        assert segment.temperature == 0.0
    assert any(segment.words for segment in segments) == words


def test_a_language_that_whisper_does_not_know_is_permanent(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    with pytest.raises(JobFailed) as failed:
        list(tiny_engine.transcribe(samples, "tlh", Hearing()))
    assert failed.value.failure_class is FailureClass.PERMANENT


def test_a_model_is_loaded_once_and_makes_room_for_the_next() -> None:
    cache: ModelCache[object] = ModelCache()
    loaded: list[str] = []

    def load(name: str) -> object:
        loaded.append(name)
        return object()

    first = cache.get("a", lambda: load("a"))
    assert cache.get("a", lambda: load("a")) is first
    cache.get("b", lambda: load("b"))
    assert cache.get("a", lambda: load("a")) is not first
    assert loaded == ["a", "b", "a"]


def test_a_folder_without_a_model_is_an_error_and_reaches_for_no_hub(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"model\.bin"):
        FasterWhisper(tmp_path, "cpu", "default")
