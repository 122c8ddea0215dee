"""How a stretch of a part sounds: how loud it is at its loudest, and how much like speech."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from whisper_worker import voice
from whisper_worker.engines import Samples
from whisper_worker.guards import Sound
from whisper_worker.timeline import RATE, Span

_MOMENT = RATE // 10
_ENOUGH = 3 * RATE
_A_SYLLABLE = 5  # windows of the voice detection, 0.16 s; a hum that begins has fewer


class Sounding:
    """The samples that an engine hears. Where they were `sifted`, speech was looked for already."""

    def __init__(self, samples: Samples, *, sifted: bool) -> None:
        self._samples = samples
        self._sifted = sifted

    def of(self, start: float, end: float) -> Sound:
        """Between two moments in seconds; of no samples nothing can be told."""
        first, last = round(start * RATE), round(end * RATE)
        moments = self._samples[first:last]
        if not len(moments):
            return Sound()
        return Sound(_loudest_db(moments), None if self._sifted else self._voice(first, last))

    def _voice(self, first: int, last: int) -> float:
        windows = self._probabilities[first // voice.WINDOW : last // voice.WINDOW + 1]
        return float(np.sort(windows)[-_A_SYLLABLE:][0])

    @cached_property
    def _probabilities(self) -> voice.Probabilities:
        return voice.of(self._samples)


def is_sifted(speech: Sequence[Span], start: int, end: int) -> bool:
    """Whether speech was looked for, and enough was found: where nobody looked, all there is counts
    as speech, and a little of it may be a hum that began."""
    found = sum(last - first for first, last in speech)
    return list(speech) != [(start, end)] and found >= _ENOUGH


def _loudest_db(samples: Samples) -> float:
    padded = np.pad(samples, (0, -len(samples) % _MOMENT)).reshape(-1, _MOMENT)
    power = float(np.square(padded, dtype=np.float64).mean(axis=1).max())
    return 10 * float(np.log10(power)) if power > 0 else float("-inf")
