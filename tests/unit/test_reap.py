"""Which silence is a death, by the ticker's own clock."""

from __future__ import annotations

import pytest

from task_manager.ticker.reap import Watch


@pytest.fixture
def watch():
    return Watch(lost_after_s=25.0)


def look(watch, beats, times):
    """Looks once at each time with the beat of that moment; the last answer."""
    for beat, at in zip(beats, times, strict=True):
        found = watch.silent({"job": (1, beat)}, at)
    return found


def test_a_beat_that_stands_still_for_25_seconds_is_a_death(watch):
    assert look(watch, [3] * 6, [0, 5, 10, 15, 20, 25]) == ["job"]


def test_a_beat_that_rises_is_life(watch):
    assert look(watch, [3, 3, 3, 4, 4, 4], [0, 5, 10, 15, 20, 25]) == []


def test_a_gap_in_the_looking_begins_the_count_anew(watch):
    assert look(watch, [3, 3, 3, 3], [0, 5, 60, 65]) == []


def test_a_failed_store_read_counts_as_a_gap(watch):
    look(watch, [3, 3, 3], [0, 8, 16])
    watch.blind()

    assert look(watch, [3, 3], [24, 30]) == []


def test_a_new_attempt_is_not_blamed_for_the_old_ones_silence(watch):
    look(watch, [0, 0, 0], [0, 8, 16])
    watch.silent({"job": (2, 0)}, 24)

    assert watch.silent({"job": (2, 0)}, 32) == []
