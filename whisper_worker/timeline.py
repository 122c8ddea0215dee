"""Speech without its silences, and the way back to the times of the recording; pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

RATE = 16_000  # samples a second, everywhere

_MARGIN_S = 0.25  # around speech; a little less than what is kept

Span = tuple[int, int]  # [start, end) in samples


class Timeline:
    """Stretches of a recording laid end to end.

    A moment where two stretches meet belongs to the next one when something starts there, and to
    the one before when something ends there.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        if not spans:
            raise ValueError("A timeline needs at least one stretch.")
        self._spans = list(spans)
        self._ends = list(accumulate(end - start for start, end in spans))

    @property
    def seconds(self) -> float:
        """How long it is without the silences."""
        return self._ends[-1] / RATE

    def place(self, sample: int) -> int:
        """How many samples of it lie before one of the recording."""
        index = bisect_right(self._spans, (sample, sample)) - 1
        if index < 0:
            return 0
        start, end = self._spans[index]
        return self._ends[index] - (end - start) + min(sample, end) - start

    def start(self, seconds: float) -> float:
        """The time in the recording of something that starts here (seconds)."""
        return self._original(seconds, bisect_right(self._ends, round(seconds * RATE)))

    def end(self, seconds: float) -> float:
        """The time in the recording of something that ends here (seconds)."""
        return self._original(seconds, bisect_left(self._ends, round(seconds * RATE)))

    def word(self, start: float, end: float) -> tuple[float, float]:
        """The times in the recording of what is said without a break: it lies in one stretch.
        Engines give a gap to the word behind it, so that is the stretch in which it ends, unless
        it only runs over into the margin that is kept around speech."""
        index = bisect_right(self._ends, round(max(start, end - _MARGIN_S) * RATE))
        return self._original(start, index), self._original(end, index)

    def _original(self, seconds: float, index: int) -> float:
        index = min(index, len(self._spans) - 1)
        before = self._ends[index - 1] if index else 0
        start, end = self._spans[index]
        sample = start + round(seconds * RATE) - before
        return round(min(max(sample, start), end) / RATE, 3)
