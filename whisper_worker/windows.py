"""Cuts a recording into the windows that an engine looks at, each ending where nobody speaks; pure.

Whisper looks at 30 seconds at a time. Left to itself it looks from wherever its last sentence
ended, so a window ends in mid-word, and what it makes of the torn sentence depends on where the
first one began. Planned ahead, windows are the same however many parts a recording is cut into.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whisper_worker.timeline import RATE, Span

LONGEST = 30 * RATE  # of speech: what Whisper sees at once
QUIET = 0.35  # a moment that is less likely speech than this is a pause
_SHORTEST_DIP = RATE // 10  # less is a plosive
_PAUSE = RATE // 4  # less may be within a word
_SMOOTH = 10  # probabilities, a third of a second

Quietest = Callable[[int, int], int]  # a moment between two positions


class Window(NamedTuple):
    """`[start, end)` of the recording, in samples; `pause` is how long the silence at its end is
    that it was cut in."""

    start: int
    end: int
    pause: int = 0


class Sound:
    """A recording as it is cut up: where somebody speaks, and where nobody does."""

    def __init__(self, speech: Sequence[Span], dips: Sequence[Span], total: int) -> None:
        self.speech = speech
        self.total = total
        self._starts = [start for start, _ in speech]
        self._before = [0, *accumulate(end - start for start, end in speech)]
        self._cuts = [(a + b) // 2 for a, b in dips]
        self._widths = [b - a for a, b in dips]
        self._heard = [self.heard(cut) for cut in self._cuts]

    def heard(self, position: int) -> int:
        """How much speech there is before a position."""
        index = bisect_right(self._starts, position) - 1
        if index < 0:
            return 0
        start, end = self.speech[index]
        return self._before[index] + min(position, end) - start

    def cuts(self, least: int, most: int, last: int) -> Iterator[Window]:
        """The pauses that lie behind more than `least` and up to `most` of speech, and not behind
        the position `last`; each as a window without a start."""
        first, end = bisect_right(self._heard, least), bisect_right(self._heard, most)
        for index in range(first, min(end, bisect_right(self._cuts, last))):
            yield Window(0, self._cuts[index], self._widths[index])

    def next_cut(self, most: int) -> Window | None:
        """The first pause behind more than `most` of speech."""
        index = bisect_right(self._heard, most)
        return (
            Window(0, self._cuts[index], self._widths[index]) if index < len(self._cuts) else None
        )


def dips(probabilities: Iterable[float], *, window: int, total: int) -> list[Span]:
    """Where nobody speaks for a tenth of a second or longer, in samples; `window` is how many of
    them a probability stands for."""
    found: list[Span] = []
    since: int | None = None
    for index, probability in enumerate(probabilities):
        position = index * window
        if probability < QUIET:
            since = position if since is None else since
        elif since is not None:
            found.append((since, position))
            since = None
    if since is not None:
        found.append((since, total))
    return [(a, b) for a, b in found if b - a >= _SHORTEST_DIP]


def quietest(probabilities: NDArray[np.float32], window: int) -> Quietest:
    """Says which moment between two positions is least likely speech, a third of a second long."""
    smooth = np.convolve(probabilities, np.ones(_SMOOTH), "same")

    def between(first: int, last: int) -> int:
        part = smooth[first // window : last // window]
        return first + (int(part.argmin()) * window if len(part) else 0)

    return between


def plan(sound: Sound, longest: int, between: Quietest = lambda _, last: last) -> list[Window]:
    """Windows that cover the recording: up to 30 s of speech in each, unless nobody pauses for
    longer, and never more than `longest` samples (0: no limit); where nobody pauses for even that
    long, it is cut `between` two positions."""
    windows: list[Window] = []
    start = 0
    while start < sound.total:
        last = min(start + (longest or sound.total), sound.total)
        window = _next(sound, start, last)
        if window is None:
            end = last if last == sound.total else between(start + (last - start) // 2, last)
            window = Window(start, end)
        windows.append(window)
        start = window.end
    return windows


def _next(sound: Sound, start: int, last: int) -> Window | None:
    """The pause that ends a window: the widest in the last quarter of what Whisper can see, else
    one further ahead; else a dip, else the first one that follows."""
    heard = sound.heard(start)
    room = min(LONGEST, sound.heard(last) - heard)
    if last == sound.total and sound.heard(last) - heard <= LONGEST:
        return Window(start, last)
    near = [each for each in sound.cuts(heard, heard + room, last) if each.end > start]
    pauses = [each for each in near if each.pause >= _PAUSE]
    found = (
        _widest(each for each in pauses if sound.heard(each.end) > heard + 3 * room // 4)
        or _widest(each for each in pauses if sound.heard(each.end) > heard + room // 2)
        or _widest(each for each in near if sound.heard(each.end) > heard + room // 2)
        or _widest(pauses)
        or sound.next_cut(heard + room)
    )
    return found._replace(start=start) if found and found.end <= last else None


def _widest(pauses: Iterable[Window]) -> Window | None:
    return max(pauses, key=lambda each: each.pause, default=None)
