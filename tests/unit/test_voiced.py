"""Which windows of a recording its language is told from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.model.stages import PartPlan
from services.model.voiced import spread, within

S = 16_000


def part(*windows: tuple[int, int]) -> PartPlan:
    """All speech; the windows in seconds."""
    cuts = [(a * S, b * S) for a, b in windows]
    start, end = cuts[0][0], cuts[-1][1]
    return PartPlan(start=start, end=end, speech=[(start, end)], windows=cuts)


def minutes(found: list[PartPlan]) -> list[float]:
    return [each.start / S / 60 for each in found]


def test_an_hour_is_asked_from_the_middle_outwards() -> None:
    hour = [part(*((60 * (5 * n + k), 60 * (5 * n + k + 1)) for k in range(5))) for n in range(12)]
    assert sorted(minutes(spread(hour))) == [6, 18, 30, 42, 54]
    assert minutes(spread(hour))[0] == 30


def test_a_short_recording_is_asked_once() -> None:
    [window] = spread([part((0, 20))])
    assert (window.start, window.end, window.speech) == (0, 20 * S, [(0, 20 * S)])


def test_a_scrap_is_asked_only_where_there_is_nothing_longer() -> None:
    assert [w.end - w.start for w in spread([part((0, 28), (28, 30))])] == [28 * S]
    assert [w.end - w.start for w in spread([part((0, 2))])] == [2 * S]


def test_a_plan_of_an_older_release_is_asked_part_by_part() -> None:
    old = [PartPlan(start=n * S, end=(n + 9) * S, speech=[(n * S, (n + 9) * S)]) for n in (0, 9)]
    assert len(spread(old)) == 2


def test_a_window_knows_the_speech_within_it() -> None:
    speech = [(0, 5), (10, 20), (30, 40)]
    assert within(speech, 3, 35) == [(3, 5), (10, 20), (30, 35)]
    assert within(speech, 5, 10) == []
    assert within([], 0, 10) == []


@given(st.integers(1, 200))
def test_windows_are_asked_once_each_and_up_to_five(count: int) -> None:
    found = spread([part(*((30 * n, 30 * n + 30) for n in range(count)))])
    assert len({window.start for window in found}) == len(found) == min(5, count)
