"""Should it try again? And when? One table, one function.

Counts are retries, not tries, and are kept per class. `docs/states.md` shows this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.model.errors import FailureClass

UNKNOWN_AGAIN_S = 30.0  # before a worker is asked again that did not know what the job asks for
JITTER = 0.10  # up to a tenth is added, so that a mass failure does not come back as one wave


@dataclass(frozen=True, slots=True)
class Tier:
    """How one class of failure is retried: `retries` times, each after `delay_s` seconds."""

    delay_s: float
    retries: int
    other_node: bool = False  # prefer another node for the next attempt
    safer: bool = False  # run the next attempt with safer options


@dataclass(frozen=True, slots=True)
class Decision:
    """`again` with a delay in seconds, or not."""

    again: bool
    delay_s: float = 0.0
    other_node: bool = False
    safer: bool = False


TIERS: Mapping[FailureClass, Tier] = {
    FailureClass.NETWORK_TIMEOUT: Tier(30.0, 1),
    FailureClass.SERVICE_UNAVAILABLE: Tier(300.0, 2),
    FailureClass.RESOURCE_EXHAUSTED: Tier(1800.0, 3, other_node=True),
    FailureClass.WORKER_LOST: Tier(0.0, 2, other_node=True),  # the third loss kills the job
    FailureClass.TIME_LIMIT: Tier(0.0, 1, safer=True),
    FailureClass.PERMANENT: Tier(0.0, 0),
    FailureClass.INTERNAL: Tier(30.0, 1),
}


def decide(
    failure: FailureClass,
    done: Mapping[FailureClass, int],
    *,
    draw: float,
    retry_after_s: float | None = None,
    scale: float = 1.0,
    tiers: Mapping[FailureClass, Tier] = TIERS,
) -> Decision:
    """What follows a failure, given the retries already done of each class.

    `draw` in [0, 1) is the caller's random number for the jitter. `scale` shrinks the waits of
    tests. A busy service's longer Retry-After wins over the table and is not scaled.
    """
    tier = tiers[failure]
    if done.get(failure, 0) >= tier.retries:
        return Decision(again=False)
    delay = tier.delay_s * scale
    if retry_after_s is not None and failure is FailureClass.SERVICE_UNAVAILABLE:
        delay = max(delay, retry_after_s)
    return Decision(
        again=True,
        delay_s=delay * (1.0 + JITTER * draw),
        other_node=tier.other_node,
        safer=tier.safer,
    )
