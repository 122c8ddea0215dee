"""When work will end, reckoned from what stands before it and how fast that goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.model.speed import Speed


@dataclass(frozen=True, slots=True)
class Work:
    """Some jobs of one line, those that exist or those that others will lead to."""

    jobs: float = 0.0
    size: float = 0.0

    def plus(self, other: Work) -> Work:
        return Work(self.jobs + other.jobs, self.size + other.size)

    def times(self, factor: float) -> Work:
        return Work(self.jobs * factor, self.size * factor)

    def seconds(self, speed: Speed) -> float:
        """How long it keeps one slot busy; nothing while nothing was measured."""
        if self.jobs <= 0:
            return 0.0
        return self.jobs * (speed.expect(self.size / self.jobs) or 0.0)

    def leads_to(self, outcome: Speed | None) -> Work:
        """The next stage's work, for one target; of the same size where that was never seen."""
        if self.jobs <= 0:
            return NOTHING
        mean = self.size / self.jobs
        after = outcome.expect(mean) if outcome else None
        return Work(self.jobs, self.jobs * (mean if after is None else after))


NOTHING = Work()


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage that is still ahead of a task.

    `pool` are the nodes that work on it, `slots` what they run at once. `ahead_s` is the work that
    stands before the task's own, `own_s` is the task's; `batches` is in how many pieces the own
    work comes from the leg before, one where it is all there. `not_before_s` is how long its last
    try still has to wait. All times in seconds, of work where they are of work.
    """

    pool: frozenset[str]
    slots: int
    ahead_s: float = 0.0
    ahead_jobs: float = 0.0
    own_s: float = 0.0
    own_jobs: float = 0.0
    batches: float = 1.0
    not_before_s: float = 0.0

    @property
    def wait_s(self) -> float:
        """Until the first slot is free for the own work."""
        return 0.0 if self.ahead_jobs < self.slots else self.ahead_s / self.slots

    @property
    def work_s(self) -> float:
        """The own work on as many slots as it can use."""
        return self.own_s / max(1.0, min(self.own_jobs, self.slots))

    @property
    def tail_s(self) -> float:
        """What is still to do when the last piece comes in."""
        share = self.own_jobs / self.batches
        return self.own_s / self.batches / max(1.0, min(share, self.slots))


def until_end(legs: Sequence[Leg]) -> float:
    """Seconds until the last leg is done.

    Legs on the same nodes share their slots, so their times add up; a leg with nodes of its own
    works through what is ahead, and through the task's first pieces, while the one before goes on.
    """
    at = 0.0
    for number, leg in enumerate(legs):
        shared = any(leg.pool & before.pool for before in legs[:number])
        if shared:
            at += leg.wait_s + leg.work_s
        else:
            at = max(leg.wait_s + leg.work_s, at + leg.tail_s)
        at = max(at, leg.not_before_s + leg.tail_s)
    return at


def until_start(waiting_s: float, running_s: float, jobs: int, slots: int) -> float | None:
    """Seconds until a job that comes now would start; None where nobody works."""
    if slots <= 0:
        return None
    return 0.0 if jobs < slots else (waiting_s + running_s) / slots


def remaining(expected_s: float, elapsed_s: float, progress: float) -> float:
    """What is left of a running job: by its own word where it gives one, else by the clock; a
    tenth where it should have ended."""
    if progress > 0:
        return expected_s * (1.0 - min(1.0, progress))
    return max(expected_s - max(0.0, elapsed_s), 0.1 * expected_s)
