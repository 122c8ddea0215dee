"""How fast each node is at each kind of work: measured here, kept in the store, read by all."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable

from services.model import size as sizes
from services.model.job import Job, Stage, base_queue
from services.model.node import OUTCOME, Node
from services.model.speed import Speed
from services.model.stages import (
    AssembleResult,
    DetectResult,
    PrepareResult,
    Result,
    TranscribeResult,
    TranslateResult,
)
from task_manager.store.protocol import Store

FRESH_S = 3.0  # how old the picture of the nodes may be
COLD = 0.1  # what the first job of a process weighs, which loads its model too

Book = dict[str, dict[str, Speed]]  # node → line → what was measured


def line_of(job: Job) -> str:
    """Under which name a job's time is written down: its queue without the label. A language is
    told far faster than a part is written down, so detect has a line of its own."""
    if job.stage is Stage.DETECT:
        return f"{Stage.DETECT}.{job.model}"
    return base_queue(job.queue)


def outcome(line: str) -> str:
    """The name under which stands how much work of the next stage came of a size."""
    return line + OUTCOME


def work_after(result: Result) -> float | None:
    """The size of the next stage's work that a result leads to, for one target; None for the
    results that no estimate looks beyond."""
    if isinstance(result, PrepareResult):
        return sum(sizes.of_part(part) for part in result.parts)
    if isinstance(result, TranscribeResult | AssembleResult):
        return sizes.of_text(result.text)
    return None


def _is_remembered(result: Result) -> bool:
    if isinstance(result, TranslateResult):
        return result.recalled > 0
    return isinstance(result, TranscribeResult | DetectResult) and result.reused


class Speeds:
    """What this manager measured since it last wrote it down, and what all know.

    A measurement costs no write of its own: the ticker calls `flush` every few seconds, and a
    manager that is killed forgets so much.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: Book = defaultdict(dict)
        self._seen: Counter[tuple[str, str]] = Counter()
        self._nodes: list[Node] = []
        self._read_at: float | None = None

    def finished(self, job: Job, result: Result, *, seconds: float | None, at: float) -> None:
        """An attempt of the job, as it was then, has succeeded. `seconds` is what its worker
        measured; where it did not, what the manager saw until `at` counts."""
        if job.size <= 0 or job.lease is None or job.safer:
            return
        if _is_remembered(result):
            return  # what was remembered says nothing of a node's speed
        if seconds is None and job.claimed_at is not None:
            seconds = max(0.0, at - job.claimed_at)
        if seconds is not None:
            self._note(job.lease.node, line_of(job), job.size, seconds)
        after = work_after(result)
        if after is not None:
            self._note(job.lease.node, outcome(line_of(job)), job.size, after)

    def _note(self, node: str, line: str, size: float, amount: float) -> None:
        """The first jobs of a node, one for each of its processes, hardly count beside others."""
        with self._lock:
            slots = next((each.slots for each in self._nodes if each.id == node), 1)
            weight = COLD if self._seen[node, line] < slots else 1.0
            self._seen[node, line] += 1
            measured = Speed().seen(size, amount).faded(weight)
            mine = self._new[node]
            mine[line] = mine.get(line, Speed()).then(measured)

    def flush(self, store: Store) -> None:
        """Adds what is new to the store; what could not be written stays for the next time."""
        with self._lock:
            new, self._new = self._new, defaultdict(dict)
        try:
            while new:
                node, lines = new.popitem()
                try:
                    store.add_speeds(node, lines)
                except Exception:
                    self._take_back({**new, node: lines})
                    raise
        finally:
            with self._lock:  # not before: who read in between would know the new ones not at all
                self._read_at = None

    def _take_back(self, unwritten: Book) -> None:
        with self._lock:
            for node, lines in unwritten.items():
                mine = self._new[node]
                for line, speed in lines.items():
                    mine[line] = speed.then(mine[line]) if line in mine else speed

    def of(self, store: Store, node: str, line: str) -> Speed | None:
        """How fast this node is; None while that was not measured."""
        return self._known(self.nodes(store), line).get(node)

    def anywhere(self, store: Store, line: str) -> Speed | None:
        """How fast the nodes that live are, all together; else those that lived lately."""
        nodes = self.nodes(store)
        for some in ([node for node in nodes if node.live], nodes):
            found = self._known(some, line)
            if found:
                return _sum(found.values())
        return None

    def nodes(self, store: Store) -> list[Node]:
        """All nodes, as they were a few seconds ago at the most."""
        with self._lock:
            if self._read_at is not None and time.monotonic() - self._read_at < FRESH_S:
                return self._nodes
        nodes = store.nodes()
        with self._lock:
            self._nodes, self._read_at = nodes, time.monotonic()
        return nodes

    def _known(self, nodes: Iterable[Node], line: str) -> dict[str, Speed]:
        """By node, what stands in the store and what is still in this book."""
        known = {}
        for node in nodes:
            stored, new = node.speeds.get(line), self._new.get(node.id, {}).get(line)
            speed = stored.then(new) if stored and new else stored or new
            if speed is not None and speed.count > 0:
                known[node.id] = speed
        return known


def _sum(speeds: Iterable[Speed]) -> Speed:
    total = Speed()
    for speed in speeds:
        total = total.plus(speed)
    return total
