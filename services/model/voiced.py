"""Which windows of a recording its language is told from: a few, spread over all of it; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice, takewhile

from services.model.size import DETECT_WINDOWS, RATE
from services.model.stages import PartPlan

_LONG_ENOUGH = 5 * RATE  # less is too little to tell a language from, if there is more elsewhere


def within(speech: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The speech between two positions."""
    first = max(0, bisect_right(speech, (start, start)) - 1)
    near = takewhile(lambda span: span[0] < end, islice(speech, first, None))
    return [(max(a, start), min(b, end)) for a, b in near if b > start]


def spread(parts: Sequence[PartPlan]) -> list[PartPlan]:
    """Up to five windows of these parts, each with the speech in it. The one in the middle comes
    first: a recording may begin with a jingle, and end with one."""
    windows = [(part, *window) for part in parts for window in _windows(part)]
    long = [each for each in windows if each[2] - each[1] >= _LONG_ENOUGH] or windows
    return [_alone(*long[index]) for index in _spread(len(long))]


def _windows(part: PartPlan) -> list[tuple[int, int]]:
    return part.windows or [(part.start, part.end)]


def _alone(part: PartPlan, start: int, end: int) -> PartPlan:
    speech = within(part.speech, start, end)
    return part.model_copy(
        update={"start": start, "end": end, "speech": speech, "windows": [(start, end)]}
    )


def _spread(count: int) -> list[int]:
    chosen = min(count, DETECT_WINDOWS)
    places = [(2 * number + 1) * count // (2 * chosen) for number in range(chosen)]
    return sorted(places, key=lambda place: abs(2 * place + 1 - count))
