from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.model.transcript import Segment
from whisper_worker.runs import cut_runs


def segments(*texts: str) -> list[Segment]:
    return [Segment(id=i, start=None, end=None, text=text) for i, text in enumerate(texts)]


def test_nothing_has_no_runs() -> None:
    assert cut_runs([]) == []


def test_a_short_transcript_is_one_run() -> None:
    assert cut_runs(segments("One.", "Two")) == [(0, 2)]


def test_a_run_ends_with_the_last_sentence_that_fits() -> None:
    assert cut_runs(segments("a.", "b", "c.", "d", "e."), 4) == [(0, 3), (3, 5)]


def test_a_sentence_may_end_in_any_script_and_in_quotes() -> None:
    assert cut_runs(segments("好。", "吗", "b"), 2) == [(0, 1), (1, 3)]
    assert cut_runs(segments("He said “no.”", "b", "c"), 2) == [(0, 1), (1, 3)]


def test_without_a_sentence_end_the_limit_cuts() -> None:
    assert cut_runs(segments("a", "b", "c"), 2) == [(0, 2), (2, 3)]


@given(st.lists(st.sampled_from(["a", "b.", "c。"]), max_size=60), st.integers(1, 9))
def test_runs_cover_all_in_order_and_keep_to_the_limit(texts: list[str], longest: int) -> None:
    runs = cut_runs(segments(*texts), longest)
    assert [i for first, last in runs for i in range(first, last)] == list(range(len(texts)))
    assert all(0 < last - first <= longest for first, last in runs)
