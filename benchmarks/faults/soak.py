"""`make soak`: random faults under endless mixed load, then the checker.

    python -m benchmarks.faults.soak --minutes 60 --seed 7

`soak.json` in the folder that is printed says every ten seconds how it stands.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.checker import check
from benchmarks.faults.findings import Finding
from benchmarks.faults.nemesis import Nemesis
from benchmarks.faults.orders import TARGETS, Order
from benchmarks.faults.process import TookTooLong
from benchmarks.faults.runner import stage
from benchmarks.faults.topology import Topology
from benchmarks.faults.traffic import Traffic
from benchmarks.faults.vitals import Vitals

_EVERY_S = 10.0
_BUSY_MINUTES = 30.0
_LONG_S = (30, 90)
_LONGEST_GAP_S = 10.0  # between two beats, with all cores busy
_DRAIN_S = 600.0
_LONG_ENOUGH = 20.0  # minutes; a shorter run still grows into its steady state
_BUSY = "import os\nos.nice(10)\nwhile True: pass"


@dataclass
class Soak:
    """The run so far."""

    traffic: Traffic
    folder: Path
    seed: int
    minutes: float
    began: float = field(default_factory=time.monotonic)
    orders: dict[str, Order] = field(default_factory=dict)
    revived: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)  # whose answers are in the ledger

    def __post_init__(self) -> None:
        self.vitals = Vitals(self.traffic.stack)
        self.nemesis = Nemesis(self.traffic.stack, random.Random(self.seed))
        self._told_at = 0.0

    @property
    def over(self) -> bool:
        return time.monotonic() - self.began > self.minutes * 60

    def make(self) -> Order:
        """Mostly healthy work; some that fails for one language, some that kills."""
        make, lot = self.traffic.make, self.traffic.make.rng.random()
        if lot < 0.02:
            order = make.clip(mark="die", targets=1).but("failed")
        elif lot < 0.05:
            order = _one_fails(make.text(mark="fail-de", targets=len(TARGETS)))
        elif lot < 0.08:
            order = make.clip(hear=make.rng.randint(*_LONG_S), targets=1)  # long enough to beat
        else:
            order = make.mixed(0, 4)
        self.orders[order.name] = order
        return order

    def tend(self) -> None:
        """Collects what has ended, retries what was lost three times, tells how it stands."""
        if time.monotonic() - self._told_at < _EVERY_S:
            return
        self._told_at = time.monotonic()
        sent = set(self.traffic.tasks)  # before the look: what comes in meanwhile is not over
        left = self.traffic.open()
        names = {each["task"]: each["order"] for each in self.traffic.ledger.entries("acked")}
        for task in sent - left - self.kept:
            self._keep(task, self.orders[names[task]])
        self.vitals.sample()
        self._tell(left)

    def _keep(self, task: str, order: Order) -> None:
        final = self.traffic.final(task)
        if final["state"] not in order.allowed and self._revive(task, final):
            return
        self.traffic.ledger.write("final", task=task, **final)
        self.kept.add(task)
        if final["state"] in order.allowed:  # what was wrong stays, to be looked at
            self.traffic.rest.order(task, "delete")

    def _revive(self, task: str, final: dict[str, Any]) -> bool:
        """Three losses are final by rule, and faults are many here."""
        dead = [each for each in final.get("attempts", []) if each["dead"]]
        lost = bool(dead) and all(each["failure"] == "worker_lost" for each in dead)
        if not lost or not self.traffic.again(task):
            return False
        self.revived.add(task)
        return True

    def _tell(self, left: set[str]) -> None:
        state = {
            "seed": self.seed,
            "minutes": round((time.monotonic() - self.began) / 60, 1),
            "of": self.minutes,
            "tasks": len(self.traffic.tasks),
            "open": len(left),
            "judged": len(self.kept),
            "retried after three losses": len(self.revived),
            "faults": dict(self.nemesis.done),
            "used, first and last quarter": self.vitals.told(),
        }
        (self.folder / "soak.json").write_text(json.dumps(state, indent=1), encoding="utf-8")


def soak(traffic: Traffic, folder: Path, seed: int, minutes: float, *, busy: bool) -> list[Finding]:
    run = Soak(traffic, folder, seed, minutes)
    begin = traffic.ledger.mark()
    traffic.ledger.write("scenario", id="soak", title=f"{minutes:g} minutes", seed=seed)
    with traffic.flow(0.5, run.make):
        if busy:
            _under_full_load(run, min(_BUSY_MINUTES, minutes / 2))
        while not run.over:
            _strike(run)
            run.tend()
            time.sleep(run.traffic.stack.rng.uniform(2, 10))
            run.tend()
    traffic.stack.heal()
    end = time.monotonic() + _DRAIN_S
    while len(run.kept) < len(traffic.tasks) and time.monotonic() < end:
        time.sleep(1.0)
        run.tend()
    for task in set(traffic.tasks) - run.kept:
        traffic.ledger.write("final", task=task, **traffic.final(task))
    found = check(traffic.ledger.entries(since=begin))
    return found + (run.vitals.grown() if minutes >= _LONG_ENOUGH else [])


def _strike(run: Soak) -> None:
    try:
        run.nemesis.strike()
    except TookTooLong as error:  # a part did not come back by itself: that is a finding
        run.traffic.ledger.write("broken", told=str(error))
        run.traffic.stack.heal()


def _under_full_load(run: Soak, minutes: float) -> None:
    """Two busy loops beside, and no other fault: no lease may be lost, no beat be late."""
    ledger, witness = run.traffic.ledger, run.traffic.stack.witness
    since, end = ledger.mark(), time.monotonic() + minutes * 60
    witness.gaps.clear()
    with _busy_loops(2):
        while time.monotonic() < end:
            time.sleep(1.0)
            run.tend()
    gaps = list(witness.gaps.values())
    if gaps:
        told = f"the longest of {len(gaps)} jobs"
        gap = round(max(gaps), 2)
        ledger.write("measured", name="beat_gap", seconds=gap, limit=_LONGEST_GAP_S, about=told)
    else:
        ledger.write("broken", told="no job was seen to beat")
    poisons = {name for name, order in run.orders.items() if "failed" in order.allowed}
    deadly = {each["task"] for each in ledger.entries("acked") if each["order"] in poisons}
    for each in ledger.entries("granted", since=since):
        if each["attempt"] > 1 and each["task"] not in deadly:
            ledger.write("broken", told=f"{each['job']} lost its lease to a busy machine")


@contextmanager
def _busy_loops(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _one_fails(order: Order) -> Order:
    """All languages of the bench are asked for, and German fails."""
    text_id = str(order.body["items"][0]["text_id"])
    return order.but("partial", without=[("de", text_id)])


def main(words: Sequence[str] | None = None) -> int:
    """0: nothing was found. 1: something was; the folder is kept in any case."""
    asked = _parser().parse_args(words)
    seed = asked.seed or secrets.randbelow(10**6) + 1
    folder = asked.folder or Path(tempfile.mkdtemp(prefix=f"fanscribe-soak-{seed}-"))
    print(f"seed {seed}; {folder / 'soak.json'} says how it stands", flush=True)
    topology = Topology(rhythm="real", slots=2).on(asked.store, asked.broker)
    with stage(topology, folder, seed) as traffic:
        findings = soak(traffic, folder, seed, asked.minutes, busy=asked.busy)
    state = json.loads((folder / "soak.json").read_text(encoding="utf-8"))
    state["findings"] = [asdict(each) for each in findings]
    (folder / "soak.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    print(json.dumps(state, indent=1))
    return 1 if findings else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="0: choose one, and print it")
    parser.add_argument("--store", default="sqlite", help="sqlite, wire or mongodb://…")
    parser.add_argument("--broker", default="redis", help="redis or rabbitmq")
    parser.add_argument("--busy", action="store_true", help="first half an hour of full CPU")
    parser.add_argument("--folder", type=Path, help="where ledger, logs and soak.json go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
