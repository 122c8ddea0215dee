"""How many jobs of each owner wait in a queue, which decides the place of his next one."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from task_manager.store.protocol import Store

RANK_CAP = 10_000  # beyond this many waiting jobs an owner's rank rises no further
LONG = 500
FRESH_S = 1.0


@dataclass(slots=True)
class Lines:
    """A short line is counted each time. One that is long, where counting takes long as well, is
    counted once a second, and is taken for one longer with each job that asks meanwhile: a place
    that is a few turns off among thousands is nobody's loss."""

    _known: dict[tuple[str, str], tuple[float, Iterator[int]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def length(self, store: Store, owner: str, queue: str) -> int:
        """Up to RANK_CAP."""
        with self._lock:
            until, lengths = self._known.get((owner, queue), (0.0, iter(())))
            if time.monotonic() < until:
                return min(next(lengths), RANK_CAP)
        counted = store.count_waiting(owner, queue, RANK_CAP)
        with self._lock:
            self._known.pop((owner, queue), None)
            if counted >= LONG:
                later = time.monotonic() + FRESH_S
                self._known[owner, queue] = later, itertools.count(counted + 1)
        return counted
