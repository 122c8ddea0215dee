"""Runs scenarios, each on its stack, and says what came of it."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.checker import check
from benchmarks.faults.findings import Finding
from benchmarks.faults.ledger import Entry, Ledger
from benchmarks.faults.orders import Maker
from benchmarks.faults.registry import FAST, Bench, Scenario
from benchmarks.faults.stack import Stack
from benchmarks.faults.topology import Topology
from benchmarks.faults.traffic import Traffic

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What came of a scenario. `times` are all measurements by name, with the limit."""

    id: str
    title: str
    seconds: float
    tasks: int = 0
    findings: list[Finding] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)
    limits: dict[str, float | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ledger: str = ""
    quick: bool = False

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)

    @property
    def bad(self) -> list[Finding]:
        """What fails it: in quick, times are only shown."""
        return [f for f in self.findings if not (self.quick and f.kind == "slow")]

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "bad": len(self.bad)}


@dataclass(frozen=True)
class Plan:
    """How scenarios are run."""

    seed: int
    quick: bool = False
    store: str = "sqlite"
    broker: str = "redis"
    lanes: int = 1
    keep: bool = False


@contextmanager
def stage(topology: Topology, folder: Path, seed: int) -> Iterator[Traffic]:
    """A stack that is up, with traffic that is rehearsed; its ledger lies in the folder."""
    ledger = Ledger(folder / "ledger.jsonl", seed)
    try:
        with Stack(topology, folder / "stack", ledger) as stack:
            traffic = Traffic(stack, Maker(random.Random(seed)))
            try:
                traffic.rehearse()
                yield traffic
            finally:
                traffic.close()
    finally:
        ledger.close()


def perform(scenario: Scenario, traffic: Traffic, plan: Plan) -> Outcome:
    """Runs a scenario on a stack that is up, judges it, and heals the stack."""
    began = time.monotonic()
    ledger = traffic.ledger
    traffic.begin()
    begin = ledger.mark()
    ledger.write("scenario", id=scenario.id, title=scenario.title, seed=plan.seed)
    seed = seed_of(plan.seed, scenario.id)
    traffic.make.rng.seed(seed)
    traffic.stack.rng.seed(seed)
    rng = random.Random(seed)
    bench = Bench(traffic.stack, traffic, rng, scenario.limits, plan.quick, begin)
    arguments = scenario.quick if plan.quick else scenario.full
    if not _goes_well(bench, lambda: scenario.run(bench, **(arguments or {}))):
        _goes_well(bench, traffic.stack.heal)
        _goes_well(bench, lambda: bench.finish(60))
    _goes_well(bench, traffic.stack.heal)
    entries = ledger.entries(since=begin)
    outcome = judge(scenario, entries, time.monotonic() - began, quick=plan.quick)
    outcome.ledger = str(ledger.path)
    return outcome


def _goes_well(bench: Bench, work: Callable[[], object]) -> bool:
    """Whatever is raised is a finding, and what comes after it is still tried."""
    try:
        work()
    except Exception:  # noqa: BLE001  whatever it is
        bench.ledger.write("broken", told=traceback.format_exc(limit=4))
        return False
    return True


def judge(scenario: Scenario, entries: Sequence[Entry], seconds: float, *, quick: bool) -> Outcome:
    outcome = Outcome(scenario.id, scenario.title, seconds, quick=quick)
    outcome.findings = check(entries)
    outcome.tasks = sum(each.kind == "acked" for each in entries)
    outcome.notes = list(dict.fromkeys(e["told"] for e in entries if e.kind == "noted"))
    for each in entries:
        if each.kind == "measured":
            outcome.times.setdefault(each["name"], []).append(each["seconds"])
            outcome.limits[each["name"]] = scenario.limits.get(each["name"])
    return outcome


def run_all(chosen: Iterable[Scenario], plan: Plan, tell: Tell) -> list[Outcome]:
    """All outcomes, in the order of the ids."""
    fitting = [each for each in chosen if each.fits(plan.store, plan.broker)]
    if plan.quick:
        outcomes = list(
            _run_quick([each for each in fitting if each.quick is not None], plan, tell)
        )
    else:
        outcomes = _run_full(fitting, plan, tell)
    return sorted(outcomes, key=lambda outcome: outcome.id)


def _run_quick(chosen: Sequence[Scenario], plan: Plan, tell: Tell) -> Iterator[Outcome]:
    """Those without a stack of their own share one."""
    shared = [each for each in chosen if each.quick_stack is None]
    if shared:
        with _folder("shared", plan) as folder:
            topology = FAST.on(plan.store, plan.broker)
            with stage(topology, folder, plan.seed) as traffic:
                outcomes = [_told(perform(each, traffic, plan), tell) for each in shared]
            _keep_or_remove(folder, outcomes, plan)
        yield from outcomes
    for each in chosen:
        if each.quick_stack is not None:
            yield run_alone(each, each.quick_stack, plan, tell)


def _run_full(chosen: Sequence[Scenario], plan: Plan, tell: Tell) -> list[Outcome]:
    """One after the other; those that mostly wait run beside them, in the other lanes. Before
    all of these come those that are alone."""
    lanes = plan.lanes if plan.broker == "redis" else 1  # the stacks would share one RabbitMQ
    alone = [each for each in chosen if each.alone]
    beside = [each for each in chosen if each.alongside and lanes > 1]
    beside.sort(key=lambda each: -each.minutes)
    main = [each for each in chosen if each not in (*alone, *beside)]
    first = [run_alone(each, each.full_stack, plan, tell) for each in alone]
    with ThreadPoolExecutor(max(1, lanes - 1)) as pool:
        waiting = [pool.submit(run_alone, each, each.full_stack, plan, tell) for each in beside]
        done = [run_alone(each, each.full_stack, plan, tell) for each in main]
        return [*first, *done, *(future.result() for future in waiting)]


def run_alone(scenario: Scenario, topology: Topology, plan: Plan, tell: Tell) -> Outcome:
    """A scenario on a stack of its own."""
    began = time.monotonic()
    with _folder(scenario.id, plan) as folder:
        try:
            with stage(topology.on(plan.store, plan.broker), folder, plan.seed) as traffic:
                outcome = perform(scenario, traffic, plan)
        except Exception:  # noqa: BLE001  a stack that does not come up is a finding too
            told = Finding("wrong", "the stack", traceback.format_exc(limit=4))
            outcome = Outcome(scenario.id, scenario.title, time.monotonic() - began)
            outcome.findings, outcome.ledger = [told], str(folder / "ledger.jsonl")
        _keep_or_remove(folder, [outcome], plan)
    return _told(outcome, tell)


@contextmanager
def _folder(name: str, plan: Plan) -> Iterator[Path]:
    yield Path(tempfile.mkdtemp(prefix=f"fanscribe-faults-{name}-{plan.seed}-"))


def _keep_or_remove(folder: Path, outcomes: Sequence[Outcome], plan: Plan) -> None:
    """Logs and ledger of a failing run are kept."""
    if not plan.keep and not any(outcome.bad for outcome in outcomes):
        shutil.rmtree(folder, ignore_errors=True)


def _told(outcome: Outcome, tell: Tell) -> Outcome:
    kinds = Counter(finding.kind for finding in outcome.findings)
    how = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing found"
    head = f"{outcome.id:5} {outcome.tasks:4} tasks {outcome.seconds:6.1f} s  {how}"
    details = [f"      {f.kind} {f.about}: {f.told}" for f in outcome.bad[:20]]
    where = [f"      ledger and logs: {outcome.ledger}"] if outcome.bad else []
    tell("\n".join([head, *details, *where]))
    return outcome


def seed_of(seed: int, scenario: str) -> int:
    """A seed of its own for each scenario, the same wherever and with whomever it runs."""
    return zlib.crc32(f"{seed}/{scenario}".encode())
