"""What this manager lately told tasks to expect, so that looking often costs nothing."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from services.model.task import Task

FRESH_S = 1.0
KEPT = 2_000  # tasks; the one longest not reckoned is forgotten


@dataclass(frozen=True, slots=True)
class Estimate:
    """`position` is how many jobs stand before the task's first waiting one, None where none
    waits; `expected_s` is from `at`, by the store's clock, until the task's end, None while
    nothing like it was measured."""

    at: float
    position: int | None = None
    expected_s: float | None = None


class Promises:
    """Estimates that are less than a second old, by task; safe from any thread."""

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, int, Estimate]] = OrderedDict()

    def get(self, task: Task) -> Estimate | None:
        """None for one that is too old, or from before a cancel or a retry."""
        with self._lock:
            until, revision, estimate = self._known.get(task.id, (0.0, -1, None))
            fresh = time.monotonic() < until and revision == task.revision
            return estimate if fresh else None

    def keep(self, task: Task, estimate: Estimate) -> None:
        with self._lock:
            self._known[task.id] = (time.monotonic() + self._fresh_s, task.revision, estimate)
            self._known.move_to_end(task.id)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
