"""One look serves all readers of an owner, and none of them misses or doubles an event."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from services.model.task import TaskEvent
from task_manager import feed
from task_manager.feed import Feeds
from task_manager.store.children import NewEvent
from task_manager.store.protocol import StoreUnavailable
from task_manager.store.sqlite import SqliteStore

PATIENCE_S = 20.0


class Counting(SqliteStore):
    """Counts its reads, and can be away."""

    reads = 0
    finds = 0
    away = False

    def owner_events(self, owner: str, *, after: int, limit: int) -> list[TaskEvent]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("It is away.")
        found = super().owner_events(owner, after=after, limit=limit)
        self.finds += bool(found)
        return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Counting]:
    made = Counting(tmp_path / "store.sqlite")
    yield made
    made.close()


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_LOOK_EVERY_S", 0.01)


def tell(store: Counting, *tasks: str, owner: str = "o") -> None:
    for task in tasks:
        store.append_event(NewEvent(task, owner, 0.0, "state"))


def followed(
    store: Counting, feeds: Feeds, owner: str = "o", after: int | None = None
) -> AsyncIterator[TaskEvent]:
    newest = store.last_position(owner)
    return feeds.follow(owner, after=newest if after is None else after, newest=newest)


async def take(events: AsyncIterator[TaskEvent], count: int) -> list[tuple[str, int]]:
    async with asyncio.timeout(PATIENCE_S):
        found = [await anext(events) for _ in range(count)]
    return [(each.task_id, each.number) for each in found]


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not seen():  # noqa: ASYNC110  what is waited for happens in a thread
            await asyncio.sleep(0.001)


def test_a_reader_gets_what_was_and_then_what_comes(store, stopping) -> None:
    tell(store, "a", "b")

    async def read() -> None:
        async with aclosing(followed(store, Feeds(store, stopping), after=0)) as events:
            assert await take(events, 2) == [("a", 1), ("b", 1)]
            tell(store, "stranger", owner="other")
            tell(store, "a", "c")
            assert await take(events, 2) == [("a", 2), ("c", 1)]

    asyncio.run(read())


def test_many_readers_cost_the_store_no_more_than_one(store, stopping) -> None:
    many = 40

    async def read() -> None:
        feeds = Feeds(store, stopping)
        readers = [followed(store, feeds) for _ in range(many)]
        first = [asyncio.create_task(take(each, 1)) for each in readers]
        await until(lambda: store.reads >= many + 5)  # each looked once, and then the feed alone
        tell(store, "a")
        assert await asyncio.gather(*first) == [[("a", 1)]] * many
        again = [asyncio.create_task(take(each, 1)) for each in readers]
        tell(store, "a")
        assert await asyncio.gather(*again) == [[("a", 2)]] * many
        assert store.finds == 2
        for each in readers:
            await each.aclose()

    asyncio.run(read())


def test_a_reader_who_is_slower_than_the_feed_remembers_misses_nothing(
    store, stopping, monkeypatch
) -> None:
    monkeypatch.setattr(feed, "_KEPT", 3)
    monkeypatch.setattr(feed, "_PAGE", 2)

    async def read() -> None:
        feeds = Feeds(store, stopping)
        async with (
            aclosing(followed(store, feeds)) as slow,
            aclosing(followed(store, feeds)) as quick,
        ):
            started = asyncio.create_task(take(slow, 1))
            also = asyncio.create_task(take(quick, 1))
            await asyncio.sleep(0)
            tell(store, "a")
            await asyncio.gather(started, also)
            tell(store, *("a" * 20))
            assert await take(quick, 20) == [("a", number) for number in range(2, 22)]
            assert await take(slow, 20) == [("a", number) for number in range(2, 22)]

    asyncio.run(read())


def test_readers_wait_while_the_store_is_away(store, stopping) -> None:
    async def read() -> None:
        async with aclosing(followed(store, Feeds(store, stopping))) as events:
            first = asyncio.create_task(take(events, 1))
            await until(lambda: store.reads >= 2)
            store.away = True
            before = store.reads
            await until(lambda: store.reads >= before + 3)
            tell(store, "a")
            store.away = False
            assert await first == [("a", 1)]

    asyncio.run(read())


def test_nobody_looks_when_the_last_reader_has_gone(store, stopping) -> None:
    async def read() -> None:
        feeds = Feeds(store, stopping)
        async with aclosing(followed(store, feeds)) as events:
            tell(store, "a")
            await take(events, 1)
            assert feeds.looking == {"o"}
        await until(lambda: not feeds.looking)
        async with aclosing(followed(store, feeds)) as events:  # and one who comes then is told
            first = asyncio.create_task(take(events, 1))
            await asyncio.sleep(0)
            tell(store, "a")
            assert await first == [("a", 2)]

    asyncio.run(read())


def test_readers_are_let_go_when_the_manager_stops(store, stopping) -> None:
    async def read() -> None:
        async with asyncio.timeout(PATIENCE_S):
            rest = asyncio.create_task(_all(followed(store, Feeds(store, stopping))))
            await until(lambda: store.reads >= 2)
            stopping.set()
            assert await rest == []

    asyncio.run(read())


async def _all(events: AsyncIterator[TaskEvent]) -> list[TaskEvent]:
    return [each async for each in events]
