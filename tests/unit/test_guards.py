"""What an engine may have made up, of one segment, of its sound, and of several in a row."""

from __future__ import annotations

import pytest

from services.model.decoding import Decoding
from services.model.transcript import Segment
from whisper_worker.guards import Loops, Sound, flags


def heard(text: str, **more: float) -> Segment:
    return Segment.model_validate({"id": 0, "start": 0, "end": 1, "text": text, **more})


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (heard("The train leaves at nine."), []),
        (heard("No, no, no."), []),
        (heard("一二三四五六七八九十"), []),
        (heard("We will, we will rock you. We will, we will rock you."), []),
        (heard("He said that it was going to be a long, long, long, long, long day."), []),
        (heard("x", compression_ratio=2.5), ["compression_ratio"]),
        (heard("x", no_speech_prob=0.9, avg_logprob=-1.5), ["no_speech"]),
        (heard("x", no_speech_prob=0.9, avg_logprob=-0.2), []),
        (heard("x", no_speech_prob=0.1, avg_logprob=-1.5), []),
        (heard("Thank you. " * 6), ["repetition"]),
        (heard("Thank you for watching, and see you. " * 3), ["repetition"]),
        (heard("谢谢" * 5), ["repetition"]),
        (heard("请不吝点赞订阅转发打赏支持" * 3), ["repetition"]),
    ],
)
def test_what_looks_made_up_is_flagged(segment: Segment, expected: list[str]) -> None:
    assert flags(segment, Decoding()) == expected


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        (Sound(), []),
        (Sound(-20.0, 0.9), []),
        (Sound(-80.0), ["silence"]),
        (Sound(float("-inf")), ["silence"]),
        (Sound(-20.0, 0.05), ["no_voice"]),
    ],
)
def test_words_without_a_voice_are_flagged(sound: Sound, expected: list[str]) -> None:
    assert flags(heard("Thank you."), Decoding(), sound) == expected


def test_guards_are_those_that_the_caller_wants_with_his_thresholds() -> None:
    packed = heard("x", compression_ratio=3.0)
    assert flags(packed, Decoding(guards=["loop", "silence"])) == []
    assert flags(packed, Decoding(compression_ratio_threshold=3.5)) == []
    assert flags(packed, Decoding(compression_ratio_threshold=None)) == []
    silent = heard("x", no_speech_prob=0.5, avg_logprob=-0.1)
    assert flags(silent, Decoding(no_speech_threshold=0.4, log_prob_threshold=None)) == [
        "no_speech"
    ]


def row(*texts: str, sure: float = -0.9, on: bool = True) -> list[tuple[str, list[str]]]:
    loops = Loops(on=on)
    judged = [each for text in texts for each in loops.hear(heard(text, avg_logprob=sure))]
    return [(each.text, each.flags) for each in [*judged, *loops.rest()]]


def test_the_same_sentence_three_times_in_a_row_is_a_loop_but_for_the_first() -> None:
    assert row("Hello.", "Thank you.", "thank you", "Thank you!", "Bye.") == [
        ("Hello.", []),
        ("Thank you.", []),
        ("thank you", ["loop"]),
        ("Thank you!", ["loop"]),
        ("Bye.", []),
    ]
    assert row("谢谢。", "谢谢。", "谢谢")[1:] == [("谢谢。", ["loop"]), ("谢谢", ["loop"])]


@pytest.mark.parametrize(
    ("texts", "more"),
    [
        (("Yes.", "Yes."), {}),
        (("La la la.", "La la la.", "La la la."), {"sure": -0.1}),
        (("Yes.", "No.", "Yes.", "No.", "Yes."), {}),
        (("…", "…", "…"), {}),
        (("Yes.", "Yes.", "Yes."), {"on": False}),
    ],
)
def test_what_somebody_may_say_is_no_loop(texts: tuple[str, ...], more: dict[str, object]) -> None:
    assert row(*texts, **more) == [(text, []) for text in texts]  # type: ignore[arg-type]
