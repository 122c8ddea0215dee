"""When work will end: waiting, working, and one stage after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.client.waiting import about
from services.model.speed import Speed
from task_manager.pipeline.forecast import Leg, Work, remaining, until_end, until_start
from task_manager.pipeline.legs import Stand, legs_of

EARS, PENS = frozenset({"ears"}), frozenset({"pens"})
IDLE = Stand()


def at_factor(factor: float) -> Speed:
    return Speed().seen(30.0, 30.0 * factor)


def ears(factor: float, **more) -> Stand:
    return Stand(pool=EARS, slots=2, speed=at_factor(factor), **more)


def pens(factor: float, **more) -> Stand:
    return Stand(pool=PENS, slots=2, speed=at_factor(factor), **more)


def end_of(prepare: Stand, hear: Stand, *translate: tuple[Stand, int], assemble=IDLE) -> float:
    legs = legs_of(prepare, hear, assemble, translate)
    assert legs is not None
    return until_end(legs)


def test_alone_in_the_house_a_task_takes_its_own_time() -> None:
    prepare = ears(0.1, waiting=Work(1, 60.0))

    assert end_of(prepare, ears(0.5), (pens(0.2), 1)) == pytest.approx(6 + 30 + 12)


def test_a_free_slot_is_taken_at_once() -> None:
    leg = Leg(pool=EARS, slots=2, ahead_s=100.0, ahead_jobs=1, own_s=10.0, own_jobs=1)

    assert until_end([leg]) == 10.0


def test_what_stands_before_is_shared_by_the_slots() -> None:
    leg = Leg(pool=EARS, slots=4, ahead_s=100.0, ahead_jobs=10, own_s=10.0, own_jobs=1)

    assert until_end([leg]) == 35.0


def test_many_jobs_of_one_task_run_side_by_side() -> None:
    leg = Leg(pool=EARS, slots=4, own_s=80.0, own_jobs=8)

    assert until_end([leg]) == 20.0


def test_those_ahead_in_prepare_will_be_ahead_in_transcribe_too() -> None:
    prepare = ears(0.1, waiting=Work(1, 60.0), ahead=Work(9, 540.0))

    assert end_of(prepare, ears(0.5)) == pytest.approx((54 + 270) / 2 + 6 + 30)


def test_translation_goes_on_while_others_are_still_listened_to() -> None:
    quick = end_of(
        ears(0.1, waiting=Work(1, 60.0), ahead=Work(9, 540.0)), ears(0.5), (pens(0.1), 1)
    )
    hearing = end_of(ears(0.1, waiting=Work(1, 60.0), ahead=Work(9, 540.0)), ears(0.5))

    assert quick == pytest.approx(hearing + 6)


def test_the_slowest_stage_decides_when_it_has_nodes_of_its_own() -> None:
    prepare = ears(0.01, waiting=Work(1, 60.0), ahead=Work(9, 540.0))

    assert end_of(prepare, ears(0.01), (pens(2.0), 1)) == pytest.approx(540 * 2 / 2 + 120)


def test_a_file_that_holds_more_than_its_bytes_say_is_known_by_others() -> None:
    thin = Speed().seen(1.0, 8.0)
    prepare = ears(0.1, waiting=Work(1, 10.0), outcome=thin)

    assert end_of(prepare, ears(0.5)) == pytest.approx(1 + 40)


def test_what_runs_already_needs_only_its_rest() -> None:
    hear = ears(0.5, running=Work(1, 60.0), own_left_s=12.0)

    assert end_of(IDLE, hear, (pens(0.2), 2)) == pytest.approx(12 + 12)


def test_what_runs_already_waits_for_nobody() -> None:
    hear = ears(0.5, running=Work(1, 60.0), own_left_s=12.0, ahead=Work(9, 540.0))

    assert end_of(IDLE, hear, (pens(0.2), 1)) == pytest.approx(12 + 12)


def test_files_that_are_prepared_in_between_take_their_turns() -> None:
    prepare = ears(0.1, behind=Work(20, 600.0))
    hear = ears(0.5, waiting=Work(1, 60.0), ahead=Work(3, 180.0))

    assert end_of(prepare, hear) == pytest.approx((90 + 4 * 3) / 2 + 30)


def test_a_job_that_waits_to_be_tried_again_is_waited_for() -> None:
    assert end_of(IDLE, ears(0.5, waiting=Work(1, 60.0), not_before_s=300.0)) == 330.0


def test_nothing_is_promised_of_what_was_never_measured_or_has_no_node() -> None:
    measured = ears(0.1, waiting=Work(1, 60.0))

    assert legs_of(measured, Stand(pool=EARS, slots=2), IDLE, []) is None
    assert legs_of(measured, ears(0.1), IDLE, [(Stand(speed=at_factor(1.0)), 1)]) is None


def test_a_leg_that_the_task_does_not_need_is_left_out() -> None:
    legs = legs_of(IDLE, IDLE, IDLE, [(pens(0.1, waiting=Work(3, 30.0)), 3)])

    assert legs is not None
    assert [leg.pool for leg in legs] == [PENS]


def test_a_queue_starts_new_work_when_what_waits_is_done() -> None:
    assert until_start(0.0, 50.0, 1, 2) == 0.0
    assert until_start(90.0, 10.0, 12, 4) == 25.0
    assert until_start(90.0, 10.0, 12, 0) is None


def test_what_is_left_of_a_job_is_told_by_its_progress_or_by_the_clock() -> None:
    assert remaining(100.0, 10.0, 0.75) == 25.0
    assert remaining(100.0, 40.0, 0.0) == 60.0
    assert remaining(100.0, 500.0, 0.0) == 10.0


@given(
    st.integers(1, 50),
    st.lists(
        st.tuples(st.floats(0, 1e4), st.integers(0, 500), st.floats(0, 1e4), st.integers(0, 50)),
        max_size=5,
    ),
)
def test_more_work_ahead_never_brings_the_end_nearer(slots, told) -> None:
    legs = [
        Leg(pool=EARS, slots=slots, ahead_s=ahead, ahead_jobs=n, own_s=own, own_jobs=m)
        for ahead, n, own, m in told
    ]
    more = [
        Leg(pool=EARS, slots=slots, ahead_s=2 * ahead + 1, ahead_jobs=n + 1, own_s=own, own_jobs=m)
        for ahead, n, own, m in told
    ]
    assert 0.0 <= until_end(legs) <= until_end(more)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "a few seconds"),
        (12.0, "about 10 s"),
        (44.0, "about 40 s"),
        (58.0, "about 1 min"),
        (130.0, "about 2 min"),
        (3590.0, "about 1 h"),
        (7800.0, "about 2 h 10 min"),
    ],
)
def test_times_are_told_no_finer_than_they_are_known(seconds, said) -> None:
    assert about(seconds) == said
