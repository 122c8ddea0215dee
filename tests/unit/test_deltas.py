"""What of a transcript is told while it is being heard, and in which order."""

from __future__ import annotations

from services.model.task import TaskEvent
from task_manager.deltas import Deltas


def heard(*texts: str, part: int = 0, attempt: int = 1, language: str = "en") -> TaskEvent:
    data = {
        "stage": "transcribe",
        "part": part,
        "attempt": attempt,
        "language": language,
        "segments": [{"text": text} for text in texts],
    }
    return TaskEvent(task_id="t", number=1, at=0.0, kind="segments", data=data)


def test_pieces_joined_are_the_text() -> None:
    deltas = Deltas()
    deltas.hear(heard("One."))
    assert deltas.next() == "One."
    deltas.hear(heard("Two.", "Three."))
    assert deltas.next() == " Two. Three."
    assert deltas.next() == ""
    assert deltas.rest("One. Two. Three. Four.") == " Four."


def test_a_script_without_spaces_gets_none() -> None:
    deltas = Deltas()
    deltas.hear(heard("一。", "二。", language="zh"))
    assert deltas.next() == "一。二。"


def test_a_later_part_waits_for_those_before_it() -> None:
    deltas = Deltas()
    deltas.hear(heard("Second.", part=1))
    assert deltas.next() == ""
    deltas.hear(heard("First."))
    assert deltas.next() == "First."
    assert deltas.next(done=[0]) == " Second."


def test_a_part_in_which_nobody_speaks_does_not_hold_up_the_next() -> None:
    deltas = Deltas()
    deltas.hear(heard("Third.", part=2))
    assert deltas.next(done=[0, 1]) == "Third."


def test_a_part_that_is_heard_again_goes_on_where_it_was() -> None:
    deltas = Deltas()
    deltas.hear(heard("One.", "Two."))
    assert deltas.next() == "One. Two."
    deltas.hear(heard("One.", attempt=2))
    assert deltas.next() == ""
    deltas.hear(heard("Late words of the first try."))
    deltas.hear(heard("Two.", "Three.", attempt=2))
    assert deltas.next() == " Three."


def test_what_was_told_is_never_taken_back() -> None:
    deltas = Deltas()
    deltas.hear(heard("One."))
    deltas.next()
    assert deltas.rest("Another text.") == ""


def test_translations_and_other_lines_are_not_heard() -> None:
    deltas = Deltas()
    line = heard("One.")
    deltas.hear(line.model_copy(update={"kind": "progress"}))
    deltas.hear(line.model_copy(update={"data": {**line.data, "stage": "translate"}}))
    assert deltas.next() == ""


def test_pieces_in_several_languages_are_joined_as_each_is_written() -> None:
    deltas = Deltas()
    deltas.hear(heard("One."))
    event = heard("一。", "二。", "Two.")
    for segment, language in zip(event.data["segments"], ("zh", "zh", "en"), strict=True):
        segment["language"] = language
    deltas.hear(event)
    assert deltas.next() == "One. 一。二。 Two."
