"""When each loop of the ticker last looked, by the monotonic clock: a loop that hangs is seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

STUCK_AFTER_S = 30.0  # beyond the loop's own rhythm


@dataclass(slots=True)
class Pulse:
    """One entry a loop: when it began its last look, and how often it means to look."""

    looks: dict[str, tuple[float, float]] = field(default_factory=dict)

    def looked(self, loop: str, every_s: float) -> None:
        self.looks[loop] = (time.monotonic(), every_s)

    def ages(self) -> dict[str, float]:
        """Seconds since each loop began its last look."""
        now = time.monotonic()
        return {loop: now - at for loop, (at, _) in list(self.looks.items())}

    def stuck(self) -> list[str]:
        """The loops that should have looked again long ago."""
        now = time.monotonic()
        looks = list(self.looks.items())
        return [loop for loop, (at, every) in looks if now - at > every + STUCK_AFTER_S]
