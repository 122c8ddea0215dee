"""Judges the log of deliveries: when each try came, and whether 410 was the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.faults.ledger import Entry
from services.model.webhook import JITTER, WAITS_S

SCALE = 0.0005  # the schedule of 27 hours becomes one of 50 seconds
RETRY_AFTER_S = 2  # what a receiver asks for with 429
TRIES = len(WAITS_S) + 1
_SLACK_S = 0.05  # the log's times are rounded
_IN_HAND_S = 5.0  # another manager may have begun to tell somebody who has just said 410


@dataclass(frozen=True, slots=True)
class Timing:
    """One try: it could come from `free` on (seconds since 1970), and came at `at`."""

    number: int
    free: float
    at: float
    early_s: float
    late_s: float

    @property
    def is_too_early(self) -> bool:
        return self.early_s > _SLACK_S


def timings(delivery: Entry) -> Iterator[Timing]:
    """The first is due at once, each other when the wait after the one before is over."""
    free, wait, asked = moment(delivery["created"]), 0.0, 0.0
    for number, each in enumerate(delivery["tries"]):
        at = moment(each["at"])
        early = max(wait, asked) - (at - free)
        late = max(0.0, at - free - wait * (1 + JITTER))
        yield Timing(number + 1, free, at, early, late)
        free = at + each["seconds"]
        wait = WAITS_S[number] * SCALE if number < len(WAITS_S) else 0.0
        asked = RETRY_AFTER_S if each["status"] == 429 else 0.0


def after_gone(
    webhook: Mapping[str, Any], notices: Sequence[Entry], opened_at: float
) -> Iterator[str]:
    """What is wrong with a webhook whose receiver says 410 and nothing else. `notices` are those
    that it got, by the clock of a ledger that was opened then."""
    if webhook["enabled"]:
        yield "410 has not disabled the webhook"
        return
    off = moment(webhook["disabled_at"]) - opened_at
    late = [each for each in notices if each.t > off + _IN_HAND_S]
    if late:
        yield f"told after 410: {late[:3]}"


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
