"""Workers that die: whole process groups, single children, poisons that kill who touches them."""

from __future__ import annotations

import time

from benchmarks.faults.latency import p95, steadily
from benchmarks.faults.ledger import Entry
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.timeline import noticed, recoveries
from benchmarks.faults.topology import Topology

_NOTICED_S, _AGAIN_S = 35.0, 45.0
_SEEN_S = 10.0  # by its parent, who sees a child die
_BELL_S = 65.0  # until a bell that died with a second worker is rung again
_DRAIN_S = 420.0


@scenario(
    "T01",
    "worker process groups killed at random under load",
    core=True,
    limits={"noticed": _NOTICED_S, "again": _AGAIN_S, "struck_again": _AGAIN_S + _BELL_S},
    quick={"kills": 3, "every_s": 2.0, "rate": 1.0, "longest_s": 2},
    full={"kills": 50, "every_s": 3.0, "rate": 1.35, "longest_s": 6},
    full_stack=Topology(rhythm="real", translators=2, slots=2),
)
def groups_killed(bench: Bench, *, kills: int, every_s: float, rate: float, longest_s: int) -> None:
    """Each is started again at once, as a supervisor does. In full about 200 tasks of 2 to 6 s."""
    with bench.traffic.flow(rate, lambda: bench.make.mixed(min(2, longest_s), longest_s)):
        for _ in range(kills):
            time.sleep(every_s)
            name = bench.rng.choice(bench.stack.worker_names)
            bench.stack.kill(name)
            bench.stack.parts[name].start()
    _finish_and_measure(bench)


@scenario(
    "T01c",
    "children of workers killed at random under load",
    core=True,
    limits={"noticed": _SEEN_S, "again": _AGAIN_S, "struck_again": _AGAIN_S + _BELL_S},
    quick={"kills": 3, "every_s": 1.5, "rate": 0.8, "longest_s": 2},
    full={"kills": 20, "every_s": 3.0, "rate": 0.5, "longest_s": 6},
    full_stack=Topology(rhythm="real", translators=2),
)
def children_killed(
    bench: Bench, *, kills: int, every_s: float, rate: float, longest_s: int
) -> None:
    """The worker stays, and starts another child."""
    before = {name: bench.stack.parts[name].pid for name in bench.stack.worker_names}
    with bench.traffic.flow(rate, lambda: bench.make.mixed(min(2, longest_s), longest_s)):
        for _ in range(kills):
            time.sleep(every_s)
            bench.stack.kill_child(bench.rng.choice(bench.stack.worker_names))
    _finish_and_measure(bench)
    for name, pid in before.items():
        part = bench.stack.parts[name]
        bench.expect(part.alive and part.pid == pid, f"{name} itself ended")


def _finish_and_measure(bench: Bench) -> None:
    revive(bench, _DRAIN_S)
    bench.finish(_DRAIN_S)
    for each in recoveries(bench.seen()):
        bench.measure("struck_again" if each.struck_again else "again", each.seconds)
    for seconds in noticed(bench.seen(), bench.ledger.opened_at):
        bench.measure("noticed", seconds)


def revive(bench: Bench, patience_s: float) -> None:
    """A job that was lost three times is dead by rule; an operator retries it, and so do we."""
    bench.traffic.wait(bench.patience(patience_s))
    for task in dict(_failed(bench.seen())):
        view = bench.traffic.rest.get(f"/v1/tasks/{task}") or {"attempts": []}
        dead = [each for each in view["attempts"] if each["dead"]]
        for each in dead:
            lost = each["failure"] == "worker_lost" and each["attempts"] >= 3
            bench.expect(lost, f"{task} is dead without three losses: {each}")
        bench.expect(bench.traffic.again(task), f"{task} cannot be retried")


def _failed(entries: list[Entry]) -> list[tuple[str, str]]:
    return [
        (each["task"], each["state"])
        for each in entries
        if each.kind == "terminal" and each["state"] in {"failed", "partial"}
    ]


@scenario(
    "T07",
    "poisons that kill their process beside healthy work",
    core=True,
    limits={"runs": 3, "neighbours": 1.2},
    quick={"deaths": ("die",), "neighbours": 2},
    full={"deaths": ("die", "die-segv", "die-fpe"), "neighbours": 30},
    full_stack=Topology(rhythm="real", slots=2),
    alone=True,
)
def poison(bench: Bench, *, deaths: tuple[str, ...], neighbours: int) -> None:
    """A poison runs at most three times and is dead as `worker_lost`; `neighbours` is how their
    p95 with a poison about, one after the other, compares with the p95 without. A slot whose
    child died is empty for the second that a fresh interpreter takes to start."""
    calm = p95(_neighbours(bench, neighbours))
    bad, took = [], []
    for death in deaths:
        bad.append(
            bench.traffic.submit(bench.make.clip(mark=death, targets=1).but("failed", without=()))
        )
        took += _neighbours(bench, neighbours // len(deaths))
    bench.finish(240)
    _judge_poisons(bench, bad)
    shaken = p95(took)
    bench.measure("neighbours", shaken / calm, f"p95 {calm:.1f} s, then {shaken:.1f} s")


def _neighbours(bench: Bench, count: int) -> list[float]:
    """How long healthy tasks took that need a third of the slots."""
    orders = (bench.make.clip(hear=3, targets=1) for _ in range(count))
    return list(steadily(bench, orders, 2.0).values())


def _judge_poisons(bench: Bench, tasks: list[str]) -> None:
    for task in tasks:
        runs = [
            each
            for each in bench.seen("granted")
            if each["task"] == task and "/transcribe/" in each["job"]
        ]
        bench.measure("runs", len(runs), "runs of a poison, no seconds")
        bench.expect(1 <= len(runs) <= 3, f"the poison {task} ran {len(runs)} times")
    finals = {each["task"]: each for each in bench.seen("final")}
    for task in tasks:
        causes = {each["failure"] for each in finals[task].data.get("attempts", []) if each["dead"]}
        bench.expect(causes == {"worker_lost"}, f"the poison {task} died of {causes}")
