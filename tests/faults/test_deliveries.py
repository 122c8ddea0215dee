"""A log of deliveries, made by hand, for each way to keep the schedule and 410 wrongly; the bench's
judgement of T29 must see it, and see nothing in the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.faults.deliveries import RETRY_AFTER_S, SCALE, TRIES, after_gone, timings
from benchmarks.faults.ledger import Entry
from benchmarks.faults.registry import all_scenarios
from benchmarks.faults.topology import Topology
from services.model.webhook import JITTER, WAITS_S

BEGAN = 1_790_000_000.0
TOOK_S = 0.02


def at(seconds: float) -> str:
    return datetime.fromtimestamp(BEGAN + seconds, UTC).isoformat()


def log_of(waits: Sequence[float], statuses: Sequence[int | None] | None = None) -> Entry:
    """Tries that came after these waits, the first one after the event itself."""
    came, tries = 0.0, []
    for number, wait in enumerate(waits):
        came += wait
        status = statuses[number] if statuses else 500
        tries.append({"at": at(came), "seconds": TOOK_S, "status": status})
        came += TOOK_S
    data = {"name": "errors", "created": at(0.0), "tries": tries}
    return Entry(1.0, "delivery", data)


RIGHT = [0.0, *(wait * SCALE * 1.05 for wait in WAITS_S)]


def early(delivery: Entry) -> list[int]:
    return [each.number for each in timings(delivery) if each.is_too_early]


def test_the_schedule_as_it_is_promised_is_neither_early_nor_late() -> None:
    right = log_of(RIGHT)
    assert early(right) == []
    assert max(each.late_s for each in timings(right)) < 0.01
    assert len(RIGHT) == TRIES


@pytest.mark.parametrize("number", range(3, TRIES + 1))  # the second wait is 2.5 ms here
def test_a_manager_that_does_not_wait_is_seen_at_every_step(number: int) -> None:
    hasty = [*RIGHT]
    hasty[number - 1] = WAITS_S[number - 2] * SCALE * 0.5
    assert early(log_of(hasty)) == [number]


def test_a_schedule_that_is_one_step_ahead_is_seen() -> None:
    ahead = [0.0, *(wait * SCALE for wait in WAITS_S[1:])]
    assert [each.number for each in timings(log_of(ahead)) if each.late_s > 0.1]
    behind = [0.0, 0.0, *(wait * SCALE for wait in WAITS_S[:-1])]
    assert early(log_of(behind)) != []


def test_a_wait_that_the_receiver_has_asked_for_counts_where_it_is_longer() -> None:
    said = [429, *[500] * (TRIES - 1)]
    assert early(log_of(RIGHT, said)) == [2]
    patient = [0.0, float(RETRY_AFTER_S), *RIGHT[2:]]
    assert early(log_of(patient, said)) == []


def test_how_late_a_try_is_is_measured_from_the_end_of_the_jitter() -> None:
    late = [RIGHT[0], RIGHT[1], WAITS_S[1] * SCALE * (1 + JITTER) + 3.0]
    assert [round(each.late_s, 1) for each in timings(log_of(late))] == [0.0, 0.0, 3.0]


def gone(*, enabled: bool, off: float = 10.0) -> dict[str, Any]:
    return {"enabled": enabled, "disabled_at": None if enabled else at(off)}


def told(*moments: float) -> list[Entry]:
    return [Entry(each, "notice", {"name": "gone", "answer": 410}) for each in moments]


def test_410_is_the_end_but_for_what_was_in_hand() -> None:
    assert list(after_gone(gone(enabled=False), told(9.9, 10.0, 12.0), BEGAN)) == []


def test_a_manager_that_takes_410_for_any_failure_is_seen() -> None:
    (wrong,) = after_gone(gone(enabled=True), told(9.9, 12.5, 60.0), BEGAN)
    assert "has not disabled" in wrong


def test_a_manager_that_goes_on_telling_is_seen() -> None:
    (wrong,) = after_gone(gone(enabled=False), told(9.9, 25.0), BEGAN)
    assert "told after 410" in wrong


def test_the_scenario_runs_on_every_store() -> None:
    receivers = all_scenarios()["T29"]
    assert all(receivers.fits(store, "redis") for store in ("sqlite", "wire", "mongodb://x/y"))
    assert isinstance(receivers.full_stack.on("wire", "redis"), Topology)
