"""A claim grows while its jobs are quick, and shrinks at once when they are not."""

from __future__ import annotations

from services.worker.appetite import FIRST, Appetite

QUEUE = "translate.m"


def appetite(most: int = 64) -> Appetite:
    return Appetite(lambda _: most)


def test_it_begins_with_few() -> None:
    assert appetite().of(QUEUE) == FIRST
    assert appetite(most=1).of(QUEUE) == 1


def test_quick_jobs_double_it_up_to_the_most() -> None:
    hungry = appetite()
    asked = []
    for _ in range(6):
        asked.append(hungry.of(QUEUE))
        hungry.fed(QUEUE, asked[-1], seconds=0.05)
    assert asked == [4, 8, 16, 32, 64, 64]


def test_a_slow_job_shrinks_it_at_once_to_what_is_done_in_two_seconds() -> None:
    hungry = appetite()
    hungry.fed(QUEUE, 4, seconds=4.0)
    assert hungry.of(QUEUE) == 2
    hungry.fed(QUEUE, 2, seconds=60.0)
    assert hungry.of(QUEUE) == 1, "and never below one"


def test_it_does_not_grow_beyond_what_is_done_in_two_seconds() -> None:
    hungry = appetite()
    hungry.fed(QUEUE, 4, seconds=1.6)
    assert hungry.of(QUEUE) == 5


def test_a_queue_that_runs_short_says_nothing_of_larger_claims() -> None:
    hungry = appetite()
    hungry.fed(QUEUE, 3, seconds=0.01)
    assert hungry.of(QUEUE) == FIRST


def test_where_nothing_came_to_an_end_it_asks_for_one() -> None:
    hungry = appetite()
    hungry.fed(QUEUE, 0, seconds=30.0)
    assert hungry.of(QUEUE) == 1


def test_each_queue_has_its_own() -> None:
    hungry = appetite()
    hungry.fed(QUEUE, 4, seconds=60.0)
    assert hungry.of("translate.other") == FIRST


def test_a_clock_that_stood_still_is_no_error() -> None:
    hungry = appetite()
    hungry.fed(QUEUE, 4, seconds=0.0)
    assert hungry.of(QUEUE) == 8
