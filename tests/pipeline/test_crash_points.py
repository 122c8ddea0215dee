"""A manager dies at every write of every operation; another one goes on, and all ends well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from crashing import READS, Crash, Point, operations_of, writes_of
from operations import EXPORTING, OPERATIONS, Operation
from world import Outcome, World
from worlds import Worlds

from services.model.errors import Conflict, FanscribeError, Gone
from services.storage.protocol import ObjectStore
from task_manager.store.protocol import Store
from task_manager.ticker import export

_TELLING = {
    "accept", "success of prepare", "success of a transcript's joining",
    "success of a whole translation", "success of a cell's joining", "failure for good",
    "third loss", "expansion of a job by the ticker", "finalise", "finalise of a cancelled task",
    "retry of one", "retry of all", "a language added", "what was heard corrected",
    "a cell corrected", "delete while a part runs", "purge",
}  # fmt: skip

_ENDING = {"finalise", "finalise of a cancelled task", "retry of all", "delete of an ended task"}


@pytest.fixture
def sqlite_worlds(tmp_path: Path) -> Iterator[Worlds]:
    made = Worlds(tmp_path)
    yield made
    made.close()


@pytest.fixture
def told_worlds(tmp_path: Path) -> Iterator[Worlds]:
    """Where somebody wants to be told of everything."""
    made = Worlds(tmp_path, webhook=True)
    yield made
    made.close()


@pytest.fixture
def exporting_worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worlds]:
    """Where results are wanted in a bucket, and told of; its writes come one by one."""
    monkeypatch.setattr(export, "AT_ONCE", 1)
    made = Worlds(tmp_path, webhook=True, exports=True)
    yield made
    made.close()


@contextmanager
def _where(operation: Operation, point: Point | None, how: str) -> Iterator[None]:
    """Says with an error at which point it came."""
    try:
        yield
    except (AssertionError, FanscribeError, LookupError, ValueError) as error:
        error.add_note(f"{operation}: {how}, {point or 'never interrupted'}")
        raise


def _faultless(worlds: Worlds, operation: Operation) -> tuple[Outcome | None, list[Point]]:
    world, place = worlds.at(operation.before, audio=operation.audio)
    world.tap.listen()
    operation.act(world, world.pipeline, place)
    world.tap.rest()
    points = world.tap.points()
    with _where(operation, None, "done"):
        world.go_on()
        return world.check(), points


def _never(worlds: Worlds, operation: Operation) -> Outcome | None:
    """What comes of the world if nobody ever asks for the operation."""
    world, _ = worlds.at(operation.before, audio=operation.audio)
    world.held.clear()
    with _where(operation, None, "never asked for"):
        world.go_on()
        return world.check()


def _crashed_at(worlds: Worlds, operation: Operation, point: Point) -> tuple[World, object]:
    world, place = worlds.at(operation.before, audio=operation.audio)
    world.tap.listen(point)
    with pytest.raises(Crash):
        operation.act(world, world.pipeline, place)
    world.look()
    return world, place


def _repeated(worlds: Worlds, operation: Operation, point: Point) -> Outcome | None:
    """Whoever asked asks again, and is answered by another manager; or is told that it is done."""
    world, place = _crashed_at(worlds, operation, point)
    with suppress(Conflict, Gone):  # it is done already
        operation.act(world, world.second, place)
    world.go_on()
    return world.check()


def _silent(worlds: Worlds, operation: Operation, point: Point) -> Outcome | None:
    """Whoever asked died as well: only the ticker of the other manager goes on."""
    world, _ = _crashed_at(worlds, operation, point)
    world.held.clear()
    world.go_on()
    return world.check()


def crash_everywhere(worlds: Worlds, operation: Operation) -> None:
    wanted, points = _faultless(worlds, operation)
    never = _never(worlds, operation)
    for point in points:
        with _where(operation, point, "repeated"):
            assert _repeated(worlds, operation, point) == wanted
        with _where(operation, point, "not repeated"):
            outcome = _silent(worlds, operation, point)
            assert _result(outcome) in {_result(wanted), _result(never)}
    print(f"{operation}: {len(points)} points, each with and without a repeat")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_crash_at_any_write_is_made_good(operation: Operation, sqlite_worlds: Worlds) -> None:
    crash_everywhere(sqlite_worlds, operation)


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if op.name in _TELLING], ids=str)
def test_a_crash_at_any_write_loses_no_webhook_and_doubles_none(
    operation: Operation, told_worlds: Worlds
) -> None:
    crash_everywhere(told_worlds, operation)


@pytest.mark.parametrize(
    "operation",
    [*EXPORTING, *(op for op in OPERATIONS if op.name in _ENDING)],
    ids=str,
)
def test_a_crash_at_any_write_leaves_a_bucket_with_all_that_it_should_hold(
    operation: Operation, exporting_worlds: Worlds
) -> None:
    crash_everywhere(exporting_worlds, operation)


def _result(outcome: Outcome | None) -> tuple[str, ...] | None:
    """State and packs; what was charged depends on who died."""
    if outcome is None:
        return None
    return (outcome.state, *(str(body) for _, body in sorted(outcome.packs.items())))


def test_every_write_of_the_protocols_is_watched() -> None:
    assert {"insert_task", "claim", "beat", "move_job", "claim_delivery", "put", "copy"} <= set(
        writes_of(Store, ObjectStore)
    )
    assert READS <= set(operations_of(Store, ObjectStore))
