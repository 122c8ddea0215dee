from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_worker.segmenter import cut, spans

WINDOW = 512
S = 16_000


def windows(*runs: tuple[float, float]) -> list[float]:
    """Probabilities from (probability, seconds)."""
    return [p for p, seconds in runs for _ in range(round(seconds * S / WINDOW))]


def found(probabilities: list[float]) -> list[tuple[int, int]]:
    return spans(probabilities, window=WINDOW, total=len(probabilities) * WINDOW)


def test_silence_holds_no_speech() -> None:
    assert found(windows((0.01, 5))) == []
    assert found([]) == []


def test_speech_is_found_with_a_margin_around_it() -> None:
    [(start, end)] = found(windows((0.0, 2), (0.9, 3), (0.0, 2)))
    assert start / S == pytest.approx(1.7, abs=0.04)
    assert end / S == pytest.approx(5.3, abs=0.04)


def test_the_margin_ends_where_the_recording_does() -> None:
    assert found(windows((0.9, 1))) == [(0, 31 * WINDOW)]


def test_a_dip_that_stays_above_the_lower_threshold_does_not_end_speech() -> None:
    assert len(found(windows((0.9, 1), (0.4, 2), (0.9, 1)))) == 1


def test_uncertain_sound_alone_is_no_speech() -> None:
    assert found(windows((0.45, 10))) == []


def test_a_breath_does_not_end_speech_and_a_pause_does() -> None:
    assert len(found(windows((0.9, 1), (0.0, 0.2), (0.9, 1)))) == 1
    assert len(found(windows((0.9, 1), (0.0, 1.5), (0.9, 1)))) == 2


def test_a_click_is_no_speech() -> None:
    assert found(windows((0.0, 1), (0.9, 0.064), (0.0, 1))) == []


def test_short_audio_is_one_part() -> None:
    [part] = cut([(S, 2 * S)], 10 * S, 300 * S)
    assert (part.start, part.end, part.speech) == (0, 10 * S, [(S, 2 * S)])


def test_no_speech_is_no_part() -> None:
    assert cut([], 1000 * S, 300 * S) == []


def test_long_audio_is_cut_in_the_widest_silence_of_a_parts_last_half() -> None:
    speech = [(0, 60 * S), (61 * S, 70 * S), (74 * S, 99 * S), (100 * S, 150 * S)]
    first, second = cut(speech, 150 * S, 100 * S)
    assert (first.start, first.end) == (0, 72 * S)
    assert (second.start, second.end) == (72 * S, 150 * S)
    assert first.speech == speech[:2]
    assert second.speech == speech[2:]


def test_speech_without_a_pause_is_cut_at_the_limit() -> None:
    first, second = cut([(0, 150 * S)], 150 * S, 100 * S)
    assert first.speech == [(0, 100 * S)]
    assert second.speech == [(100 * S, 150 * S)]


def test_a_part_without_speech_is_left_out() -> None:
    parts = cut([(0, 10 * S), (290 * S, 300 * S)], 300 * S, 100 * S)
    assert [part.speech for part in parts] == [[(0, 10 * S)], [(290 * S, 300 * S)]]


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(10, 100))
def test_cutting_loses_no_speech_and_keeps_to_the_limit(lengths: list[int], longest: int) -> None:
    speech, position = [], 0
    for index, length in enumerate(lengths):
        if index % 2:
            speech.append((position, position + length))
        position += length
    parts = cut(speech, position, longest)
    kept = {s for part in parts for a, b in part.speech for s in range(a, b)}
    assert kept == {s for a, b in speech for s in range(a, b)}
    assert all(part.end - part.start <= longest for part in parts)
    assert all(part.start <= a < b <= part.end for part in parts for a, b in part.speech)
    assert [part.start for part in parts] == sorted(part.start for part in parts)
