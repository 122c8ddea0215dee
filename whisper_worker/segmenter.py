"""From probabilities of speech to stretches of it, and from those to parts; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from services.model.stages import PartPlan
from services.model.voiced import within
from whisper_worker.timeline import RATE, Span
from whisper_worker.windows import QUIET, Sound, Window

SPEECH = 0.5  # a stretch begins at this probability, and ends below that of a pause
_SHORTEST_SPEECH = RATE // 10  # less is a click
_SHORTEST_QUIET = RATE // 4  # less is a breath
_PAD = 3 * RATE // 10  # kept around speech, so that no sound is cut off
_LOOK_BACK = 0.5  # the last half of a part is searched for a silence to cut at


def spans(probabilities: Iterable[float], *, window: int, total: int) -> list[Span]:
    """Stretches of speech in samples, padded, in order, not touching.

    `window` is how many samples a probability stands for, `total` how many there are.
    """
    found = _raw(probabilities, window, total)
    long_enough = [(a, b) for a, b in found if b - a >= _SHORTEST_SPEECH]
    return _padded(long_enough, total)


def cut(sound: Sound, windows: Sequence[Window], longest: int) -> list[PartPlan]:
    """Parts of whole windows and at most `longest` samples (0: no limit), cut in the widest
    silence of their last half. A part without speech is left out."""
    plans = []
    first = 0
    while first < len(windows):
        last = _last_of_part(windows, first, longest)
        plans.append(_part(sound, windows[first:last]))
        first = last
    return [plan for plan in plans if plan.speech]


def _part(sound: Sound, windows: Sequence[Window]) -> PartPlan:
    start, end = windows[0].start, windows[-1].end
    heard = [(a, b) for a, b, _ in windows if sound.heard(b) > sound.heard(a)]
    return PartPlan(start=start, end=end, speech=within(sound.speech, start, end), windows=heard)


def _last_of_part(windows: Sequence[Window], first: int, longest: int) -> int:
    start = windows[first].start
    if not longest or windows[-1].end - start <= longest:
        return len(windows)
    ends = range(first + 1, len(windows))
    fitting = list(takewhile(lambda end: windows[end - 1].end - start <= longest, ends))
    late = [end for end in fitting if windows[end - 1].end - start > longest * _LOOK_BACK]
    return max(
        late, key=lambda end: windows[end - 1].pause, default=max(fitting, default=first + 1)
    )


def _raw(probabilities: Iterable[float], window: int, total: int) -> list[Span]:
    found: list[Span] = []
    start = quiet_since = None
    for index, probability in enumerate(probabilities):
        position = index * window
        if probability >= SPEECH:
            quiet_since = None
            start = position if start is None else start
        elif start is not None and probability < QUIET:
            quiet_since = position if quiet_since is None else quiet_since
            if position - quiet_since >= _SHORTEST_QUIET:
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
