"""Where frames belong by their timestamps, and what is missing there."""

from __future__ import annotations

import pytest

from whisper_worker.placing import Placing

FRAME = 0.02


def placed(placing: Placing, *moments: float | None) -> list[float]:
    """The silence before each of these frames."""
    silences = []
    for moment in moments:
        silences.append(round(placing.silence(moment), 3))
        placing.follow(FRAME)
    return silences


def test_frames_that_follow_each_other_leave_no_gap() -> None:
    placing = Placing(0.0, None)
    assert placed(placing, *(n * FRAME for n in range(500))) == [0.0] * 500
    assert (placing.gaps, placing.jumps) == ([], 0)


def test_a_frame_that_comes_late_leaves_a_gap_of_known_length() -> None:
    placing = Placing(0.0, 10.0)
    assert placed(placing, 0.0, 0.02, 3.04, 3.06) == [0.0, 0.0, 3.0, 0.0]
    assert placing.gaps == [pytest.approx((0.04, 3.04))]
    assert placing.lost == pytest.approx(3.0)


def test_many_small_losses_do_not_add_up_to_a_shift() -> None:
    placing = Placing(0.0, None)
    placed(placing, *(n * 2 * FRAME for n in range(100)))  # every other frame is lost
    assert placing.at == pytest.approx(100 * 2 * FRAME, abs=0.1)


def test_timestamps_that_are_rounded_leave_no_gap() -> None:
    placing = Placing(0.0, None)
    assert placed(placing, 0.0, 0.05, 0.04, 0.1, 0.08) == [0.0] * 5


def test_sound_that_begins_after_the_pictures_stays_there() -> None:
    placing = Placing(1.4, 8.0)
    assert placed(placing, 3.4, 3.42) == [2.0, 0.0]
    assert (placing.lead, placing.gaps) == (2.0, [])


def test_a_file_that_begins_at_any_other_hour_begins_at_zero() -> None:
    placing = Placing(None, None)
    assert placed(placing, 86_400.0, 86_400.02) == [0.0, 0.0]
    assert placing.at == 2 * FRAME


@pytest.mark.parametrize("declared", [10.0, None])
def test_a_timestamp_beyond_all_that_can_be_is_a_fault_and_no_gap(declared: float | None) -> None:
    placing = Placing(0.0, declared)
    assert placed(placing, 0.0, 90_000.0, 90_000.02) == [0.0, 0.0, 0.0]
    assert (placing.gaps, placing.jumps) == ([], 1)


def test_after_a_step_back_gaps_are_told_from_there() -> None:
    placing = Placing(0.0, None)
    assert placed(placing, 50.0, 0.0, 0.02, 1.04) == [50.0, 0.0, 0.0, 1.0]
    assert placing.jumps == 1


def test_frames_without_a_timestamp_just_follow() -> None:
    placing = Placing(None, None)
    assert placed(placing, None, None) == [0.0, 0.0]
    assert placing.at == 2 * FRAME
