"""A manager is held up before a write, somebody else does something whole, and it goes on: at
every write of every operation, with everything that others may do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from crashing import Point
from operations import OPERATIONS, Operation
from world import Outcome, World, refused
from worlds import Worlds

from services.model.errors import FailureClass, FanscribeError
from services.model.messages import Failure
from services.model.task import TaskState
from task_manager.pipeline.settle import PURGE_AGAIN_S


@dataclass
class Seen:
    """What the others were granted while the first manager was held up."""

    granted: set[str] = field(default_factory=set)

    def ask(self, name: str, call: Callable[..., Any], *args: Any) -> None:
        if not refused(call, *args):
            self.granted.add(name)


def _cancel(world: World, seen: Seen) -> None:
    if world.task:
        seen.ask("cancel", world.second.cancel, world.id)


def _delete(world: World, seen: Seen) -> None:
    if world.task:
        seen.ask("delete", world.second.delete, world.id)


def _purge(world: World, seen: Seen) -> None:
    """Deleted, and swept until the last look but one."""
    _delete(world, seen)
    world.pass_time(PURGE_AGAIN_S + 1)
    world.round()


def _retry(world: World, seen: Seen) -> None:
    if world.task:
        world.retries += 1
        seen.ask("retry", world.second.retry, world.id)


def _claim(world: World, _: Seen) -> None:
    """Another worker takes all there is, and holds it."""
    for depth in world.store.queue_depths(world.store.now()):
        world.held += world.claim(depth.queue, world.other, slots=8)


def _tick(world: World, _: Seen) -> None:
    """The other manager's ticker takes the first one for dead, and the workers as well."""
    world.round()


def _finish(world: World, _: Seen) -> None:
    """The others do all there is, to the task's end."""
    if world.task:
        world.go_on()


def _lose_and_finish(world: World, _: Seen) -> None:
    """The worker's job is taken for lost, and done by another one."""
    if world.task:
        world.held.clear()
        world.round()
        world.go_on()


def _fail_all(world: World) -> None:
    failure = Failure(failure=FailureClass.PERMANENT, code="oops", message="It went wrong.")
    for lease in world.held:
        world.finish(lease, failed=failure)
    world.held.clear()
    while depths := [each for each in world.store.queue_depths(world.store.now()) if each.due]:
        for depth in depths:
            for hand in (world.hand, world.other):
                for lease in world.claim(depth.queue, hand):
                    world.finish(lease, failed=failure)


def _fail_and_retry(world: World, seen: Seen) -> None:
    """All fails, the task ends, and is opened again."""
    if world.task:
        _fail_all(world)
        world.go_on()
        _retry(world, seen)


def _fail_retry_and_fail(world: World, seen: Seen) -> None:
    """… and ends again."""
    if world.task:
        _fail_and_retry(world, seen)
        _fail_all(world)
        world.go_on()


def _cancel_and_retry(world: World, seen: Seen) -> None:
    if world.task:
        _cancel(world, seen)
        world.go_on()
        _retry(world, seen)


OFTEN = [_cancel, _finish]
MEANWHILE = [
    *OFTEN,
    _purge,
    _tick,
    _delete, _retry, _claim, _lose_and_finish, _fail_and_retry, _fail_retry_and_fail,
    _cancel_and_retry,
]  # fmt: skip


@pytest.fixture
def sqlite_worlds(tmp_path: Path) -> Iterator[Worlds]:
    made = Worlds(tmp_path)
    yield made
    made.close()


def _points(worlds: Worlds, operation: Operation, *, inner: bool) -> list[Point]:
    """Before each write and after the last one; `inner` leaves out the ends, where one order
    comes after the other."""
    world, place = worlds.at(operation.before, audio=operation.audio)
    world.tap.listen()
    operation.act(world, world.pipeline, place)
    found = [point for point in world.tap.points() if point.where != "half"]
    return found[1:-1] if inner else found


def _whole(worlds: Worlds, *, audio: bool) -> Outcome:
    """What comes of a task that nobody disturbs."""
    world, _ = worlds.at(lambda world: world.accept(), audio=audio)
    world.go_on()
    outcome = world.check()
    assert outcome is not None
    return outcome


def _held_up(world: World, operation: Operation, place: Any, point: Point, meanwhile: Any) -> Seen:
    seen = Seen()
    world.tap.listen(point, lambda: meanwhile(world, seen))
    with suppress(FanscribeError):  # refused: somebody else was first
        operation.act(world, world.pipeline, place)
    world.tap.rest()
    return seen


def _judge(outcome: Outcome | None, seen: Seen, whole: Outcome | None) -> None:
    if outcome is None:
        return
    if "delete" in seen.granted:
        assert outcome.state == "deleted"
    if "cancel" in seen.granted and "retry" not in seen.granted:
        assert outcome.state in {TaskState.CANCELLED, TaskState.SUCCEEDED, "deleted"}
    if outcome.state == TaskState.SUCCEEDED and whole is not None:
        assert whole.packs.items() <= outcome.packs.items()  # a language may have been added


def _visit(worlds: Worlds, operation: Operation, meanwhile: Any, *, inner: bool = False) -> None:
    whole = None if operation.changes else _whole(worlds, audio=operation.audio)
    points = _points(worlds, operation, inner=inner)
    for point in points:
        world, place = worlds.at(operation.before, audio=operation.audio)
        try:
            seen = _held_up(world, operation, place, point, meanwhile)
            world.go_on()
            _judge(world.check(), seen, whole)
        except (AssertionError, FanscribeError, LookupError, ValueError) as error:
            error.add_note(f"{operation}, held up {point}; meanwhile{meanwhile.__name__}")
            raise
    print(f"{operation}, {meanwhile.__name__}: {len(points)} interleavings")


@pytest.mark.parametrize("meanwhile", OFTEN, ids=lambda order: order.__name__)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_what_happens_between_two_writes_leaves_one_end(
    operation: Operation, meanwhile: Any, sqlite_worlds: Worlds
) -> None:
    _visit(sqlite_worlds, operation, meanwhile, inner=True)


@pytest.mark.long
@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda order: order.__name__)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_whatever_happens_before_any_write_leaves_one_end(
    operation: Operation, meanwhile: Any, sqlite_worlds: Worlds
) -> None:
    _visit(sqlite_worlds, operation, meanwhile)
