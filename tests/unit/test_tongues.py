"""Which language it is, told from what windows sound like."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import FailureClass, JobFailed
from whisper_worker.timeline import RATE, Span
from whisper_worker.tongues import decide, doubts, runs, turns

S = RATE


def test_two_that_are_sure_of_the_same_need_no_third() -> None:
    asked: list[str] = []

    def votes() -> Iterator[tuple[str, float]]:
        for language in ("en", "en", "zh", "zh", "zh"):
            asked.append(language)
            yield language, 0.9

    assert decide(votes()) == ("en", 0.9)
    assert asked == ["en", "en"]


def test_the_jingle_is_outvoted() -> None:
    assert decide([("cy", 0.6), ("en", 0.9), ("en", 0.9)]) == ("en", 0.6)


def test_one_window_decides_alone_and_none_says_nothing() -> None:
    assert decide([("zh", 0.7)]) == ("zh", 0.7)
    assert decide([]) == ("und", 0.0)


def test_a_guess_below_the_threshold_is_a_warning_or_a_failure_as_was_asked() -> None:
    assert doubts("en", 0.5, 0.5, "warn") == []
    assert doubts("en", None, 0.5, "fail") == []
    assert doubts("en", 0.432, 0.5, "warn") == ["language_unsure: en (0.43)"]
    with pytest.raises(JobFailed) as failed:
        doubts("en", 0.432, 0.5, "fail")
    assert failed.value.failure_class is FailureClass.PERMANENT
    assert failed.value.code == "language_unsure"


def test_silence_has_no_language_to_be_unsure_of() -> None:
    assert doubts("und", 0.0, 0.5, "fail") == []


def test_what_is_short_stays_with_what_is_said_before_it() -> None:
    speech = [(0, 5 * S), (6 * S, 7 * S), (8 * S, 11 * S)]
    assert turns(speech) == [(0, 7 * S), (8 * S, 11 * S)]
    assert turns([(0, S), (2 * S, 8 * S)]) == [(0, 8 * S)]
    assert turns([]) == []


def test_neighbours_in_one_language_are_heard_together() -> None:
    heard = [((0, 1), "en"), ((2, 3), "en"), ((4, 5), "zh"), ((6, 7), "en")]
    assert list(runs(heard)) == [((0, 3), "en"), ((4, 5), "zh"), ((6, 7), "en")]


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 90)), max_size=30))
def test_turns_hold_all_speech_in_order(gaps_and_lengths: list[tuple[int, int]]) -> None:
    speech: list[Span] = []
    position = 0
    for gap, length in gaps_and_lengths:
        start = position + gap * S // 10
        position = start + length * S // 10
        speech.append((start, position))
    found = turns(speech)
    assert found == sorted(found)
    assert all(any(a <= x and y <= b for a, b in found) for x, y in speech)
