"""Many worlds that stand at the same place: the way there is gone once, the rest are copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any

from world import Lease, SteeredSqlite, World, a_world

Before = Callable[[World], Any]


@dataclass
class Saved:
    """A world that was put away at some place, to be gone on with many times."""

    folder: Path
    at: float
    tokens: tuple[int, int]
    held: list[Lease]
    attempts: dict[str, int]
    acknowledged: set[str]
    retries: int
    place: Any


@dataclass
class Worlds:
    """Makes worlds that stand at a place, in folders of their own. The way to a place is gone
    once; from there on each world is a copy."""

    folder: Path
    webhook: bool = False
    exports: bool = False
    numbers: Iterator[int] = field(default_factory=count)
    saved: dict[tuple[Before, bool], Saved] = field(default_factory=dict)
    opened: list[World] = field(default_factory=list)

    def at(self, before: Before, *, audio: bool) -> tuple[World, Any]:
        """A world, and what its way to the place returned."""
        self.close()
        if (before, audio) not in self.saved:
            self.saved[before, audio] = self._save(before, audio=audio)
        saved = self.saved[before, audio]
        folder = self.folder / str(next(self.numbers))
        copytree(saved.folder, folder)
        world = self._open(folder, audio=audio)
        world.store.at = saved.at
        world.hand.tokens, world.other.tokens = saved.tokens
        world.held, world.attempts = list(saved.held), dict(saved.attempts)
        world.acknowledged, world.retries = set(saved.acknowledged), saved.retries
        return world, saved.place

    def _save(self, before: Before, *, audio: bool) -> Saved:
        folder = self.folder / str(next(self.numbers))
        folder.mkdir()
        world = self._open(folder, audio=audio)
        world.begin()
        place = before(world)
        self.close()
        return Saved(
            folder, world.store.at, (world.hand.tokens, world.other.tokens), world.held,
            world.attempts, world.acknowledged, world.retries, place,
        )  # fmt: skip

    def _open(self, folder: Path, *, audio: bool) -> World:
        world = a_world(
            SteeredSqlite(folder / "store.sqlite"),
            folder,
            audio=audio,
            webhook=self.webhook,
            exports=self.exports,
        )
        self.opened.append(world)
        return world

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()
