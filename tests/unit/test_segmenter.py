from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.stages import PartPlan
from whisper_worker.segmenter import cut, spans
from whisper_worker.timeline import Span
from whisper_worker.windows import Sound, plan

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


def parts(speech: list[Span], total: int, longest: int, pauses: list[Span] = ()) -> list[PartPlan]:
    """With pauses between the stretches of speech, and where told."""
    ends = [0, *(x for span in speech for x in span), total]
    silences = [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if b > a]
    sound = Sound(speech, sorted([*silences, *pauses]), total)
    return cut(sound, plan(sound, longest), longest)


def test_short_audio_is_one_part() -> None:
    [part] = parts([(S, 2 * S)], 10 * S, 300 * S)
    assert (part.start, part.end, part.speech) == (0, 10 * S, [(S, 2 * S)])
    assert part.windows == [(0, 10 * S)]


def test_no_speech_is_no_part() -> None:
    assert parts([], 1000 * S, 300 * S) == []


def test_long_audio_is_cut_in_the_widest_silence_of_a_parts_last_half() -> None:
    speech = [(0, 20 * S), (21 * S, 49 * S), (50 * S, 70 * S), (74 * S, 99 * S), (100 * S, 125 * S)]
    first, second = parts(speech, 125 * S, 100 * S)
    assert (first.start, first.end) == (0, 72 * S)
    assert (second.start, second.end) == (72 * S, 125 * S)
    assert first.speech == speech[:3]
    assert second.speech == speech[3:]


def test_a_part_is_made_of_whole_windows() -> None:
    speech = [(10 * n * S, (10 * n + 9) * S) for n in range(40)]
    whole = parts(speech, 400 * S, 0)
    for longest in (60, 100, 200):
        cut_up = parts(speech, 400 * S, longest * S)
        assert len(cut_up) > 1
        assert [w for part in cut_up for w in part.windows] == whole[0].windows


def test_speech_without_a_pause_is_cut_at_the_limit() -> None:
    first, second = parts([(0, 150 * S)], 150 * S, 100 * S)
    assert first.speech == [(0, 100 * S)]
    assert second.speech == [(100 * S, 150 * S)]


def test_a_part_without_speech_is_left_out() -> None:
    found = parts([(0, 10 * S), (290 * S, 300 * S)], 300 * S, 100 * S)
    assert [part.speech for part in found] == [[(0, 10 * S)], [(290 * S, 300 * S)]]


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(10, 100))
def test_cutting_loses_no_speech_and_keeps_to_the_limit(lengths: list[int], longest: int) -> None:
    speech, position = [], 0
    for index, length in enumerate(lengths):
        if index % 2:
            speech.append((position, position + length))
        position += length
    found = parts(speech, position, longest)
    kept = [s for part in found for a, b in part.speech for s in range(a, b)]
    assert kept == [s for a, b in speech for s in range(a, b)]
    assert all(part.end - part.start <= longest for part in found)
    assert all(part.start <= a < b <= part.end for part in found for a, b in part.speech)
    looked_at = {s for part in found for a, b in part.windows for s in range(a, b)}
    assert looked_at >= set(kept)
    assert [part.start for part in found] == sorted(part.start for part in found)
