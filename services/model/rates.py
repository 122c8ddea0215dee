"""How fast somebody may ask: a bucket that fills steadily and from which each request takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """`size` requests at once and as many in every `period_s`; `left` of them at `at` (seconds of
    any steady clock)."""

    size: int
    period_s: float
    left: float
    at: float

    @classmethod
    def full(cls, size: int, period_s: float, now: float) -> Bucket:
        return cls(size, period_s, float(size), now)

    def filled(self, now: float) -> Bucket:
        """As it stands now."""
        gained = max(0.0, now - self.at) * self.size / self.period_s
        return Bucket(self.size, self.period_s, min(float(self.size), self.left + gained), now)

    @property
    def wait_s(self) -> float:
        """How long until one request can be taken; 0 if one can."""
        return max(0.0, 1.0 - self.left) * self.period_s / self.size

    def less_one(self) -> Bucket:
        return Bucket(self.size, self.period_s, self.left - 1.0, self.at)


def take(buckets: list[Bucket], now: float) -> tuple[list[Bucket], float]:
    """The buckets after one request and 0, or as they were and the seconds to wait: what one
    bucket refuses must not be taken from the other."""
    filled = [each.filled(now) for each in buckets]
    wait = max((each.wait_s for each in filled), default=0.0)
    return (filled, wait) if wait > 0 else ([each.less_one() for each in filled], 0.0)
