"""What every translation engine offers: sentences in, as many sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Translation:
    """One sentence; `flags` say what looks wrong with it: `truncated`, `length_ratio`."""

    text: str
    flags: list[str] = field(default_factory=list)


class Engine(Protocol):
    """A loaded model. An answer stands where its sentence stood; a blank one stays blank."""

    def translate(
        self, texts: Sequence[str], source: str, target: str, *, beam_size: int | None
    ) -> list[Translation]: ...
