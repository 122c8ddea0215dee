"""What a job may do next: every state, every event, every arrow.

Nothing else in the system decides a job's state, and only `task_manager.pipeline` writes one.
`docs/states.md` is generated from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """No worker will touch it again, unless the API retries a dead one."""
        return self in {JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED}


class Event(StrEnum):
    """What may happen to a job. Reports count for its newest attempt only."""

    CLAIM = "claim"  # a worker takes it; the attempt rises here and nowhere else
    BEAT = "beat"  # its worker is alive (a progress report is a beat too)
    SUCCEED = "succeed"  # its worker reports the result
    FAIL_AGAIN = "fail_again"  # its worker reports a failure, and retry.decide grants a retry
    FAIL_FOR_GOOD = "fail_for_good"  # … or does not
    RELEASE = "release"  # its worker hands it back unharmed
    LOSE = "lose"  # no beat was seen for too long, or its process died; it may run again
    LOSE_FOR_GOOD = "lose_for_good"  # … once too often
    CANCEL = "cancel"  # its task was cancelled or deleted
    REVIVE = "revive"  # the API retries what failed


class Answer(StrEnum):
    """What the one who reported is told."""

    OK = "ok"  # HTTP 200: taken, or known already
    STALE = "stale"  # HTTP 409: another attempt counts now; stop
    CANCELLED = "cancelled"  # HTTP 410: nobody wants it any more; stop


@dataclass(frozen=True, slots=True)
class Arrow:
    """Where an event leads. `moves` is false when nothing is written but perhaps history."""

    to: JobState
    answer: Answer = Answer.OK
    moves: bool = True


_W, _R, _S, _D, _C = JobState
_E = Event

TABLE: dict[tuple[JobState, Event], Arrow] = {
    # The straight road.
    (_W, _E.CLAIM): Arrow(_R),
    (_R, _E.BEAT): Arrow(_R),
    (_R, _E.SUCCEED): Arrow(_S),
    (_R, _E.FAIL_AGAIN): Arrow(_W),
    (_R, _E.FAIL_FOR_GOOD): Arrow(_D),
    (_R, _E.RELEASE): Arrow(_W),
    (_R, _E.LOSE): Arrow(_W),
    (_R, _E.LOSE_FOR_GOOD): Arrow(_D),
    (_W, _E.CANCEL): Arrow(_C),
    (_R, _E.CANCEL): Arrow(_C),
    (_D, _E.REVIVE): Arrow(_W),
    # A message is a doorbell: it may ring twice, late, or for a job that somebody has.
    (_R, _E.CLAIM): Arrow(_R, Answer.STALE, moves=False),
    (_S, _E.CLAIM): Arrow(_S, Answer.STALE, moves=False),
    (_D, _E.CLAIM): Arrow(_D, Answer.STALE, moves=False),
    (_C, _E.CLAIM): Arrow(_C, Answer.CANCELLED, moves=False),
    # The lease was taken back too early: until the next claim its holder still counts.
    (_W, _E.BEAT): Arrow(_R),
    (_W, _E.SUCCEED): Arrow(_S),
    (_W, _E.FAIL_FOR_GOOD): Arrow(_D),
    # … but a failure that would be retried anyway only leaves a line in the history.
    (_W, _E.FAIL_AGAIN): Arrow(_W, moves=False),
    (_W, _E.RELEASE): Arrow(_W, moves=False),
    # Two tickers may look at the same silence; the second finds nothing to do.
    (_W, _E.LOSE): Arrow(_W, moves=False),
    (_W, _E.LOSE_FOR_GOOD): Arrow(_W, moves=False),
    (_S, _E.LOSE): Arrow(_S, moves=False),
    (_S, _E.LOSE_FOR_GOOD): Arrow(_S, moves=False),
    (_D, _E.LOSE): Arrow(_D, moves=False),
    (_D, _E.LOSE_FOR_GOOD): Arrow(_D, moves=False),
    (_C, _E.LOSE): Arrow(_C, moves=False),
    (_C, _E.LOSE_FOR_GOOD): Arrow(_C, moves=False),
    # A late word about a finished job. A doubled report was answered before it came here.
    (_S, _E.BEAT): Arrow(_S, Answer.STALE, moves=False),
    (_S, _E.SUCCEED): Arrow(_S, moves=False),
    (_S, _E.FAIL_AGAIN): Arrow(_S, Answer.STALE, moves=False),
    (_S, _E.FAIL_FOR_GOOD): Arrow(_S, Answer.STALE, moves=False),
    (_S, _E.RELEASE): Arrow(_S, Answer.STALE, moves=False),
    (_D, _E.BEAT): Arrow(_D, Answer.STALE, moves=False),
    (_D, _E.SUCCEED): Arrow(_D, Answer.STALE, moves=False),
    (_D, _E.FAIL_AGAIN): Arrow(_D, Answer.STALE, moves=False),
    (_D, _E.FAIL_FOR_GOOD): Arrow(_D, Answer.STALE, moves=False),
    (_D, _E.RELEASE): Arrow(_D, Answer.STALE, moves=False),
    # A worker that has not heard of the cancel yet hears of it here.
    (_C, _E.BEAT): Arrow(_C, Answer.CANCELLED, moves=False),
    (_C, _E.SUCCEED): Arrow(_C, Answer.CANCELLED, moves=False),
    (_C, _E.FAIL_AGAIN): Arrow(_C, Answer.CANCELLED, moves=False),
    (_C, _E.FAIL_FOR_GOOD): Arrow(_C, Answer.CANCELLED, moves=False),
    (_C, _E.RELEASE): Arrow(_C, Answer.CANCELLED, moves=False),
    # What has ended stays ended; a cancel that comes second changes nothing.
    (_S, _E.CANCEL): Arrow(_S, moves=False),
    (_D, _E.CANCEL): Arrow(_D, moves=False),
    (_C, _E.CANCEL): Arrow(_C, moves=False),
    # Only what is dead is retried: the rest is either under way or was wanted to end.
    (_W, _E.REVIVE): Arrow(_W, moves=False),
    (_R, _E.REVIVE): Arrow(_R, moves=False),
    (_S, _E.REVIVE): Arrow(_S, moves=False),
    (_C, _E.REVIVE): Arrow(_C, moves=False),
}


def arrow(state: JobState, event: Event) -> Arrow:
    """The one arrow for this pair; every pair has one."""
    return TABLE[state, event]
