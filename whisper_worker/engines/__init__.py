"""What turns speech into words: one protocol, one adapter an engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.model.decoding import Decoding
from services.model.transcript import Segment
from whisper_worker.biasing import Bias

Samples = NDArray[np.float32]  # 16 kHz mono, -1 … 1


@dataclass(frozen=True, slots=True)
class Hearing:
    """How to listen. `label` is the item's text id, which only the stub looks at. The prompt of
    `decoding` and the `hotwords` together fit the model. `windows` are ranges of the samples, one
    behind the other, that are looked at one by one, each with the same hints; without them all
    samples are one, and the engine cuts as it likes."""

    decoding: Decoding = field(default_factory=Decoding)
    word_timestamps: bool = False
    hotwords: str = ""
    label: str = ""
    bias: Bias | None = None
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
