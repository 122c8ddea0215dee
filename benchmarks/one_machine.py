"""A stack as a person starts it on one machine, and speech to send to it."""

from __future__ import annotations

import functools
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo.grammar import sentences
from demo.speech import SAMPLE_RATE, Audio, join, speak, voices

_SENTENCES = 40
_GAP_S = 0.5


@dataclass(frozen=True)
class Up:
    """A running stack: its address, and its first process."""

    url: str
    pid: int


@contextmanager
def stack(
    folder: Path, *, models: Literal["demo", "stub"], more: Mapping[str, str] | None = None
) -> Iterator[Up]:
    """`fanscribe up` on free ports, with `more` in its environment, until the end of the block."""
    command = [sys.executable, "-m", "services.cli", "up", "--port", "0"]
    clean = {name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE")}
    process = subprocess.Popen(
        [*command, "--data-dir", str(folder / "data")],
        env={
            **clean,
            f"FANSCRIBE_{models.upper()}_MODELS": "true",
            "FANSCRIBE_WORKER_PORT": "0",
            "NO_COLOR": "1",
            **(more or {}),
        },
        text=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"is up at (http://\S+)", line):
                yield Up(found[1], process.pid)
                break
        else:
            raise SystemExit("the stack did not start")
    finally:
        process.terminate()
        process.wait(30)


def spoken(seconds: float, seed: int, chance: random.Random) -> Audio:
    """English sentences by a voice that no model was trained on, at least so long."""
    chosen: list[Audio] = []
    length = 0.0
    while length < seconds:
        clip = chance.choice(_clips(seed))
        chosen.append(clip)
        length += len(clip) / SAMPLE_RATE + _GAP_S
    audio, _ = join(chosen, [_GAP_S] * len(chosen))
    return audio


@functools.cache
def _clips(seed: int) -> Sequence[Audio]:
    voice = voices("en", held_out=True)[0]
    known = sentences(_SENTENCES, seed=seed, held_out=True)
    return [speak(each.text("en"), "en", voice) for each in known]
