"""The same crash points on a MongoDB wire server, where one bulk insert is many writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from operations import EXPORTING, OPERATIONS, Operation
from test_crash_points import crash_everywhere
from world import SteeredMongo, World, a_world

from task_manager.ticker import export

_SAMPLE = {
    "accept", "claim", "success of prepare", "success of the last part", "third loss", "finalise",
    "cancel while parts run", "retry of one", "a language added", "what was heard corrected",
    "delete while a part runs",
}  # fmt: skip


@dataclass
class MongoWorlds:
    """A database for each world; the way to the place is gone every time."""

    url: str
    folder: Path
    exports: bool = False
    numbers: Iterator[int] = field(default_factory=count)
    opened: list[World] = field(default_factory=list)

    def at(self, before: Any, *, audio: bool) -> tuple[World, Any]:
        self.close()
        name = f"crash_{next(self.numbers)}"
        folder = self.folder / name
        folder.mkdir()
        world = a_world(
            SteeredMongo(f"{self.url}/{name}"),
            folder,
            audio=audio,
            webhook=self.exports,
            exports=self.exports,
        )
        self.opened.append(world)
        world.begin()
        return world, before(world)

    def close(self) -> None:
        while self.opened:
            world = self.opened.pop()
            world.store._client.drop_database(world.store._client.get_default_database())
            world.close()


@pytest.fixture
def wire_worlds(wire_server: str, tmp_path: Path) -> Iterator[MongoWorlds]:
    made = MongoWorlds(wire_server, tmp_path)
    yield made
    made.close()


@pytest.fixture
def exporting_wire_worlds(
    wire_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MongoWorlds]:
    """Where results are wanted in a bucket, and told of; its writes come one by one."""
    monkeypatch.setattr(export, "AT_ONCE", 1)
    made = MongoWorlds(wire_server, tmp_path, exports=True)
    yield made
    made.close()


@pytest.mark.long
@pytest.mark.parametrize("operation", [op for op in OPERATIONS if op.name in _SAMPLE], ids=str)
def test_a_crash_at_any_write_is_made_good_on_mongo(
    operation: Operation, wire_worlds: MongoWorlds
) -> None:
    crash_everywhere(wire_worlds, operation)


@pytest.mark.long
@pytest.mark.parametrize("operation", EXPORTING, ids=str)
def test_a_crash_at_any_write_leaves_a_whole_bucket_on_mongo(
    operation: Operation, exporting_wire_worlds: MongoWorlds
) -> None:
    crash_everywhere(exporting_wire_worlds, operation)
