"""A bias on the shipped model: a term is written where the sound speaks for it, and nothing else
changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from services.model.decoding import Decoding
from services.model.hotwords import Hotwords, Term
from services.model.transcript import Segment
from whisper_worker.biasing import Bias, bias_of
from whisper_worker.engines import Hearing
from whisper_worker.engines.faster_whisper import FasterWhisper

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture(scope="module")
def demo_engine() -> FasterWhisper:
    return FasterWhisper(DEMO / "models" / "whisper-demo", "cpu", "int8")


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    return decode_audio(str(DEMO / "sample" / "1.mp3"))


def bias(engine: FasterWhisper, *terms: str, boost: float = 10.0) -> Bias:
    named = [Term(text=term) for term in terms]
    return bias_of(Hotwords(terms=named, method="bias", boost_factor=boost), engine.count)


def heard(
    engine: FasterWhisper, clip: np.ndarray, bias: Bias | None = None, **more: Any
) -> list[Segment]:
    return list(engine.transcribe(clip, "en", Hearing(bias=bias, **more)))


def text_of(segments: list[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def test_terms_that_stand_in_no_reading_leave_every_word_and_score_as_it_was(
    demo_engine: FasterWhisper, clip: np.ndarray
) -> None:
    strange = bias(demo_engine, "Xuquzu", "頭孢", "Wyxyq Vuzux")

    assert heard(demo_engine, clip, strange) == heard(demo_engine, clip)
    assert strange.times == {}


def test_terms_that_are_heard_anyway_change_nothing_and_count_for_nothing(
    demo_engine: FasterWhisper, clip: np.ndarray
) -> None:
    said = bias(demo_engine, "violin", "neighbor")

    assert text_of(heard(demo_engine, clip, said)) == text_of(heard(demo_engine, clip))
    assert said.times == {}


def test_a_bias_writes_a_term_in_the_place_of_what_is_less_likely_with_it(
    demo_engine: FasterWhisper, clip: np.ndarray
) -> None:
    """It is worth more here than any boost makes it, so that no sound speaks against it."""
    plain = text_of(heard(demo_engine, clip))
    known = bias(demo_engine, "violins")
    strong = Bias([replace(known.terms[0], worth=200.0)])

    text = text_of(heard(demo_engine, clip, strong))

    assert "The farmer is playing the violins." in text
    assert strong.times["violins"] >= 1
    assert text_of(heard(demo_engine, clip)) == plain


def test_a_bias_works_on_each_row_of_a_batch(demo_engine: FasterWhisper, clip: np.ndarray) -> None:
    half = len(clip) // 2

    def batched(known: Bias | None) -> list[Segment]:
        windows = [(0, half), (half, len(clip))]
        decoding = Decoding(mode="batched", batch_size=2, temperature=[0.0])
        return heard(demo_engine, clip, known, decoding=decoding, windows=windows)

    plain = batched(None)
    word = max(text_of(plain).replace(".", "").split(), key=len)
    strong = Bias([replace(bias(demo_engine, f"{word}s").terms[0], worth=200.0)])

    assert f"{word}s" in text_of(batched(strong))
    assert strong.times[f"{word}s"] >= 1
    assert batched(bias(demo_engine, "Xuquzu")) == plain
