"""Which points a journey's writes make."""

from __future__ import annotations

from benchmarks.faults.crash_points import points_of
from benchmarks.faults.dying_manager import TAKEN_OVER

FAULTLESS = ["accept|insert_task", "settle|put_pack", "delete|move_job", "settle|note_task"]
BY_CHANCE = ["settle|move_job", "settle|move_job", "settle|delete_prefix", "expand|write_children"]


def test_what_the_ticker_did_in_the_place_of_a_slow_request_makes_no_difference() -> None:
    assert points_of([*FAULTLESS[:3], *BY_CHANCE, FAULTLESS[3]]) == points_of(FAULTLESS)
    assert points_of([*FAULTLESS, *BY_CHANCE]) == points_of(FAULTLESS)


def test_all_that_the_ticker_does_in_the_place_of_requests_is_visited() -> None:
    points = points_of(FAULTLESS)
    for step in TAKEN_OVER:
        assert f"{step}|1|before" in points
    assert "settle|move_job|2|before" in points


def test_a_worker_that_was_once_too_slow_makes_no_second_silent_one() -> None:
    assert points_of(["reap|move_job"] * 2) == points_of(["reap|move_job"])


def test_what_the_ticker_does_again_and_again_is_visited_twice() -> None:
    points = points_of(["settle|put_pack"] * 3)
    assert [each for each in points if "put_pack" in each] == [
        "settle|put_pack|1|before",
        "settle|put_pack|2|before",
        "settle|put_pack|2|after",
    ]
