"""Deploys and dying managers: everything restarted in turn under load."""

from __future__ import annotations

import time

from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology

_READY_S = 10.0


@scenario(
    "T16",
    "rolling restart of all parts by TERM under load",
    core=True,
    limits={"ended": 30.0},
    quick={"rounds": 1, "rate": 0.5, "longest_s": 1},
    full={"rounds": 2, "rate": 0.8, "longest_s": 6},
    full_stack=Topology(rhythm="real", slots=2),
)
def rolling(bench: Bench, *, rounds: int, rate: float, longest_s: int) -> None:
    """Nobody is charged; what was under way is handed back, or ends first."""
    names = [*bench.stack.worker_names, *bench.stack.managers]
    with bench.traffic.flow(rate, lambda: bench.make.mixed(min(2, longest_s), longest_s)):
        for name in names * rounds:
            time.sleep(1.0)
            bench.measure("ended", bench.stack.term(name, 40.0), name)
            bench.stack.restart(name)
    bench.finish(240)
    bench.expect_nobody_charged()
    _each_run_was_handed_back(bench)


def _each_run_was_handed_back(bench: Bench) -> None:
    """A job runs once, and once more only for each time it was handed back."""
    released: dict[str, int] = {}
    for each in bench.seen("finished"):
        if each["outcome"] == "released" and each["verdict"] == 200:
            released[each["job"]] = released.get(each["job"], 0) + 1
    for each in bench.seen("granted"):
        runs = released.get(each["job"], 0) + 1
        bench.expect(
            each["attempt"] <= runs, f"{each['job']} has attempt {each['attempt']}, {runs} allowed"
        )


@scenario(
    "MK",
    "managers killed in turn under load",
    core=True,
    limits={"went_on": 10.0, "resumed": _READY_S, "post": 5.0},
    quick={"kills": 2, "rate": 2.0},
    full={"kills": 20, "rate": 2.0},
)
def managers_killed(bench: Bench, *, kills: int, rate: float) -> None:
    """Running work does not notice. The other one goes on while the dead one stays away:
    `went_on` is until it has granted something, and the youngest task has all its jobs."""
    with bench.traffic.flow(rate, lambda: bench.make.mixed(0, 2)):
        for number in range(kills):
            time.sleep(1.5)
            wait_for("a first task", lambda: bench.seen("acked"))
            name = bench.stack.managers[number % len(bench.stack.managers)]
            youngest = bench.seen("acked")[-1]["task"]
            at = bench.stack.kill(name)
            bench.measure_next_grant("went_on", at)
            _wait_for_jobs(bench, youngest)
            bench.measure("went_on", bench.ledger.now() - at, name)
            began = time.monotonic()
            bench.stack.restart(name)
            bench.measure("resumed", time.monotonic() - began, name)
    bench.finish(240)
    for each in bench.seen("acked"):
        bench.measure("post", each["seconds"])
    for each in bench.seen("final"):
        lost = [a for a in each.data.get("attempts", []) if a["failure"] == "worker_lost"]
        bench.expect(not lost, f"{each['task']} was taken from a living worker: {lost}")


def _wait_for_jobs(bench: Bench, task: str) -> None:
    """By the counts that the API shows, at most a second old."""

    def there() -> bool:
        counts = bench.traffic.rest.get(f"/v1/tasks/{task}")["counts"]
        return any(counts[state] for state in ("waiting", "running", "succeeded", "dead"))

    wait_for(f"the jobs of {task}", there, 60)
