from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from whisper_worker.timeline import RATE, Span
from whisper_worker.windows import LONGEST, Sound, Window, dips, plan, quietest

S = RATE
WINDOW = 512


def planned(total_s: float, *pauses: tuple[float, float], longest_s: float = 0) -> list[Window]:
    """The windows of a recording that is all speech, with these breaths in it (seconds)."""
    total = round(total_s * S)
    breaths = [(round(a * S), round(b * S)) for a, b in pauses]
    return plan(Sound([(0, total)], breaths, total), round(longest_s * S))


def ends(windows: list[Window]) -> list[float]:
    return [window.end / S for window in windows]


def test_what_whisper_sees_at_once_is_one_window() -> None:
    assert ends(planned(30, (10, 11))) == [30]


def test_a_window_ends_in_the_widest_pause_of_its_last_quarter() -> None:
    assert ends(planned(54, (8, 10), (24, 24.6), (28, 28.4))) == [24.3, 54]


def test_a_pause_further_ahead_is_better_than_a_dip_nearby() -> None:
    assert ends(planned(45, (17, 17.6), (28, 28.2))) == [17.3, 45]


def test_a_dip_is_better_than_a_torn_word() -> None:
    assert ends(planned(45, (28, 28.2))) == [28.1, 45]


def test_where_nobody_pauses_the_engine_looks_for_itself_until_somebody_does() -> None:
    assert ends(planned(80, (45, 46))) == [45.5, 80]
    assert ends(planned(80)) == [80]


def test_a_pause_early_on_is_taken_if_there_is_no_other() -> None:
    assert ends(planned(60, (5, 6), (50, 51))) == [5.5, 50.5, 60]


def test_silence_does_not_count() -> None:
    speech = [(100 * n * S, (100 * n + 7) * S) for n in range(8)]
    silences = [((100 * n + 7) * S, 100 * (n + 1) * S) for n in range(8)]
    windows = plan(Sound(speech, silences, 800 * S), 0)
    sound = Sound(speech, silences, 800 * S)
    assert [sound.heard(b) - sound.heard(a) for a, b, _ in windows] == [28 * S, 28 * S]


def test_a_window_is_never_longer_than_a_part_may_be() -> None:
    assert ends(planned(25, (3, 3.5), (7, 7.3), longest_s=10)) == [7.15, 17.15, 25]


def test_a_recording_without_pauses_is_cut_where_it_is_least_like_speech() -> None:
    probabilities = np.full(2000, 0.9, np.float32)
    probabilities[900:910] = 0.5
    total = 2000 * WINDOW
    windows = plan(Sound([(0, total)], [], total), 1000 * WINDOW, quietest(probabilities, WINDOW))
    assert 898 <= windows[0].end / WINDOW <= 912


def test_only_what_is_quiet_for_a_tenth_of_a_second_is_a_dip() -> None:
    probabilities = [0.9] * 10 + [0.1] * 3 + [0.9] * 10 + [0.1] * 4 + [0.9] * 10 + [0.2] * 8
    total = len(probabilities) * WINDOW
    found = dips(probabilities, window=WINDOW, total=total)
    assert found == [(23 * WINDOW, 27 * WINDOW), (37 * WINDOW, total)]


@given(st.lists(st.integers(1, 400), max_size=40), st.sampled_from([0, 10, 60, 300]))
def test_windows_cover_the_recording_without_gap_or_overlap(tenths: list[int], most: int) -> None:
    speech: list[Span] = []
    silences: list[Span] = []
    position, longest = 0, most * S
    for index, length in enumerate(tenths):
        end = position + length * S // 10
        (speech if index % 2 else silences).append((position, end))
        position = end
    sound = Sound(speech, silences, position)
    windows = plan(sound, longest)
    assert [window.start for window in windows] == [0, *(w.end for w in windows)][: len(windows)]
    assert (windows[-1].end if windows else 0) == position
    for start, end, _ in windows:
        assert not longest or end - start <= longest
        middles = [(a + b) // 2 for a, b in silences if b - a >= S // 4]
        reach = sound.heard(start) + LONGEST
        if any(sound.heard(start) < sound.heard(m) <= reach and start < m < end for m in middles):
            assert sound.heard(end) <= reach
