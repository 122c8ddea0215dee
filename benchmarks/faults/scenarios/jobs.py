"""Jobs beside each other: long and short, urgent and not, of several owners, unwanted ones."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.faults.latency import p95, steadily, wait_for_these
from benchmarks.faults.ledger import Entry
from benchmarks.faults.nodes import held_back
from benchmarks.faults.orders import Order
from benchmarks.faults.owners import second_owner
from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.timeline import interrupted
from benchmarks.faults.topology import Topology

_PRIORITIES = ("urgent", "normal", "bulk")
_BESIDE = 4  # jobs that a translator may claim beside


@scenario(
    "T14",
    "one long job and many short ones, priorities, a node that is refused, two owners",
    limits={"short": 3.0, "beside_refused": 3.0, "handed_on": 5.0},
    quick={"long_s": 0, "shorts": 0, "each": 3, "owners": False},
    full={"long_s": 60, "shorts": 100, "each": 6, "owners": True},
    full_stack=Topology(
        rhythm="real",
        settings={"FANSCRIBE_RETRY_SCALE": "0.001", "FANSCRIBE_SET_ASIDE_S": "0.01"},
    ),
)
def turns(bench: Bench, *, long_s: int, shorts: int, each: int, owners: bool) -> None:
    """Nobody stands behind a long job; who is more urgent, or had less, is claimed first."""
    _by_priority(bench, each)
    if shorts:
        bench.traffic.submit(bench.make.clip(hear=long_s, targets=1))
        short = (bench.make.clip(targets=1) for _ in range(shorts))
        bench.measure("short", p95(steadily(bench, short, 0.5)), "p95")
        _past_the_refused(bench)
    bench.finish(120)
    if owners:
        _by_owner(bench, 10)


def _by_priority(bench: Bench, each: int) -> None:
    """Sent in any order, claimed in that of their priority."""
    names = list(_PRIORITIES) * each
    bench.rng.shuffle(names)
    with held_back(bench, bench.stack.translators):
        since = bench.ledger.mark()
        sent = {bench.traffic.submit(_as(bench.make.text(targets=1), name)): name for name in names}
    wait_for_these(bench, list(sent), 60)
    claimed = [sent[task] for task in _claimed(bench, since) if task in sent]
    bench.expect(claimed == sorted(names, key=_PRIORITIES.index), f"claimed as {claimed}")


def _by_owner(bench: Bench, few: int) -> None:
    """Who comes second, with little, takes turns with whom came first with much."""
    with second_owner(bench) as other:
        with held_back(bench, bench.stack.translators):
            since = bench.ledger.mark()
            bench.traffic.pour(bench.make.text(targets=1) for _ in range(4 * few))
            second = set(other.pour(bench.make.text(targets=1) for _ in range(few)))
        other.wait(60)
        other.collect()
        bench.finish(60)
    early = _claimed(bench, since)[: 2 * few + _BESIDE]
    bench.expect(second <= set(early), f"of {few} only {len(second & set(early))} had their turn")


def _past_the_refused(bench: Bench) -> None:
    """A job that ran out of memory here waits for the other node, which is busy; this one works
    on with everything else, and the other one takes the job as soon as it is free."""
    busy = bench.traffic.submit(bench.make.clip(hear=15, targets=1))
    blocked = _hearing(bench, busy)
    failing = bench.traffic.submit(bench.make.clip(mark="fail-memory", targets=1).but("failed"))
    failed = _hearing(bench, failing)
    bench.expect(failed["node"] != blocked["node"], "both went to one node, which has one slot")
    short = steadily(bench, (bench.make.clip(targets=1) for _ in range(10)), 1.0)
    bench.measure("beside_refused", p95(short), "p95")
    again = _hearing(bench, failing, 2)
    freed = next(f for f in bench.seen("finished") if f["job"] == blocked["job"])
    bench.expect(again["node"] == blocked["node"], "the node that it avoids took it")
    bench.measure("handed_on", again.t - freed.t)


def _claimed(bench: Bench, since: int) -> list[str]:
    """The tasks in the order in which their jobs were granted."""
    return [each["task"] for each in bench.ledger.entries("granted", since=since)]


def _hearing(bench: Bench, task: str, attempt: int = 1) -> Entry:
    """Waits until its transcription is claimed for this attempt."""

    def found() -> list[Entry]:
        return [
            each
            for each in bench.seen("granted")
            if each["task"] == task and "/transcribe/" in each["job"] and each["attempt"] == attempt
        ]

    wait_for(f"attempt {attempt} of {task}", found, 60)
    return found()[0]


def _as(order: Order, priority: str) -> Order:
    return replace(order, body={**order.body, "priority": priority})


@scenario(
    "ISO",
    "a poison, a dead node, a slow owner: how the others fare",
    limits={"poison": 1.2, "dead_node": 1.2, "slow_owner": 1.2},
    full={"tasks": 26, "every_s": 2.7, "slow_jobs": 600},
    full_stack=Topology(rhythm="real", whispers=3, translators=2, slots=6),
    alone=True,
)
def isolation(bench: Bench, *, tasks: int, every_s: float, slow_jobs: int) -> None:
    """Each figure is the p95 of the others compared with that of calm days. They need a sixth of
    the slots, so that they have their share although the slow one would take all, for as long as
    they are watched. A job waits until a slot falls free, and no running one is stopped for it:
    so the slow one's jobs are of several lengths, as people's are, or all slots fell free in
    step; and the others' are longer than what is waited for."""

    def others() -> dict[str, float]:
        return steadily(bench, (bench.make.clip(hear=8, targets=1) for _ in range(tasks)), every_s)

    bench.traffic.pour(bench.make.clip(targets=1) for _ in range(18))
    bench.traffic.wait(60)  # children load what they need at their first job
    calm = p95(others())
    bench.traffic.submit(bench.make.clip(mark="die", targets=1).but("failed"))
    _compare(bench, "poison", calm, others())
    with second_owner(bench) as slow:
        slow.pour(slow.make.clip(hear=30, targets=1) for _ in range(2))
        lengths = [1, 2, 3] * (slow_jobs // 3)
        bench.rng.shuffle(lengths)
        slow.pour(slow.make.clip(hear=seconds, targets=1) for seconds in lengths)
        _compare(bench, "slow_owner", calm, others())
        slow.wait(180)
        slow.collect()
    _compare(bench, "dead_node", calm, _beside_a_dead_node(bench, tasks, every_s))
    bench.finish(120)


def _beside_a_dead_node(bench: Bench, tasks: int, every_s: float) -> dict[str, float]:
    """Without the tasks that the dead one held: those wait until it is missed."""
    bench.traffic.pour(bench.make.clip(hear=3, targets=1) for _ in range(2))
    time.sleep(1.0)
    name = bench.stack.whispers[0]
    node = bench.stack.node(name) or ""
    at = bench.stack.kill(name)
    orders = (bench.make.clip(hear=8, targets=1) for _ in range(tasks))
    found = steadily(bench, orders, every_s)
    held = {each.job.partition("/")[0] for each in interrupted(bench.seen(), node, at)}
    return {task: seconds for task, seconds in found.items() if task not in held}


def _compare(bench: Bench, name: str, calm: float, shaken: dict[str, float]) -> None:
    now = p95(shaken)
    bench.measure(name, now / calm, f"p95 {calm:.2f} s, then {now:.2f} s")
