"""The line through what was measured: what it promises, and what it never says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.speed import Speed

SIZES = st.floats(min_value=0.0, max_value=1e5)
SECONDS = st.floats(min_value=0.0, max_value=1e5)
MEASURED = st.lists(st.tuples(SIZES, SECONDS), min_size=1, max_size=40)


def learnt(measured: list[tuple[float, float]]) -> Speed:
    speed = Speed()
    for size, seconds in measured:
        speed = speed.seen(size, seconds)
    return speed


def test_nothing_is_said_before_anything_was_measured() -> None:
    assert (Speed().expect(10.0), Speed().at_most(10.0), Speed().each) == (None, None, None)


def test_a_fixed_part_and_a_slope_are_found() -> None:
    speed = learnt([(size, 2.0 + 0.1 * size) for size in (5.0, 60.0, 300.0, 20.0)])

    assert speed.expect(0.0) == pytest.approx(2.0)
    assert speed.expect(100.0) == pytest.approx(12.0)


def test_equal_sizes_leave_only_the_ratio() -> None:
    speed = learnt([(30.0, 3.0), (30.0, 6.0), (30.0, 4.5)])

    assert speed.expect(60.0) == pytest.approx(2 * speed.expect(30.0))
    assert 3.0 < speed.expect(30.0) < 6.0


def test_new_measurements_outweigh_old_ones() -> None:
    speed = learnt([(10.0, 1.0)] * 50 + [(10.0, 4.0)] * 50)

    assert 3.5 < speed.expect(10.0) < 4.0


def test_two_nodes_are_expected_to_be_as_fast_as_their_mean() -> None:
    fast, slow = learnt([(10.0, 1.0)] * 5), learnt([(10.0, 3.0)] * 5)

    assert fast.plus(slow).expect(10.0) == pytest.approx(2.0)


def test_much_longer_work_than_any_before_is_allowed_its_share() -> None:
    short = learnt([(3.0, 1.0), (4.0, 0.9), (3.5, 1.1)])

    assert short.expect(3600.0) < 60.0  # the line is almost flat
    assert short.at_most(3600.0) > 900.0


@given(MEASURED, SIZES)
def test_no_work_takes_less_than_no_time(measured, size) -> None:
    assert learnt(measured).expect(size) >= 0.0


@given(MEASURED, st.lists(SIZES, min_size=2, max_size=10))
def test_more_work_never_takes_less_time(measured, sizes) -> None:
    speed = learnt(measured)
    for told in (speed.expect, speed.at_most):
        assert all(told(a) <= told(b) for a, b in pairwise(sorted(sizes)))


@given(MEASURED, SIZES)
def test_what_one_is_prepared_for_is_never_below_what_is_expected(measured, size) -> None:
    speed = learnt(measured)
    assert speed.at_most(size) >= speed.expect(size)


@given(st.lists(st.tuples(SIZES, SECONDS), min_size=1, max_size=10))
def test_measurements_may_be_gathered_before_they_are_added(measured) -> None:
    """Managers keep some seconds of measurements and add them together."""
    at_once = learnt([(10.0, 1.0), *measured])
    gathered = learnt([(10.0, 1.0)]).then(learnt(measured))
    assert gathered.count == pytest.approx(at_once.count, rel=0.2)
