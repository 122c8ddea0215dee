"""From probabilities of speech to stretches of it, and from those to parts; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from services.model.stages import PartPlan
from whisper_worker.timeline import RATE, Span

SPEECH = 0.5  # a stretch begins at this probability …
SILENCE = 0.35  # … and ends below this one
_SHORTEST_SPEECH = RATE // 10  # less is a click
_SHORTEST_SILENCE = RATE // 4  # less is a breath
_PAD = 3 * RATE // 10  # kept around speech, so that no sound is cut off
_LOOK_BACK = 0.5  # the last half of a part is searched for a silence to cut at


def spans(probabilities: Iterable[float], *, window: int, total: int) -> list[Span]:
    """Stretches of speech in samples, padded, in order, not touching.

    `window` is how many samples a probability stands for, `total` how many there are.
    """
    found = _raw(probabilities, window, total)
    long_enough = [(a, b) for a, b in found if b - a >= _SHORTEST_SPEECH]
    return _padded(long_enough, total)


def cut(speech: Sequence[Span], total: int, longest: int) -> list[PartPlan]:
    """Parts of at most `longest` samples (0: no limit), cut in the widest silence of their last
    half; where there is none, in mid-speech. A part without speech is left out."""
    plans = []
    start = 0
    while start < total:
        end = total if not longest or total - start <= longest else _cut_at(speech, start, longest)
        inside = [(max(a, start), min(b, end)) for a, b in speech if a < end and b > start]
        if inside:
            plans.append(PartPlan(start=start, end=end, speech=inside))
        start = end
    return plans


def _raw(probabilities: Iterable[float], window: int, total: int) -> list[Span]:
    found: list[Span] = []
    start = quiet_since = None
    for index, probability in enumerate(probabilities):
        position = index * window
        if probability >= SPEECH:
            quiet_since = None
            start = position if start is None else start
        elif start is not None and probability < SILENCE:
            quiet_since = position if quiet_since is None else quiet_since
            if position - quiet_since >= _SHORTEST_SILENCE:
                found.append((start, quiet_since))
                start = quiet_since = None
    if start is not None:
        found.append((start, total if quiet_since is None else quiet_since))
    return found


def _padded(found: Sequence[Span], total: int) -> list[Span]:
    padded: list[Span] = []
    for a, b in found:
        start, end = max(0, a - _PAD), min(total, b + _PAD)
        if padded and start <= padded[-1][1]:
            padded[-1] = (padded[-1][0], end)
        else:
            padded.append((start, end))
    return padded


def _cut_at(speech: Sequence[Span], start: int, longest: int) -> int:
    first, last = start + int(longest * _LOOK_BACK), start + longest
    edges = [(0, 0), *speech, (last, last)]
    gaps = [
        (max(before[1], first), min(after[0], last))
        for before, after in pairwise(edges)
        if max(before[1], first) < min(after[0], last)
    ]
    if not gaps:
        return last
    a, b = max(gaps, key=lambda gap: gap[1] - gap[0])
    return (a + b) // 2
