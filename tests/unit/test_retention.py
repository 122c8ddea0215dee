"""How long what belongs to a task is kept."""

from __future__ import annotations

from services.model.retention import Retention
from services.settings import Settings

END = 1000.0


def test_without_a_wish_everything_is_kept() -> None:
    assert Retention().next_at(END, media_gone=False) is None
    assert Settings().retention == Retention()


def test_media_go_before_results() -> None:
    kept = Retention(media_s=60.0, results_s=3600.0)
    assert kept.next_at(END, media_gone=False) == END + 60
    assert kept.next_at(END, media_gone=True) == END + 3600
    assert (kept.media_until(END), kept.results_until(END)) == (END + 60, END + 3600)


def test_before_the_end_no_time_is_set() -> None:
    kept = Retention(media_s=60.0, results_s=3600.0)
    assert (kept.media_until(None), kept.results_until(None)) == (None, None)


def test_results_that_go_first_take_the_media_along() -> None:
    assert Retention(media_s=60.0, results_s=0.0).next_at(END, media_gone=False) == END


def test_the_operator_says_how_long_at_most() -> None:
    longest = Settings(keep_media_s=60.0).retention
    assert Retention(media_s=3600.0, results_s=9.0).within(longest) == Retention(
        media_s=60.0, results_s=9.0
    )
    assert Retention(media_s=0.0).within(longest).media_s == 0.0
    assert Retention().within(longest).media_s == 60.0
