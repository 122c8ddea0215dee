from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_worker.timeline import RATE, Timeline

S = RATE


@pytest.fixture
def two_stretches() -> Timeline:
    """Speech at 10–12 s and at 20–23 s of the recording."""
    return Timeline([(10 * S, 12 * S), (20 * S, 23 * S)])


def test_times_are_those_of_the_recording(two_stretches: Timeline) -> None:
    assert two_stretches.seconds == 5.0
    assert two_stretches.start(0.0) == 10.0
    assert two_stretches.start(1.5) == 11.5
    assert two_stretches.start(2.5) == 20.5
    assert two_stretches.end(5.0) == 23.0


def test_a_seam_starts_the_next_stretch_and_ends_the_one_before(two_stretches: Timeline) -> None:
    assert two_stretches.start(2.0) == 20.0
    assert two_stretches.end(2.0) == 12.0


def test_a_moment_of_the_recording_has_its_place_among_the_speech(two_stretches: Timeline) -> None:
    places = [
        two_stretches.place(round(seconds * S)) / S for seconds in (0, 10, 11, 15, 20, 22, 30)
    ]
    assert places == [0, 0, 1, 2, 2, 4, 5]


def test_a_word_lies_in_the_stretch_in_which_it_ends_but_for_a_margin(
    two_stretches: Timeline,
) -> None:
    assert two_stretches.word(1.0, 1.5) == (11.0, 11.5)
    assert two_stretches.word(1.5, 2.2) == (11.5, 12.0)
    assert two_stretches.word(1.0, 2.4) == (20.0, 20.4)
    assert two_stretches.word(1.9, 3.0) == (20.0, 21.0)
    assert two_stretches.word(4.9, 5.3) == (22.9, 23.0)


def test_what_runs_over_the_end_ends_with_the_speech(two_stretches: Timeline) -> None:
    assert two_stretches.end(30.0) == 23.0
    assert two_stretches.start(30.0) == 23.0


def test_a_timeline_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Timeline([])


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 5000)), min_size=1, max_size=20),
    st.floats(0, 10),
    st.floats(0, 10),
)
def test_order_is_kept_and_every_time_lies_in_speech(
    gaps_and_lengths: list[tuple[int, int]], one: float, other: float
) -> None:
    spans, position = [], 0
    for gap, length in gaps_and_lengths:
        spans.append((position + gap, position + gap + length))
        position += gap + length
    timeline = Timeline(spans)
    early, late = sorted((one, other))
    assert timeline.start(early) <= timeline.start(late)
    assert timeline.end(early) <= timeline.end(late)
    moment = timeline.start(early)
    assert any(a / S - 0.001 <= moment <= b / S + 0.001 for a, b in spans)
