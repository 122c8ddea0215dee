"""The store's clock is set forward and back by hours between any two calls: nobody is taken for
dead by it, nothing is lost, and all that was due is due again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from world import SteeredSqlite, World, a_world

from services.model.errors import FailureClass
from services.model.messages import Failure
from services.model.states import JobState
from services.model.task import TaskState
from task_manager.clock import moment
from task_manager.ticker.reap import Watch, reap
from task_manager.views import detail

HOUR_S = 3600.0
TRANSLATE = "translate.stub-nmt"
OOPS = Failure(failure=FailureClass.INTERNAL, code="oops", message="It went wrong.")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = a_world(SteeredSqlite(tmp_path / "store.sqlite"), tmp_path)
    made.begin()
    yield made
    made.close()


def _step(world: World, hours: float) -> None:
    """The clock is set; workers and managers go on as before."""
    world.pass_time(hours * HOUR_S)


@pytest.mark.parametrize("hours", [-2, -1, 1, 2])
def test_a_step_of_the_clock_takes_no_lease(world: World, hours: float) -> None:
    """The watch counts by the monotonic clock, 5 s between two looks."""
    world.accept()
    (lease,) = world.claim(TRANSLATE)
    watch = Watch(25.0)
    for look in range(20):
        if look == 10:
            _step(world, hours)
        world.hand.beat(lease.grant, token=lease.token)
        assert 0 == reap(world.second.ports, watch, 5.0 * look)

    assert JobState.RUNNING is world.store.job(lease.grant.job).state
    assert 200 == world.finish(lease)


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_silent_worker_is_noticed_as_soon_as_ever(world: World, hours: float) -> None:
    world.accept()
    (lease,) = world.claim(TRANSLATE)
    world.hand.beat(lease.grant, token=lease.token)
    watch = Watch(25.0)
    taken = []
    for look in range(7):
        if look == 3:
            _step(world, hours)
        taken.append(reap(world.second.ports, watch, 5.0 * look))

    assert [0, 0, 0, 0, 0, 1, 0] == taken


@pytest.mark.parametrize("seed", range(10))
def test_a_task_ends_whatever_the_clock_does(world: World, seed: int) -> None:
    """Steps of up to two hours either way between any two rounds of work. What was written by a
    clock that was ahead is due when the right time has come to it."""
    rng = random.Random(seed)
    world.accept()
    ahead = world.store.at
    for _ in range(12):
        _step(world, rng.choice([-2, -1, -0.5, 0.5, 1, 2]))
        for depth in world.store.queue_depths(world.store.now()):
            for lease in world.claim(depth.queue):
                said = {"failed": OOPS} if rng.random() < 0.2 and lease.grant.attempt == 1 else {}
                assert 200 == world.finish(lease, **said)
        ahead = max(ahead, world.store.at)
    _step(world, (ahead - world.store.at) / HOUR_S + 1)
    world.go_on()

    outcome = world.check()
    assert TaskState.SUCCEEDED == outcome.state
    assert all(losses == 0 for _, _, losses, _, _ in outcome.jobs.values())


def test_what_was_due_before_the_clock_was_set_back_is_due_when_it_comes_again(
    world: World,
) -> None:
    """A due time is a time of day, and a store that believes another clock waits for it."""
    world.accept()
    _step(world, -1)
    assert [] == world.claim(TRANSLATE)

    _step(world, 1)
    assert 1 == len(world.claim(TRANSLATE))


def test_counts_are_fresh_although_the_clock_was_set_back(world: World) -> None:
    world.accept()
    world.second.refresh(world.task)
    (lease,) = world.claim(TRANSLATE)
    world.finish(lease)
    _step(world, -1)

    assert 2 == world.second.refresh(world.task).counts.cells_done


@pytest.mark.parametrize("hours", [-2, 2])
def test_no_view_shows_a_negative_time(world: World, hours: float) -> None:
    world.accept()
    lease = world.advance("translate", source="T")
    _step(world, hours)
    world.finish_held()
    (held,) = world.claim("transcribe.stub-whisper") or [lease]
    shown = detail(world.second.refresh(world.task), world.second.ports)

    assert held
    assert moment(world.store.at)
    numbers = list(_numbers(shown.model_dump(mode="json", exclude={"options"})))
    assert all(number >= 0 for number in numbers), shown


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value
