"""One task again and again, on each store, by two managers, done in whatever order: the packs have
the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from world import Lease, Player, SteeredMongo, SteeredSqlite, World, a_world

from services.model.errors import FailureClass
from services.model.messages import Failure, Grant
from services.model.stages import Result, TranslateSpec
from services.model.transcript import inline

OOPS = Failure(failure=FailureClass.PERMANENT, code="oops", message="It went wrong.")
Place = Callable[[], World]


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Iterator[Place]:
    yield from _places(tmp_path / "sqlite", lambda folder: SteeredSqlite(folder / "store.sqlite"))


@pytest.fixture
def wire_place(wire_server: str, tmp_path: Path) -> Iterator[Place]:
    names = f"{tmp_path.name}_"  # of databases: the server is that of the other tests as well
    yield from _places(
        tmp_path / "wire", lambda folder: SteeredMongo(f"{wire_server}/{names}{folder.name}")
    )


def _places(folder: Path, store_in: Callable[[Path], object]) -> Iterator[Place]:
    opened: list[World] = []

    def another() -> World:
        home = folder / str(len(opened))
        home.mkdir(parents=True)
        opened.append(a_world(store_in(home), home))
        return opened[-1]

    yield another
    for world in opened:
        world.close()


class Telling(Player):
    """What it translates says which text it is of."""

    def result(self, grant: Grant) -> Result:
        result = super().result(grant)
        if isinstance(grant.spec, TranslateSpec):
            text = inline(f"{grant.spec.target_language} of {grant.text_id}")
            return result.model_copy(update={"text": text})
        return result


def packed(world: World, order: Random, failing: str = "") -> dict[str, str | None]:
    """The packs of the world's task. Its jobs end in some order, told now to one manager and now
    to the other; those of one language fail."""
    world.begin()
    world.accept(order.choice([world.pipeline, world.second]))
    told = [Telling(manager, parts=2) for manager in (world.pipeline, world.second)]
    held: list[Lease] = []
    while True:
        for depth in world.store.queue_depths(world.store.now()):
            held += world.claim(depth.queue, order.choice([world.hand, world.other]), slots=8)
        if not held:
            break
        lease = held.pop(order.randrange(len(held)))
        language = world.store.job(lease.grant.job).language
        said = {"failed": OOPS} if language and language == failing else {}
        assert order.choice(told).finish(lease.grant, token=lease.token, **said) == 200
    world.go_on()
    outcome = world.check()
    assert outcome is not None
    return outcome.packs


@pytest.mark.parametrize("failing", ["", "ja"], ids=["all done", "one language failed"])
def test_the_same_words_are_the_same_bytes_on_every_store_by_any_manager_in_any_order(
    sqlite_place: Place, wire_place: Place, failing: str
) -> None:
    first = packed(sqlite_place(), Random(0), failing)
    assert '"2":{"T":"zh of 2"}' in (first["zh"] or "")
    assert ('"complete":false' in (first["ja"] or "")) == bool(failing)
    for seed in range(1, 8):
        place = wire_place if seed % 4 == 0 else sqlite_place
        assert packed(place(), Random(seed), failing) == first, f"seed {seed}"
