"""How long an attempt may take, decided from what was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.job import Job, Stage
from services.model.speed import Speed
from task_manager.pipeline.limits import LEAST, decided

TEN_HOURS = 36_000.0


def a_job(stage: Stage, size: float) -> Job:
    return Job(
        id="t1/x/0/-/-/0/0", task_id="t1", stage=stage, item=0, owner="local", queue="q",
        priority=5, created_at=1.0, due=1.0, size=size,
    )  # fmt: skip


def at_factor(factor: float) -> Speed:
    return Speed().seen(60.0, 60.0 * factor).seen(300.0, 300.0 * factor)


def test_short_work_is_given_the_least_there_is() -> None:
    limits = decided(a_job(Stage.TRANSCRIBE, 30.0), at_factor(0.1), TEN_HOURS)

    assert (limits.soft_s, limits.hard_s, limits.stuck_s) == (200.0, 300.0, 120.0)
    assert limits.expected_s == pytest.approx(3.0)


def test_long_work_is_given_twice_and_three_times_its_estimate() -> None:
    limits = decided(a_job(Stage.TRANSCRIBE, 3600.0), at_factor(0.5), TEN_HOURS)

    assert (limits.soft_s, limits.hard_s) == (pytest.approx(3600.0), pytest.approx(5400.0))
    assert limits.stuck_s == pytest.approx(300.0)


def test_what_was_never_measured_is_expected_to_take_four_times_real_time() -> None:
    limits = decided(a_job(Stage.TRANSCRIBE, 3600.0), None, TEN_HOURS)

    assert (limits.soft_s, limits.hard_s, limits.stuck_s) == (28_800.0, 43_200.0, 600.0)
    assert limits.expected_s is None


def test_a_thin_file_may_hold_far_more_audio_than_its_bytes_say() -> None:
    limits = decided(a_job(Stage.PREPARE, 1000.0), at_factor(0.05), TEN_HOURS)

    assert limits.hard_s == pytest.approx(3 * 20 * 1000.0 * 0.05)


def test_no_file_is_given_more_than_the_longest_audio_takes() -> None:
    limits = decided(a_job(Stage.PREPARE, 10_000.0), at_factor(0.05), 12_000.0)

    assert limits.hard_s == pytest.approx(3 * 12_000.0 * 0.05)


def test_a_job_of_an_older_release_may_be_of_any_size() -> None:
    limits = decided(a_job(Stage.TRANSCRIBE, 0.0), at_factor(0.1), TEN_HOURS)

    assert limits.hard_s == pytest.approx(3 * 3600.0)


@given(
    st.sampled_from(list(Stage)),
    st.floats(0.0, 1e6),
    st.lists(st.tuples(st.floats(0.1, 1e5), st.floats(0.0, 1e5)), max_size=20),
)
def test_no_limit_is_below_the_least_and_soft_comes_before_hard(stage, size, measured) -> None:
    speed = Speed()
    for each in measured:
        speed = speed.seen(*each)
    limits = decided(a_job(stage, size), speed, TEN_HOURS)

    assert LEAST.soft_s <= limits.soft_s < limits.hard_s
    assert limits.hard_s >= LEAST.hard_s
    assert limits.stuck_s >= LEAST.stuck_s
