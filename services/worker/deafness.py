"""Tells when a node has lost its broker without noticing: work waits, and no bell rings here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_GAP_S = 30.0  # a longer one between two words of the manager says nothing of the broker


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a node stands as it is told that work waits: `due` jobs of the queues it `listens` to,
    `busy` children, and how many announcements it `received` since it started."""

    listens: bool
    due: int
    busy: int
    received: int


class Deafness:
    """A node is deaf when for `after_s` work waited, nothing ran here and nothing came."""

    def __init__(self, after_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._after_s = after_s
        self._now = now
        self._since = self._looked_at = now()
        self._received = 0

    def look(self, hearing: Hearing) -> bool:
        """Whether it is deaf by now; asked at each word of the manager. One that was away
        deafens nobody."""
        now = self._now()
        new, self._received = hearing.received != self._received, hearing.received
        gap, self._looked_at = now - self._looked_at > _GAP_S, now
        if new or gap or hearing.busy or not hearing.listens or not hearing.due:
            self._since = now
        return now - self._since >= self._after_s
