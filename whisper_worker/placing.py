"""Where each decoded frame belongs in the recording by its timestamp, and what is missing there.

A timestamp that comes later than the sound before it ended tells of a gap, and how long it is; one
that lies beyond what the file promises, or behind, is taken for a fault and counts from anew.
Pure; all in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_LEAST = 0.1  # less is how containers round
_MOST = 3600.0  # of a gap in a file that does not say how long it is
_BACK = 1.0  # a step back by more is a clock that was set anew


@dataclass(slots=True)
class Placing:
    """`begins` is the file's own zero, `declared` how long it says the sound goes on. `at` is where
    the next frame would follow without a gap."""

    begins: float | None
    declared: float | None
    at: float = 0.0
    lead: float = 0.0  # sound that begins later than the file does is not missing
    gaps: list[tuple[float, float]] = field(default_factory=list)
    jumps: int = 0
    _begun: bool = False

    def silence(self, moment: float | None) -> float:
        """How much belongs before a frame with this timestamp, which is noted."""
        if moment is None:
            return 0.0
        if self.begins is None:
            self.begins = moment
        late = moment - self.begins - self.at
        if late >= _LEAST and self._fits(self.at + late):
            self._note(late)
            return late
        if late >= _LEAST or late < -_BACK:
            self.jumps += self._begun
            self.begins += late
        return 0.0

    def follow(self, seconds: float) -> None:
        """A frame of this length is there."""
        self._begun = True
        self.at += seconds

    @property
    def lost(self) -> float:
        """How much all gaps are together."""
        return sum(end - start for start, end in self.gaps)

    def _note(self, late: float) -> None:
        start, self.at = self.at, self.at + late
        if not self._begun:
            self.lead = late
        elif self.gaps and start - self.gaps[-1][1] < _LEAST:
            self.gaps[-1] = (self.gaps[-1][0], self.at)
        else:
            self.gaps.append((start, self.at))

    def _fits(self, moment: float) -> bool:
        if self.declared is None:
            return moment - self.at <= _MOST
        return moment <= self.declared + self.lead + (_BACK if self._begun else _MOST)
