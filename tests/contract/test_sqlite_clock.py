"""The time of a SQLite store when somebody sets the host's clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_factories import a_task

from task_manager.store.sqlite import SqliteStore, clock

HOUR_S = 3600.0

pytestmark = pytest.mark.skipif(not clock.boot_id(), reason="this system does not name its boots")


class Host:
    """A machine whose clock is set."""

    CLOCK_BOOTTIME = 7
    wall = 1_800_000_000.0
    up = 50_000.0
    boot = "the first"

    def time(self) -> float:
        return self.wall

    def clock_gettime(self, _: int) -> float:
        return self.up

    def goes_on(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(clock, "time", host)
    monkeypatch.setattr(clock, "boot_id", lambda: host.boot)
    return host


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], SqliteStore]]:
    stores: list[SqliteStore] = []

    def opened() -> SqliteStore:
        stores.append(SqliteStore(tmp_path / "store.sqlite"))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def test_it_is_the_hosts(opened) -> None:
    store = opened()
    store.insert_task(a_task())

    assert abs(store.now() - time.time()) < HOUR_S


def test_a_clock_that_is_set_back_is_not_followed(host: Host, opened) -> None:
    store = opened()
    store.insert_task(a_task(look_at=store.now()))
    host.wall -= HOUR_S
    host.goes_on(10)

    assert store.now() == 1_800_000_010
    assert [a_task().id] == [task.id for task in store.tasks_to_look_at(store.now(), 9)]


def test_a_clock_that_is_set_forward_is_followed_at_once(host: Host, opened) -> None:
    store = opened()
    store.insert_task(a_task())
    host.wall += HOUR_S

    assert store.now() == host.wall


def test_what_was_written_ahead_is_due_after_the_clock_is_right_again(host: Host, opened) -> None:
    first, second = opened(), opened()
    first.insert_task(a_task("before"))
    host.wall += HOUR_S
    first.insert_task(a_task("ahead", look_at=first.now()))
    host.wall -= HOUR_S

    for manager in (first, second, opened()):
        assert ["ahead"] == [task.id for task in manager.tasks_to_look_at(manager.now(), 9)]


def test_an_error_keeps_neither_the_work_nor_its_time(host: Host, opened) -> None:
    store = opened()
    store.insert_task(a_task())
    host.wall += HOUR_S
    with pytest.raises(ZeroDivisionError):
        store._write(lambda _: 1 / 0)
    host.wall -= HOUR_S

    assert store.now() == host.wall


def test_the_next_boot_believes_the_host_again(host: Host, opened) -> None:
    opened().insert_task(a_task("one"))
    host.wall += HOUR_S
    opened().insert_task(a_task("two"))
    host.wall, host.up, host.boot = host.wall - HOUR_S, 20.0, "the second"
    store = opened()
    store.insert_task(a_task("three"))

    assert store.now() == host.wall
    assert [("the second",)] == store._rows("SELECT boot FROM clock")


def test_a_system_that_names_no_boot_has_the_hosts_clock(host: Host, opened) -> None:
    host.boot = ""
    store = opened()
    store.insert_task(a_task())
    host.wall -= HOUR_S

    assert store.now() == host.wall
