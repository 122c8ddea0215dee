"""Whose silence is held against them: not theirs who could not be heard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from world import SteeredSqlite, World, a_world

from services.model.errors import OutOfSpace
from services.model.states import JobState
from task_manager.ticker.reap import Watch, reap

TRANSLATE = "translate.stub-nmt"
LOOK_S = 5.0


class FullSqlite(SteeredSqlite):
    """Its disk takes no more while `full`; all can be read."""

    full = False

    def _write(self, work):
        if self.full:
            raise OutOfSpace("The disk is full.")
        return super()._write(work)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = a_world(FullSqlite(tmp_path / "store.sqlite"), tmp_path)
    made.begin()
    yield made
    made.close()


def looks(look, full_until: int, count: int) -> list[object]:
    """What each look found, one in five seconds; `None` where it failed."""
    found = []
    for number in range(count):
        FullSqlite.full = number < full_until
        try:
            found.append(look(LOOK_S * number))
        except OutOfSpace:
            found.append(None)
    FullSqlite.full = False
    return found


def test_who_could_not_beat_for_a_full_disk_has_its_whole_time_once_there_is_room(
    world: World,
) -> None:
    world.accept()
    (lease,) = world.claim(TRANSLATE)
    world.hand.beat(lease.grant, token=lease.token)
    watch = Watch(25.0)

    # Full for 29 s: the look at 15 s finds that out, and so does the one that at 20 s began anew.
    found = looks(lambda at: reap(world.second.ports, watch, at), full_until=6, count=8)

    assert [0, 0, 0, None, 0, 0, 0, 0] == found
    assert JobState.RUNNING is world.store.job(lease.grant.job).state
    assert 200 == world.finish(lease)


def test_who_stays_silent_once_there_is_room_is_lost(world: World) -> None:
    world.accept()
    (lease,) = world.claim(TRANSLATE)
    world.hand.beat(lease.grant, token=lease.token)
    watch = Watch(25.0)

    found = looks(lambda at: reap(world.second.ports, watch, at), full_until=6, count=10)

    assert [0, 0, 0, None, 0, 0, 0, 0, 0, 1] == found
