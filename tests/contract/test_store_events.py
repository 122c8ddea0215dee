"""All events of an owner in one row: nothing of others, in the order of their positions, and
nothing is missed while several write."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_factories import NOW, an_event

from services.model.task import TaskEvent
from services.settings import Settings
from task_manager.feed import Seen
from task_manager.store.opening import open_store
from task_manager.store.protocol import Store


@pytest.fixture
def other_store(store: Store, address: str) -> Iterator[Store]:
    """A second manager's."""
    opened = open_store(Settings(store_url=address))
    yield opened
    opened.close()


def of(store: Store, owner: str, after: int = 0, limit: int = 99) -> list[TaskEvent]:
    return store.owner_events(owner, after=after, limit=limit)


def test_an_owner_has_the_events_of_all_his_tasks_and_no_others(store: Store) -> None:
    assert store.last_position("o") == 0
    for task_id, owner in (("a", "o"), ("b", "o"), ("c", "other"), ("a", "o")):
        store.append_event(an_event(data={"of": task_id}, task_id=task_id, owner=owner))

    mine = of(store, "o")

    assert [(each.task_id, each.number) for each in mine] == [("a", 1), ("b", 1), ("a", 2)]
    assert {each.owner for each in mine} == {"o"}
    assert [each.data["of"] for each in of(store, "other")] == ["c"]
    assert store.last_position("o") == mine[-1].position


def test_they_are_read_from_any_position(store: Store) -> None:
    for number in range(5):
        store.append_event(an_event(task_id=f"t{number}"))
    positions = [each.position for each in of(store, "o")]

    assert positions == sorted(set(positions))
    assert [each.position for each in of(store, "o", positions[1])] == positions[2:]
    assert [each.position for each in of(store, "o", positions[1], 2)] == positions[2:4]
    assert of(store, "o", positions[-1]) == []
    assert [each.position for each in of(store, "o", -1)] == positions


def test_positions_rise_within_a_task_whatever_time_the_events_tell_of(store: Store) -> None:
    for _ in range(20):
        store.append_event(an_event())
    store.insert_event(TaskEvent(task_id="t", owner="o", number=21, at=NOW - 9e6, kind="state"))

    assert [each.number for each in of(store, "o")] == list(range(1, 22))
    assert of(store, "o")[-1].position == store.last_position("o")


def test_positions_are_times(store: Store) -> None:
    before = store.now()
    store.append_event(an_event())

    assert before - 1 <= of(store, "o")[0].position / 1e6 <= store.now() + 1


def test_they_go_with_their_task(store: Store) -> None:
    store.append_event(an_event())
    store.append_event(an_event(task_id="other"))
    store.purge_task("t")

    assert [each.task_id for each in of(store, "o")] == ["other"]


def test_a_reader_misses_and_doubles_nothing_while_two_managers_write(
    store: Store, other_store: Store
) -> None:
    """He reads the last few seconds again where writers do not wait for each other."""
    managers, over = (store, other_store), threading.Event()
    seen, told = Seen(0, store.unordered_s), list[tuple[str, int]]()

    def write(writer: int) -> None:
        tasks = random.Random(writer)
        for _ in range(25):
            managers[writer % 2].append_event(an_event(task_id=f"t{tasks.randrange(4)}"))

    def read() -> None:
        while not over.is_set():
            look()
        look()

    def look() -> None:
        for each in of(store, "o", seen.settled, 500):
            if seen.is_new(each.position):
                told.append((each.task_id, each.number))

    with ThreadPoolExecutor(9) as threads:
        reader = threads.submit(read)
        list(threads.map(write, range(8)))
        over.set()
        reader.result()

    last = {f"t{task}": store.last_event(f"t{task}") for task in range(4)}
    assert sum(last.values()) == 200
    assert sorted(told) == [(task, n + 1) for task, many in last.items() for n in range(many)]


def test_what_becomes_visible_a_little_late_is_not_missed(store: Store) -> None:
    """As long as a store may be out of order; beyond that it is left to the task's own log."""
    seen = Seen(10_000_000, store.unordered_s)
    earlier = 10_000_000 - int(store.unordered_s * 500_000)

    assert seen.is_new(earlier) == (store.unordered_s > 0)
    assert not seen.is_new(earlier)
    assert not seen.is_new(10_000_000 - int(store.unordered_s * 1_000_000))
