"""An engine for tests: it invents its words from a hash of the samples, and says so in them."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from hashlib import sha256

from services.model.errors import FailureClass, JobFailed
from services.model.transcript import Segment, Word
from whisper_worker.engines import Hearing, Samples
from whisper_worker.timeline import RATE

_SEGMENT_S = 4.0
_SLOW_SEGMENTS = 60
_SLOW_EVERY_S = 0.5


class StubWhisper:
    """Hears one sentence every four seconds. A word in the label makes it misbehave: `slow`,
    `fail-permanent`, `fail-network`, `fail-memory`, `die`."""

    def detect(self, samples: Samples) -> tuple[str, float]:  # noqa: ARG002
        return "en", 1.0

    def transcribe(
        self,
        samples: Samples,
        language: str,  # noqa: ARG002
        hearing: Hearing,
    ) -> Iterator[Segment]:
        _misbehave(hearing.label)
        digest = sha256(samples.tobytes()).hexdigest()
        seconds = len(samples) / RATE
        slow = "slow" in hearing.label
        count = _SLOW_SEGMENTS if slow else max(1, round(seconds / _SEGMENT_S))
        for index in range(count):
            if slow:
                time.sleep(_SLOW_EVERY_S)
            start, end = seconds * index / count, seconds * (index + 1) / count
            text = f"Stub sentence {index + 1} of {count} from {digest[:8]}."
            yield Segment(
                id=index,
                start=start,
                end=end,
                text=text,
                words=_words(text, start, end) if hearing.word_timestamps else None,
            )


def _words(text: str, start: float, end: float) -> list[Word]:
    words = text.split()
    step = (end - start) / len(words)
    return [
        Word(start=start + index * step, end=start + (index + 1) * step, text=word)
        for index, word in enumerate(words)
    ]


def _misbehave(label: str) -> None:
    if "fail-permanent" in label:
        raise JobFailed(FailureClass.PERMANENT, "stub_permanent", "The stub was told to fail.")
    if "fail-network" in label:
        raise JobFailed(FailureClass.NETWORK_TIMEOUT, "stub_network", "The stub was told to fail.")
    if "fail-memory" in label:
        raise MemoryError("The stub was told to run out of memory.")
    if re.search(r"\bdie\b", label):
        os.kill(os.getpid(), signal.SIGKILL)
