"""Every option of the decoder, as real models take it: one that babbles, and the demo model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.audio import decode_audio, pad_or_trim
from faster_whisper.tokenizer import Tokenizer

import demo
from services.model.decoding import Decoding
from services.model.errors import FailureClass, JobFailed
from services.model.transcript import Segment
from whisper_worker.engines import Hearing
from whisper_worker.engines.faster_whisper import FasterWhisper
from whisper_worker.engines.readings import BEFORE, Reading

SAMPLE = Path(demo.__file__).parent / "sample"
END = 201  # the babbler's token for the end of a text
FIRST_WORD = 107  # of what it babbles


def said(engine: FasterWhisper, samples: np.ndarray, **options: Any) -> list[Segment]:
    hotwords = options.pop("hotwords", "")
    hearing = Hearing(Decoding(**{"temperature": [0.0], **options}), hotwords=hotwords)
    return list(engine.transcribe(samples, "en", hearing))


def texts(segments: list[Segment]) -> list[str]:
    return [segment.text for segment in segments]


@pytest.fixture(scope="module")
def clear() -> np.ndarray:
    return decode_audio(str(SAMPLE / "1.mp3"))


@pytest.fixture(scope="module")
def noisy(clear: np.ndarray) -> Callable[[float], np.ndarray]:
    def noisy(loud: float) -> np.ndarray:
        noise = np.random.default_rng(0).normal(0, loud, len(clear))
        return (clear + noise).astype(np.float32)

    return noisy


@pytest.mark.parametrize(
    "option",
    [
        {"beam_size": 1},
        {"repetition_penalty": 2.0},
        {"no_repeat_ngram_size": 1},
        {"temperature": [1.0]},
        {"max_new_tokens": 7},
        {"prefix": "word7"},
        {"prompt": "word7"},
        {"task": "translate"},
        {"suppress_tokens": [FIRST_WORD]},
    ],
    ids=lambda option: next(iter(option)),
)
def test_an_option_changes_what_is_heard(
    tiny_engine: FasterWhisper, samples: np.ndarray, option: dict[str, Any]
) -> None:
    short = samples[: 8 * 16_000]
    assert texts(said(tiny_engine, short, **option)) != texts(said(tiny_engine, short))


@pytest.mark.parametrize(
    "option",
    [{"length_penalty": -2.0}, {"patience": 4.0}, {"suppress_tokens": []}],
    ids=lambda option: next(iter(option)),
)
def test_an_option_changes_the_readings_of_noisy_speech(
    demo_engine: FasterWhisper, noisy: Callable[[float], np.ndarray], option: dict[str, Any]
) -> None:
    def changed(loud: float) -> bool:
        heard = said(demo_engine, noisy(loud), n_best=4)
        return said(demo_engine, noisy(loud), n_best=4, **option) != heard

    assert any(changed(loud) for loud in (0.12, 0.11, 0.13, 0.1, 0.08))


def readings(engine: FasterWhisper, prompt: int = 0, **options: Any) -> list[Reading]:
    """Those of five seconds of noise, behind so many tokens."""
    model = engine._model
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language="en")
    decoding = Decoding(**{"temperature": [0.0], **options})
    noise = np.random.default_rng(3).normal(0, 0.1, 5 * 16_000).astype(np.float32)
    encoded = model.encode(pad_or_trim(model.feature_extractor(noise)[..., :-1]))
    asked = model.asked(decoding, tokenizer, words=False, hotwords="")
    prompts = [model.get_prompt(tokenizer, [7] * prompt)]
    return model.readings(encoded, prompts, tokenizer, asked, decoding.temperature[0])[0]


@pytest.mark.parametrize("prompt", [0, 10, BEFORE])
@pytest.mark.parametrize("most", [1, 9, 221])
def test_just_as_many_tokens_are_written_as_are_allowed(
    tiny_engine: FasterWhisper, most: int, prompt: int
) -> None:
    (found,) = readings(tiny_engine, prompt, max_new_tokens=most, suppress_tokens=[END])
    assert len(found.tokens) == most


def test_the_length_of_a_window_includes_what_stands_before_its_text(
    tiny_engine: FasterWhisper,
) -> None:
    (found,) = readings(tiny_engine, 10, max_length=40, suppress_tokens=[END])
    assert len(found.tokens) == 40 - len(["<|startofprev|>", *range(10), "sot", "en", "task"])


def test_a_prompt_that_leaves_no_room_for_text_is_permanent(tiny_engine: FasterWhisper) -> None:
    with pytest.raises(JobFailed) as failed:
        readings(tiny_engine, 50, max_length=40)
    assert (failed.value.failure_class, failed.value.code) == (
        FailureClass.PERMANENT,
        "no_room_for_text",
    )


def test_terms_and_previous_text_fit_together(tiny_engine: FasterWhisper) -> None:
    model = tiny_engine._model
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language="en")
    full = model.get_prompt(tokenizer, [7] * 500, hotwords="word1")
    assert len(full) == len(["prev", *range(BEFORE), "sot", "en", "task"])
    beside = model.get_prompt(tokenizer, [], hotwords="word1", prefix="word2")
    assert tokenizer.sot_prev in beside, "terms count beside a prefix"


def test_other_readings_come_with_the_segment_that_they_are_of(
    demo_engine: FasterWhisper, noisy: Callable[[float], np.ndarray]
) -> None:
    heard = []
    for loud in (0.08, 0.09, 0.06, 0.05, 0.1, 0.11):
        heard = said(demo_engine, noisy(loud), n_best=4)
        assert texts(heard) == texts(said(demo_engine, noisy(loud)))
        if any(segment.alternatives for segment in heard):
            break
    others = [segment for segment in heard if segment.alternatives]
    assert others
    for segment in others:
        found = [other.text for other in segment.alternatives or []]
        assert len({segment.text, *found}) == len(found) + 1 <= 4
        assert all(other.avg_logprob < 0 for other in segment.alternatives or [])


def test_sampling_gives_other_readings_too_and_no_more_than_asked(
    demo_engine: FasterWhisper, noisy: Callable[[float], np.ndarray]
) -> None:
    """Five draws may all be alike by chance: so the noise is such that they seldom are."""
    for _ in range(5):
        heard = said(demo_engine, noisy(0.05), n_best=2, best_of=5, temperature=[1.0])
        most = max(len(segment.alternatives or []) for segment in heard)
        assert most <= 1
        if most == 1:
            return
    pytest.fail("five times five draws gave no other reading")


def test_the_likeliest_token_alone_to_draw_from_is_no_chance_at_all(
    demo_engine: FasterWhisper, noisy: Callable[[float], np.ndarray]
) -> None:
    draws = {"temperature": [1.0], "sampling_top_k": 1, "best_of": 1}
    greedy = said(demo_engine, noisy(0.1), beam_size=1)
    assert texts(said(demo_engine, noisy(0.1), **draws)) == texts(greedy)


def test_the_next_temperature_is_tried_where_a_window_goes_wrong(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    def temperatures(**options: Any) -> set[float | None]:
        heard = said(
            tiny_engine, samples, temperature=[0.0, 0.4], no_speech_threshold=None, **options
        )
        return {segment.temperature for segment in heard}

    calm = {"log_prob_threshold": None, "compression_ratio_threshold": None}
    assert temperatures(**calm) == {0.0}
    assert temperatures(**{**calm, "log_prob_threshold": 0.0}) == {0.4}
    assert 0.4 in temperatures(**{**calm, "compression_ratio_threshold": 1.0})


def test_a_window_sees_the_text_before_it_only_where_that_is_asked_for(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    cuts = [(0, 20 * 16_000), (20 * 16_000, len(samples))]

    alone = texts(said(tiny_engine, samples[20 * 16_000 :]))

    def second(**options: Any) -> list[str]:
        hearing = Hearing(Decoding(temperature=[0.0], **options), windows=cuts)
        return texts(list(tiny_engine.transcribe(samples, "en", hearing)))[-len(alone) :]

    assert second() == alone
    assert second(condition_on_previous_text=True) != alone


def test_a_prefix_begins_the_first_window_only(
    demo_engine: FasterWhisper, clear: np.ndarray
) -> None:
    twice = np.concatenate([clear, clear])
    cuts = [(0, len(clear)), (len(clear), len(twice))]
    hearing = Hearing(Decoding(prefix="Well,", temperature=[0.0]), windows=cuts)
    heard = [each.text for each in demo_engine.transcribe(twice, "en", hearing)]
    assert heard[0].startswith("Well,")
    assert sum(text.startswith("Well,") for text in heard) == 1


@pytest.mark.parametrize(("words", "size"), [(False, 2), (True, 2), (True, 8)])
def test_batched_windows_give_what_each_gives_alone(
    demo_engine: FasterWhisper, words: bool, size: int
) -> None:
    clips = [decode_audio(str(SAMPLE / name)) for name in ("1.mp3", "4.flac", "6.ogg")]
    clips[2] = clips[2][: 40 * 16_000]  # longer than one look
    ends = np.cumsum([len(clip) for clip in clips]).tolist()
    cuts = list(zip([0, *ends], ends, strict=False))
    audio = np.concatenate(clips)
    alone = Hearing(Decoding(temperature=[0.0]), word_timestamps=words, windows=cuts)
    batched = replace(alone, decoding=Decoding(temperature=[0.0], mode="batched", batch_size=size))
    expected = list(demo_engine.transcribe(audio, "en", alone))
    found = list(demo_engine.transcribe(audio, "en", batched))
    assert [_about(segment) for segment in found] == [_about(segment) for segment in expected]
    assert len(expected) > 10
    for one, other in zip(found, expected, strict=True):
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-3)


def _about(segment: Segment) -> tuple[Any, ...]:
    words = [(word.text, word.start, word.end) for word in segment.words or []]
    return segment.id, segment.start, segment.end, segment.text, words


def test_a_batch_takes_hints_and_sampling_too(
    tiny_engine: FasterWhisper, samples: np.ndarray
) -> None:
    plain = texts(said(tiny_engine, samples, mode="batched"))
    assert texts(said(tiny_engine, samples, mode="batched")) == plain
    for option in ({"prompt": "word1"}, {"hotwords": "word1"}, {"temperature": [0.9]}):
        assert texts(said(tiny_engine, samples, mode="batched", **option)) != plain
