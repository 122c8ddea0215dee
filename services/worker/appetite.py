"""How many short jobs a process asks for at once: as many as it lately did in two seconds.

What a claim holds waits in one slot, and is charged together if its process dies. Nothing but
trying tells how long jobs take that all look short: so it begins with few, asks for twice as many
where they were quick, and for fewer at once where they were not.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST = 4
ENOUGH_S = 2.0


class Appetite:
    """By queue. `most` says how many it may be of each."""

    def __init__(self, most: Callable[[str], int]) -> None:
        self._most = most
        self._lately: dict[str, int] = {}

    def of(self, queue: str) -> int:
        """How many jobs the next claim asks for."""
        return min(self._lately.get(queue, FIRST), self._most(queue))

    def fed(self, queue: str, jobs: int, seconds: float) -> None:
        """So many jobs of a claim came to an end within so many seconds."""
        asked = self.of(queue)
        in_time = max(1, int(jobs * ENOUGH_S / seconds)) if seconds > 0 else 2 * asked
        if in_time < asked:
            self._lately[queue] = in_time
        elif jobs >= asked:  # fewer are quick because they are few
            self._lately[queue] = min(2 * asked, in_time)
