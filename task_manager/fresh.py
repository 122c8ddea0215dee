"""A value that is looked at again when it is too old; one caller looks, the others do not wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH_S = 1.0


class Fresh(Generic[T]):
    """What `look` said at most `for_s` ago, by default a second. While somebody looks, all others
    get the old value, so that a slow look holds up one request and no more. What `look` raises,
    its caller gets."""

    def __init__(self, look: Callable[[], T], for_s: float | None = None) -> None:
        self._look = look
        self._for_s = FRESH_S if for_s is None else for_s
        self._looking = threading.Lock()
        self._seen: tuple[float, T] | None = None  # until when it is fresh, and what it was

    @property
    def is_fresh(self) -> bool:
        """Whether asking now would not look."""
        return self._seen is not None and time.monotonic() < self._seen[0]

    def __call__(self) -> T:
        seen = self._seen
        if seen is not None and time.monotonic() < seen[0]:
            return seen[1]
        if not self._looking.acquire(blocking=seen is None) and seen is not None:
            return seen[1]
        try:
            if self._seen is not None and self._seen is not seen:
                return self._seen[1]
            value = self._look()
            self._seen = (time.monotonic() + self._for_s, value)
            return value
        finally:
            self._looking.release()
