"""Tasks that nobody wants any more: cancelled at every stage, in races with retry and delete."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.faults.balancer import Mischief
from benchmarks.faults.nodes import held_back
from benchmarks.faults.orders import Order
from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology

_ANY = ("succeeded", "partial", "failed", "cancelled", "gone")
_ENDS = frozenset(_ANY)
_STATE = re.compile(r'"state": ?"(\w+)"')
_TOLD_S = 1.0  # a task that is cancelled says so at once, whatever its jobs do
_THREADS = 4


@scenario(
    "T15",
    "cancelled at every stage and at random, racing with success, retry and delete",
    core=True,
    limits={"queued": _TOLD_S, "told": _TOLD_S, "running": 10.0, "hardest": 20.0},
    quick={"random": 12, "longest_s": 1.0, "stages": False},
    full={"random": 100, "longest_s": 4.0, "stages": True},
    full_stack=Topology(rhythm="real", whispers=2, translators=1),
)
def cancels(bench: Bench, *, random: int, longest_s: float, stages: bool) -> None:
    """One end for each. `running` and `hardest` are until the slot of the child takes a job."""
    if stages:
        _while_queued(bench)
        with held_back(bench, bench.stack.whispers[1:]):  # one slot: who gets it next is known
            for _ in range(3):
                _while_it_runs(bench, "slow", "running")
            _while_it_runs(bench, "hang", "hardest")
        _while_it_reports(bench)
        _when_it_is_done(bench)
    orders = [_some(bench, longest_s) for _ in range(random)]
    plans = [(bench.rng.uniform(0.0, longest_s), bench.rng.random()) for _ in orders]
    taken = _Taken()
    with ThreadPoolExecutor(_THREADS) as pool:
        jobs = [
            pool.submit(_race, bench, order, after_s, draw, taken)
            for order, (after_s, draw) in zip(orders, plans, strict=True)
        ]
        for job in jobs:
            job.result()
    bench.traffic.wait(bench.patience(120), settled=lambda: taken.deleted(bench.traffic.open()))
    bench.traffic.collect()
    _ended_once(bench, taken)


# ── stage by stage ───────────────────────────────────────────────────────────────────────────


def _while_queued(bench: Bench) -> None:
    with held_back(bench, bench.stack.whispers):
        for _ in range(5):
            task = _unwanted(bench, bench.make.clip(targets=1))
            began = time.monotonic()
            _cancel(bench, task)
            bench.measure("queued", time.monotonic() - began)
    taken = {each["task"] for each in bench.seen("granted")}
    bench.expect(not taken & set(bench.traffic.tasks), "a job ran that was cancelled in the queue")


def _while_it_runs(bench: Bench, mark: str, name: str) -> None:
    """The next clip waits for the only slot, so its first grant tells when that is free."""
    task = _unwanted(bench, bench.make.clip(mark=mark, targets=1))
    _wait_until_granted(bench, task, "/transcribe/")
    time.sleep(bench.rng.uniform(0.5, 3.0))
    following = bench.traffic.submit(bench.make.clip(targets=1))
    began = time.monotonic()
    _cancel(bench, task)
    bench.measure("told", time.monotonic() - began)
    _wait_until_granted(bench, following, "/prepare/")
    bench.measure(name, time.monotonic() - began)


def _while_it_reports(bench: Bench) -> None:
    """The cancel comes while the last word of a job is on its way."""
    mischief = bench.stack.workers.misbehave(Mischief("delay", "finish", times=3, seconds=2.0))
    task = _unwanted(bench, bench.make.text(targets=1))
    wait_for("its last word to be on its way", lambda: mischief.done, 30)
    _cancel(bench, task)
    bench.stack.workers.behave()


def _when_it_is_done(bench: Bench) -> None:
    task = bench.traffic.submit(bench.make.text(targets=1))
    bench.traffic.wait(bench.patience(60))
    bench.expect(bench.traffic.rest.order(task, "cancel") == 409, "what is done was cancelled")


def _unwanted(bench: Bench, order: Order) -> str:
    return bench.traffic.submit(order.but("cancelled"))


def _cancel(bench: Bench, task: str) -> None:
    status = bench.traffic.rest.order(task, "cancel")
    bench.expect(status == 200, f"cancel answered {status}")
    wait_for("the task to be cancelled", lambda: bench.traffic.ended(task), 60)


def _wait_until_granted(bench: Bench, task: str, stage: str) -> None:
    def granted() -> bool:
        return any(g["task"] == task and stage in g["job"] for g in bench.seen("granted"))

    wait_for(f"{stage} of {task}", granted, 90)


# ── at random ────────────────────────────────────────────────────────────────────────────────


class _Taken:
    """Which orders were taken: answered with 2xx."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[tuple[str, str]] = Counter()

    def add(self, verb: str, task: str) -> None:
        with self._lock:
            self._taken[verb, task] += 1

    def deleted(self, tasks: set[str]) -> bool:
        """Whether all of these are: none of them will ever be seen to end."""
        return all(self._taken["delete", task] for task in tasks)

    def retries(self, task: str) -> int:
        return self._taken["retry", task]


def _some(bench: Bench, longest_s: float) -> Order:
    seconds = bench.rng.randint(0, int(longest_s))
    kinds: list[Callable[[], Order]] = [
        lambda: bench.make.text(say=seconds),
        lambda: bench.make.clip(hear=seconds),
        lambda: bench.make.clip(mark="fail-permanent", targets=1),
        lambda: bench.make.clip(mark="slow", targets=1) if longest_s > 1 else bench.make.text(),
    ]
    return bench.rng.choice(kinds)().but(*_ANY)


def _race(bench: Bench, order: Order, after_s: float, draw: float, taken: _Taken) -> None:
    """Cancelled after a while; three in ten meet a retry at that moment, two a delete."""
    task = bench.traffic.submit(order)
    time.sleep(after_s)
    verbs = ["cancel", *(["retry"] if draw < 0.3 else ["delete"] if draw < 0.5 else [])]

    def do(verb: str) -> None:
        status = bench.traffic.rest.order(task, verb)
        good = {200, 202, 204, 409, 410}
        bench.expect(status in good, f"{verb} of {task} answered {status}")
        if status < 300:
            taken.add(verb, task)

    threads = [threading.Thread(target=do, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ended_once(bench: Bench, taken: _Taken) -> None:
    for final in bench.seen("final"):
        task = final["task"]
        if final["state"] == "gone":
            continue
        events = bench.traffic.rest.ask("GET", f"/v1/tasks/{task}/events")
        ends = [] if events is None else [e for e in _STATE.findall(events.text) if e in _ENDS]
        many = 1 + taken.retries(task)
        bench.expect(len(ends) == many, f"{task} ended as {ends}, {many} expected")
