"""An engine for tests: it invents its words from a hash of the samples, and says so in them."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from threading import Event

import numpy as np

from services.model.errors import FailureClass, JobFailed
from services.model.transcript import Segment, Word
from whisper_worker.engines import Hearing, Samples
from whisper_worker.timeline import RATE

_SEGMENT_S = 4.0
_SLOW_SEGMENTS = 60
_SLOW_EVERY_S = 0.5
_HEAR = re.compile(r"\bhear-(\d+)s\b")
_DIE = re.compile(r"\bdie(?:-(segv|fpe))?\b")
_FAILURES = {
    "permanent": FailureClass.PERMANENT,
    "network": FailureClass.NETWORK_TIMEOUT,
    "service": FailureClass.SERVICE_UNAVAILABLE,
    "time": FailureClass.TIME_LIMIT,
    "internal": FailureClass.INTERNAL,
}
_DEATHS = {None: signal.SIGKILL, "segv": signal.SIGSEGV, "fpe": signal.SIGFPE}


class StubWhisper:
    """Hears one sentence every four seconds. A word in the label makes it misbehave: `slow`,
    `fail-permanent`, `fail-network`, `fail-service`, `fail-time`, `fail-internal`,
    `fail-memory`, `fail-numpy-memory`, `fail-cuda-memory`, `fail-cuda`, `hang`, `die`,
    `die-segv`, `die-fpe`; with `hear-4s` it takes four seconds and says the same."""

    def detect(
        self,
        samples: Samples,  # noqa: ARG002
        among: Sequence[str] = (),
    ) -> tuple[str, float]:
        return (among[0] if among and "en" not in among else "en"), 1.0

    def count(self, text: str) -> int:
        return len(text.split())

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
        pause = _SLOW_EVERY_S if slow else _asked_s(hearing.label) / count
        for index in range(count):
            Event().wait(pause)  # under libfaketime time.sleep() fails
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
        Word(start=start + index * step, end=start + (index + 1) * step, text=f" {word}")
        for index, word in enumerate(words)
    ]


def _misbehave(label: str) -> None:
    for word, failure in _FAILURES.items():
        if f"fail-{word}" in label:
            raise JobFailed(failure, f"stub_{word}", "The stub was told to fail.")
    if "fail-memory" in label:
        raise MemoryError("The stub was told to run out of memory.")
    if "fail-numpy-memory" in label:
        np.empty(1 << 50)  # eight petabytes
    if "fail-cuda" in label:
        what = "out of memory" if "fail-cuda-memory" in label else "an illegal memory access"
        raise RuntimeError(f"CUDA failed with error {what}")
    if "hang" in label:
        time.sleep(3600)
    if found := _DIE.search(label):
        os.kill(os.getpid(), _DEATHS[found.group(1)])


def _asked_s(label: str) -> float:
    found = _HEAR.search(label)
    return float(found.group(1)) if found else 0.0
