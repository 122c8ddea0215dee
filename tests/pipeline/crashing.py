"""A store and an object store whose writes are numbered, and that die, or let somebody in, at one.

Reads pass. A write is counted while its pipeline is watched: a dry run lists an operation's
writes, later runs stop at each of them. What is no read is a write, so a new operation of the
store is watched from its first day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from task_manager.store.children import Children, Expanded, write_one_by_one
from task_manager.store.protocol import Store

READS = frozenset({
    "now", "ping", "close", "task", "tasks", "task_by_key", "tasks_to_look_at", "tasks_to_expire",
    "known_tasks", "items",
    "item_by_text_id", "job", "jobs_of_items", "lean_jobs", "running_jobs", "has_open_jobs",
    "open_jobs", "dead_jobs", "count_jobs", "count_waiting", "front_rank", "queue_depths",
    "waiting_queues",
    "jobs_ahead", "running_in", "dead_page", "count_open_tasks", "pending_expansions", "output",
    "outputs", "output_lines", "count_outputs", "pack", "events", "last_event", "owner_events",
    "last_position", "node", "nodes", "upload", "old_uploads", "endpoint", "endpoints", "delivery",
    "deliveries", "next_lane", "count_cells", "version",
    "version_lines", "get", "head", "names_under", "parts", "url_to_get",
    "url_to_put", "url_to_put_part",
})  # fmt: skip
# One call, many documents: it may break off.
BULK = frozenset({"insert_items", "insert_jobs", "insert_deliveries"})

Where = Literal["before", "half", "after"]


class Crash(BaseException):
    """The process is gone: no handler of ours may see it, and nothing is written any more."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place in an operation: before, in the middle of, or after its write `number` (from 0)."""

    number: int
    where: Where
    write: str

    def __str__(self) -> str:
        return f"{self.where} write {self.number} ({self.write})"


@dataclass
class Tap:
    """Counts the writes that pass, and does `act` at the point it was set to, once."""

    point: Point | None = None
    act: Callable[[], object] | None = None
    names: list[str] = field(default_factory=list)
    counting: bool = False
    dead: bool = False

    def listen(self, point: Point | None = None, act: Callable[[], object] | None = None) -> None:
        """From now on writes count; at the point `act` is done, or the process dies."""
        self.point, self.act, self.names = point, act or self._die, []
        self.counting = True

    def rest(self) -> None:
        self.counting = False

    def points(self, *, every: bool = False) -> list[Point]:
        """All places of the operation just heard. What is before a write is after the last one,
        so `after` is listed for the last write only, unless `every` is wanted."""
        found = []
        for number, name in enumerate(self.names):
            found.append(Point(number, "before", name))
            if name in BULK:
                found.append(Point(number, "half", name))
            if every or number == len(self.names) - 1:
                found.append(Point(number, "after", name))
        return found

    def through(self, name: str, write: Callable[..., Any], args: Any, named: Any) -> Any:
        if self.dead:
            raise Crash
        if not self.counting:
            return write(*args, **named)
        number = len(self.names)
        self.names.append(name)
        point = self.point if self.point is not None and self.point.number == number else None
        if point is not None and point.where != "after":
            if point.where == "half":
                documents = list(args[0])
                write(documents[: len(documents) // 2])
                args = (documents, *args[1:])
            self._here()
        result = write(*args, **named)
        if point is not None and point.where == "after":
            self._here()
        return result

    def _here(self) -> None:
        self.counting = False
        assert self.act is not None
        self.act()

    def _die(self) -> None:
        self.dead = True
        raise Crash


class Tapped:
    """Stands before a store or an object store and leads every write through the tap."""

    def __init__(self, inner: Any, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    def write_children(self, children: Children, expanded: Expanded | None = None) -> bool:
        """As it is where it may break off anywhere, on every store."""
        return write_one_by_one(cast("Store", self), children, expanded)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in READS or not callable(found):
            return found
        return lambda *args, **named: self._tap.through(name, found, args, named)


def writes_of(*protocols: type) -> Iterator[str]:
    """The names of the operations of these protocols that are taken for writes."""
    return (name for name in operations_of(*protocols) if name not in READS)


def operations_of(*protocols: type) -> Iterator[str]:
    """Their own and those of the protocols that they are made of."""
    for protocol in protocols:
        for part in protocol.__mro__[:-1]:
            yield from (name for name in vars(part) if not name.startswith("_"))
