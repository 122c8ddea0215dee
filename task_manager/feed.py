"""What happens to all tasks of an owner, for any number of readers: those on one manager share one
look at the store.

A reader first reads what the store has after the place where he was, and then what the feed of
his owner finds. Both may have the same event, and a store whose writers do not wait for each other
may show one late: so its last few seconds are read again, and each position is told once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress

from starlette.concurrency import run_in_threadpool

from services.model.task import TaskEvent
from task_manager.store.protocol import Store, StoreUnavailable

SECOND = 1_000_000  # of positions

_PAGE = 200  # events a read
_LOOK_EVERY_S = 0.3
_LATE_LOOK_EVERY_S = 1.0
_KEPT = 1000  # events for readers who are slow; who is slower still reads them from the store


class Seen:
    """Which positions were told: all up to `settled`, and some of those after it."""

    def __init__(self, newest: int, unordered_s: float) -> None:
        self.newest = newest
        self._unordered = int(unordered_s * SECOND)
        self._recent: set[int] = set()
        self._most = _KEPT

    @property
    def settled(self) -> int:
        return self.newest - self._unordered

    def is_new(self, position: int) -> bool:
        """Says so once of each."""
        if position <= self.settled or position in self._recent:
            return False
        self._recent.add(position)
        self.newest = max(self.newest, position)
        if len(self._recent) > self._most:
            self._recent = {each for each in self._recent if each > self.settled}
            self._most = _KEPT + 2 * len(self._recent)
        return True


class Feed:
    """The news of one owner since somebody reads them, in the order in which they were found."""

    def __init__(self, store: Store, owner: str, newest: int) -> None:
        self.readers = 0
        self.end = 0  # so many were found
        self.over = False
        self._store = store
        self._owner = owner
        self._seen = Seen(newest, store.unordered_s)
        self._next_late_look = time.monotonic()
        self._news: deque[TaskEvent] = deque(maxlen=_KEPT)
        self._bell = asyncio.Event()

    async def run(self, stopping: threading.Event) -> None:
        """Looks until nobody reads or the manager stops. While the store is away, readers hear
        nothing."""
        try:
            while self.readers and not stopping.is_set():
                with suppress(StoreUnavailable):
                    await self._look()
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self.over = True
            self._ring()

    def has(self, place: int) -> bool:
        """Whether nothing from this place on is forgotten."""
        return place >= self.end - len(self._news)

    async def since(self, place: int) -> Sequence[TaskEvent]:
        """What was found from this place on, once there is something; nothing at its end."""
        if place == self.end and not self.over:
            await self._bell.wait()
        return list(self._news)[place - self.end :] if place < self.end else []

    async def _look(self) -> None:
        after = self._seen.newest
        if time.monotonic() >= self._next_late_look:
            after = self._seen.settled
            self._next_late_look = time.monotonic() + _LATE_LOOK_EVERY_S
        async for event in stored(self._store, self._owner, after):
            if self._seen.is_new(event.position):
                self._news.append(event)
                self.end += 1
                self._ring()

    def _ring(self) -> None:
        self._bell.set()
        self._bell = asyncio.Event()


class Feeds:
    """Those of this manager, by owner; for one event loop."""

    def __init__(self, store: Store, stopping: threading.Event) -> None:
        self._store = store
        self._stopping = stopping
        self._feeds: dict[str, Feed] = {}
        self._running: dict[Feed, asyncio.Task[None]] = {}

    @property
    def looking(self) -> set[str]:
        """For which owners."""
        return set(self._feeds)

    async def follow(self, owner: str, *, after: int, newest: int) -> AsyncIterator[TaskEvent]:
        """Every event after that position, until the manager stops; `newest` is the last one that
        the store had a moment ago. While the store is away, there is none."""
        seen = Seen(after, self._store.unordered_s)
        with self._read(owner, newest) as feed:
            while not feed.over:
                place = feed.end
                try:
                    async for event in stored(self._store, owner, seen.settled):
                        if seen.is_new(event.position):
                            yield event
                except StoreUnavailable:
                    await asyncio.sleep(_LOOK_EVERY_S)
                    continue
                while feed.has(place) and not feed.over:
                    for event in await feed.since(place):
                        place += 1
                        if seen.is_new(event.position):
                            yield event

    @contextmanager
    def _read(self, owner: str, newest: int) -> Iterator[Feed]:
        feed = self._feeds.get(owner)
        if feed is None or feed.over:
            feed = self._feeds[owner] = Feed(self._store, owner, newest)
        feed.readers += 1
        if feed not in self._running:
            self._running[feed] = asyncio.create_task(self._run(owner, feed))
        try:
            yield feed
        finally:
            feed.readers -= 1

    async def _run(self, owner: str, feed: Feed) -> None:
        try:
            await feed.run(self._stopping)
        finally:
            del self._running[feed]
            if self._feeds.get(owner) is feed:
                del self._feeds[owner]


async def stored(store: Store, owner: str, after: int) -> AsyncIterator[TaskEvent]:
    """Page by page, without holding a thread between."""
    while page := await run_in_threadpool(store.owner_events, owner, after=after, limit=_PAGE):
        for event in page:
            yield event
        if len(page) < _PAGE:
            return
        after = page[-1].position
