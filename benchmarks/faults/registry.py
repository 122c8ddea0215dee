"""Scenarios by their number, and what each is given to work with.

    @scenario("T07", "A poison kills its process", quick={"poisons": 1}, full={"poisons": 6})
    def poison(bench: Bench, *, poisons: int) -> None:
        bench.traffic.pour(bench.make.clip(mark="die").but("failed") for _ in range(poisons))
        bench.finish(60)

A module in `scenarios/` is enough; nothing else names it.
"""

from __future__ import annotations

import pkgutil
import random
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from benchmarks.faults import scenarios
from benchmarks.faults.ledger import Entry, Ledger
from benchmarks.faults.orders import Maker
from benchmarks.faults.process import wait_for
from benchmarks.faults.stack import Stack
from benchmarks.faults.timeline import granted_again, place_of
from benchmarks.faults.topology import Topology
from benchmarks.faults.traffic import Traffic

FAST = Topology(rhythm="fast")
REAL = Topology(rhythm="real")
_FAST_PATIENCE_S = 60.0


@dataclass
class Bench:
    """What a scenario works with. `begin` is where its lines in the ledger begin."""

    stack: Stack
    traffic: Traffic
    rng: random.Random
    limits: Mapping[str, float]
    quick: bool
    begin: int = 0

    @property
    def ledger(self) -> Ledger:
        return self.stack.ledger

    @property
    def make(self) -> Maker:
        return self.traffic.make

    @property
    def fast(self) -> bool:
        """Whether the stack has the rhythm for tests: then no figure of the product applies."""
        return self.stack.topology.rhythm == "fast"

    def patience(self, seconds: float) -> float:
        """The patience that is enough on a stack of this rhythm."""
        return min(seconds, _FAST_PATIENCE_S) if self.fast else seconds

    def seen(self, kind: str | None = None) -> list[Entry]:
        """The ledger's lines of this scenario so far."""
        return self.ledger.entries(kind, since=self.begin)

    def measure(self, name: str, seconds: float, about: str = "") -> None:
        """A time; the scenario's `limits` under this name say how long it may be."""
        limit = None if self.fast else self.limits.get(name)
        self.ledger.write(
            "measured", name=name, seconds=round(seconds, 3), limit=limit, about=about
        )

    def expect(self, holds: bool, told: str) -> bool:
        """What only this scenario promises; if it does not hold the run is wrong."""
        if not holds:
            self.ledger.write("broken", told=told)
        return holds

    def expect_nobody_charged(self) -> None:
        """To be asked after `finish`: no attempt that a worker was given has failed or was lost.
        What a store did after it stood still, for somebody who had gone, costs nobody an attempt,
        but stands in the history."""
        given = {(each["job"], each["attempt"]) for each in self.seen("granted")}
        for final in self.seen("final"):
            told = final.data.get("attempts", [])
            charged = [e for e in told if (place_of(final["task"], e), e["attempt"]) in given]
            self.expect(not charged, f"{final['task']} was charged: {charged}")

    def expect_one_run_each(self, tasks: Container[str] | None = None) -> None:
        """No job was granted twice: neither is anything done again, nor won by two."""
        again = [
            each["job"]
            for each in granted_again(self.seen())
            if tasks is None or each["task"] in tasks
        ]
        self.expect(not again, f"granted twice although nobody failed: {again}")

    def measure_next_grant(self, name: str, at: float) -> None:
        """How long after `at`, by the ledger, the next job is granted; waits for it. Raises
        TookTooLong."""

        def granted() -> list[float]:
            return [each.t for each in self.seen("granted") if each.t > at]

        wait_for("the next grant", granted, 120)
        self.measure(name, granted()[0] - at)

    def measure_first_grants(self, name: str, tasks: Collection[str], at: float) -> None:
        """How long after `at` each of these tasks was first heard of by a worker."""
        firsts: dict[str, float] = {}
        for each in self.seen("granted"):
            if each["task"] in tasks:
                firsts.setdefault(each["task"], each.t)
        never = len(tasks) - len(firsts)
        self.expect(never == 0, f"{never} tasks were never granted")
        for t in firsts.values():
            self.measure(name, t - at)

    def note(self, told: str) -> None:
        """What this run did otherwise than its title says; it stands in the table."""
        self.ledger.write("noted", told=told)

    def finish(self, patience_s: float) -> bool:
        """Waits until all tasks have ended and collects their answers; False if not in time. On
        a fast stack it waits no longer than a minute."""
        ended = self.traffic.wait(self.patience(patience_s))
        self.traffic.collect()
        return ended


Run = Callable[..., None]


@dataclass(frozen=True)
class Scenario:
    """`quick` and `full` are the arguments of `run`; without `quick` it runs in full only.

    `full_stack` is what it needs in full, `quick_stack` in quick: None takes the one fast stack
    that quick scenarios share. `alongside` ones mostly wait, and run beside others; not
    those that start many processes or look how fast answers come. `alone` ones need the
    machine to themselves. `minutes` is about how long it takes in full, where that is long:
    of those alongside, the longest begin first, so that nobody waits for them at the end.
    """

    id: str
    title: str
    run: Run
    limits: Mapping[str, float] = field(default_factory=dict)
    quick: Mapping[str, Any] | None = None
    full: Mapping[str, Any] = field(default_factory=dict)
    full_stack: Topology = REAL
    quick_stack: Topology | None = None
    alongside: bool = False
    alone: bool = False
    minutes: int = 0
    stores: tuple[str, ...] = ()  # empty: any
    brokers: tuple[str, ...] = ()
    here: bool = True  # whether the machine has what it needs
    core: bool = False  # one of the ten that every store and every broker must stand

    def fits(self, store: str, broker: str) -> bool:
        if not self.here:
            return False
        kind = store if store in {"sqlite", "wire"} else "mongodb"
        fitting_store = not self.stores or kind in self.stores
        return fitting_store and (not self.brokers or broker in self.brokers)


_ALL: dict[str, Scenario] = {}


def scenario(id: str, title: str, **about: Any) -> Callable[[Run], Run]:  # noqa: A002  its name
    """Registers the function below under this id; `about` are the fields of `Scenario`."""

    def register(run: Run) -> Run:
        if id in _ALL:
            raise ValueError(f"There are two scenarios {id}.")
        _ALL[id] = Scenario(id, title, run, **about)
        return run

    return register


def all_scenarios() -> dict[str, Scenario]:
    """Every scenario of every module in `scenarios/`, by id."""
    for module in pkgutil.iter_modules(scenarios.__path__):
        import_module(f"{scenarios.__name__}.{module.name}")
    return dict(sorted(_ALL.items()))
