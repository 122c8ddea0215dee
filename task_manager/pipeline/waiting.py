"""How many jobs wait to be taken, as this manager last saw it: beats ask often, tables are long."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from task_manager.store.protocol import Store

_ABOUT_S = 10.0  # how old a number may be that need not be exact


@dataclass(slots=True)
class Waiting:
    """Due jobs by queue. `rung` is whether the broker took what the ticker last announced."""

    due: dict[str, int] = field(default_factory=dict)
    seen_at: float | None = None
    rung: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, queues: Collection[str], store: Store, max_age_s: float) -> int:
        """How many of the queues' jobs are due and were announced; none while the broker is away,
        for then no worker is to blame for hearing nothing."""
        if not queues:
            return 0
        due = self._look(store, max_age_s)
        return sum(due.get(queue, 0) for queue in queues) if self.rung else 0

    def of_all(self, store: Store) -> int:
        """How many jobs are due, or were within the last seconds."""
        return sum(self._look(store, _ABOUT_S).values())

    def _look(self, store: Store, max_age_s: float) -> dict[str, int]:
        now = store.now()
        with self.lock:
            if self.seen_at is None or abs(now - self.seen_at) > max_age_s:
                depths = store.queue_depths(now)
                self.due = {depth.queue: depth.due for depth in depths if depth.due}
                self.seen_at = now
            return self.due
