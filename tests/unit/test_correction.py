"""What becomes of a transcript when somebody writes other words into it."""

from __future__ import annotations

import pytest

from services.model.correction import runs_after, with_texts
from services.model.transcript import Segment, Transcript, Word


def heard(*texts: str, language: str = "en", **more) -> Transcript:
    segments = [
        Segment(
            id=number, start=float(number), end=number + 1.0, text=text, confidence=0.5,
            words=[Word(start=float(number), end=number + 1.0, text=text)],
            flags=["repetition"], **more,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    return Transcript(language=language, text="", segments=segments, duration=9.0)


def test_a_segment_keeps_its_times_and_loses_what_was_known_of_its_words() -> None:
    before = heard("One.", "Tow.", channel=1)

    after = with_texts(before, {1: "Two."})

    assert after.segments[0] == before.segments[0]
    assert after.segments[1] == Segment(
        id=1, start=1.0, end=2.0, text="Two.", channel=1, flags=["corrected"]
    )
    assert (after.text, after.duration) == ("One. Two.", 9.0)


def test_a_segment_without_a_text_goes_and_the_others_keep_their_ids() -> None:
    after = with_texts(heard("你好。", "谢谢。", "再见。", language="zh"), {1: ""})

    assert [segment.id for segment in after.segments] == [0, 2]
    assert after.text == "你好。再见。"
    assert with_texts(after, {1: ""}) == after


def test_the_same_words_change_nothing() -> None:
    before = with_texts(heard("One.", "Two."), {})

    assert with_texts(before, {0: "One.", 1: "Two."}) == before


@pytest.mark.parametrize(
    ("runs", "gone", "left"),
    [
        ([(0, 2), (2, 5)], [], [(0, 2), (2, 5)]),
        ([(0, 2), (2, 5)], [0, 3], [(0, 1), (1, 3)]),
        ([(0, 2), (2, 5)], [0, 1], [(0, 3)]),
        ([(0, None)], [4], [(0, 4)]),
        (None, [2], [(0, 4)]),
        ([(0, 2), (2, 5)], [0, 1, 2, 3, 4], []),
    ],
)
def test_runs_go_on_to_cover_what_is_left(runs, gone, left) -> None:
    before = heard("a", "b", "c", "d", "e").segments
    after = [segment for segment in before if segment.id not in gone]

    assert runs_after(runs, before, after) == left
