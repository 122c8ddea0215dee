"""How fast a task can be read while every core transcribes: `python -m benchmarks.reads`.

Starts a stack of its own with the demo models and gives it hours of speech. One client asks for
the task at a steady rate, as a page that shows progress does. Only answers from while all slots
transcribed are counted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

from benchmarks.one_machine import spoken, stack
from demo.speech import write_wav
from services.client.calls.submitting import Item
from services.client.client import Fanscribe

GOAL_MS = 20.0
_FILE_S = 600.0
_PATIENCE_S = 120.0


class Reader:
    """One connection that stays."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def get(self, path: str) -> Any:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path}: HTTP {answer.status}")
        return json.loads(body)


def transcribing(reader: Reader) -> int:
    """How many slots are at it."""
    queues = reader.get("/v1/queues")
    return sum(
        each["running"] for each in queues["queues"] if each["queue"].startswith("transcribe.")
    )


def measure(reader: Reader, task: str, *, seconds: float, rate: float, slots: int) -> list[float]:
    """The times of the reads of whole seconds in which all slots transcribed."""
    counted: list[float] = []
    end = time.monotonic() + seconds + _PATIENCE_S
    while len(counted) < seconds * rate:
        if time.monotonic() > end:
            raise SystemExit("too little was transcribed meanwhile: give it --files")
        if transcribing(reader) < slots:
            time.sleep(0.5)
            continue
        took = []
        began = time.monotonic()
        for number in range(int(rate)):
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            reader.get(f"/v1/tasks/{task}")
            took.append(time.monotonic() - due)  # who comes late has waited for the one before
        if transcribing(reader) == slots:
            counted += took
    return counted


def main() -> None:
    """Exits with 1 when the 99th percentile is over the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="to measure for")
    parser.add_argument("--rate", type=float, default=50.0, help="reads a second")
    parser.add_argument("--files", type=int, default=20, help="of ten minutes each")
    options = parser.parse_args()
    slots = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "speech.wav"
        write_wav(file, spoken(_FILE_S, 1, random.Random(1)))
        with stack(Path(name), models="demo") as up, Fanscribe(up.url) as api:
            sent = api.upload(file)
            items = [Item(sent, text_id=str(n), language="en") for n in range(options.files)]
            task = api.submit(*items, targets=["zh"])
            reader = Reader(up.url)
            took = measure(reader, task.id, seconds=options.seconds, rate=options.rate, slots=slots)
    cuts = [1000 * cut for cut in quantiles(took, n=100)]
    print(f"{len(took)} reads, {options.rate:g} a second, {slots} slots transcribing")
    print(f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms")
    print(f"goal: p99 {GOAL_MS:.0f} ms")
    raise SystemExit(0 if cuts[98] <= GOAL_MS else 1)


if __name__ == "__main__":
    main()
