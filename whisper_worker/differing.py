"""A place where two texts part, told as stretches of both and of the audio."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.differences import Difference, Op
from services.model.transcript import Transcript
from whisper_worker.aligning import Run
from whisper_worker.bare_words import BareWords
from whisper_worker.spoken_at import SpokenAt

Span = tuple[int, int]


class Differing:
    """Knows both texts as they are written, their words, and when they were said."""

    def __init__(
        self, reference: str, heard: Transcript, expected: BareWords, found: BareWords
    ) -> None:
        self._reference = reference
        self._heard = heard.text
        self._spans = expected.spans
        self._heard_spans = found.spans
        self._spoken_at = SpokenAt(heard)

    def place(self, first: Run, last: Run) -> Difference:
        """The words from the first of some runs that touch to the last."""
        start, end = _stretch(self._spans, first.start, last.end)
        heard_start, heard_end = _stretch(self._heard_spans, first.heard_start, last.heard_end)
        times = self._times(first.heard_start, last.heard_end)
        return Difference(
            op=_op(expected=last.end > first.start, heard=last.heard_end > first.heard_start),
            expected=self._reference[start:end],
            heard=self._heard[heard_start:heard_end],
            start=start,
            end=end,
            heard_start=heard_start,
            heard_end=heard_end,
            from_s=None if times is None else times[0],
            to_s=None if times is None else times[1],
        )

    def _times(self, start: int, end: int) -> tuple[float, float] | None:
        spans = self._heard_spans
        if start < end:
            return self._spoken_at.stretch(spans[start][0], spans[end - 1][1])
        before = spans[start - 1][1] if start else 0
        after = spans[start][0] if start < len(spans) else len(self._heard)
        return self._spoken_at.gap(before, after)


def _stretch(spans: Sequence[Span], start: int, end: int) -> Span:
    """From the first word to the last; right behind the word before, where there is none."""
    if start < end:
        return spans[start][0], spans[end - 1][1]
    point = spans[start - 1][1] if start else 0
    return point, point


def _op(*, expected: bool, heard: bool) -> Op:
    if expected and heard:
        return "substitution"
    return "deletion" if expected else "insertion"
