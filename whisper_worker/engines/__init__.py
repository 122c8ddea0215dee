"""What turns speech into words: one protocol, one adapter an engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.model.transcript import Segment

Samples = NDArray[np.float32]  # 16 kHz mono, -1 … 1


@dataclass(frozen=True, slots=True)
class Hearing:
    """How to listen. `safer` gives up quality for a sure end; `label` is the item's text id,
    which only the stub looks at. `prompt` and `hotwords` fit the model; temperature 0 may rise.
    `windows` are ranges of the samples, one behind the other, that are looked at one by one, each
    with the same hints; without them all samples are one, and the engine cuts as it likes."""

    beam_size: int = 5
    word_timestamps: bool = False
    prompt: str = ""
    hotwords: str = ""
    temperature: float = 0.0
    safer: bool = False
    label: str = ""
    windows: Sequence[tuple[int, int]] = ()


class Engine(Protocol):
    """One loaded model."""

    def detect(self, samples: Samples, among: Sequence[str] = ()) -> tuple[str, float]:
        """The spoken language as a BCP-47 tag, and its probability; one of `among`, if given."""
        ...

    def count(self, text: str) -> int:
        """How many of the model's tokens a text is."""
        ...

    def transcribe(self, samples: Samples, language: str, hearing: Hearing) -> Iterator[Segment]:
        """Segments as they are heard, with times in seconds of `samples`."""
        ...
