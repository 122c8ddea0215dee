from __future__ import annotations

import pytest

from services.model.transcript import Segment
from whisper_worker.guards import flags


def heard(text: str, **more: float) -> Segment:
    return Segment.model_validate({"id": 0, "start": 0, "end": 1, "text": text, **more})


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (heard("The train leaves at nine."), []),
        (heard("No, no, no."), []),
        (heard("一二三四五六七八九十"), []),
        (heard("x", compression_ratio=2.5), ["compression_ratio"]),
        (heard("x", no_speech_prob=0.9, avg_logprob=-1.5), ["no_speech"]),
        (heard("x", no_speech_prob=0.9, avg_logprob=-0.2), []),
        (heard("x", no_speech_prob=0.1, avg_logprob=-1.5), []),
        (heard("Thank you. " * 6), ["repetition"]),
        (heard("谢谢" * 5), ["repetition"]),
        (heard("He said that it was going to be a long, long, long, long, long day."), []),
    ],
)
def test_what_looks_made_up_is_flagged(segment: Segment, expected: list[str]) -> None:
    assert flags(segment) == expected
