"""What everything hangs on is away for minutes, while work that was begun comes to its end."""

from __future__ import annotations

import time

from benchmarks.faults.balancer import Mischief
from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology

_URL = {"FANSCRIBE_OBJECTS_ACCESS": "url"}


@scenario(
    "T28",
    "both managers away while work finishes",
    limits={"adopted": 45.0},  # a worker offers every 30 s
    quick={"jobs": 2, "hear_s": 2, "away_s": 4.0},
    full={"jobs": 20, "hear_s": 20, "away_s": 600.0},
    full_stack=Topology(rhythm="real", slots=10),
    alongside=True,
    minutes=11,
)
def no_manager(bench: Bench, *, jobs: int, hear_s: int, away_s: float) -> None:
    """All of it is on the workers' disks then, is taken when a manager is back, and nothing is
    computed again."""
    tasks = bench.traffic.pour(bench.make.clip(hear=hear_s, targets=1) for _ in range(jobs))
    wait_for("all to be heard", lambda: len(_begun(bench)) >= jobs, bench.patience(90))
    bench.expect(not bench.seen("terminal"), "some ended before the managers went away")
    for name in bench.stack.managers:
        bench.stack.kill(name)
    time.sleep(away_s)
    wait_for("all results on the disks", lambda: _spooled(bench) == jobs, bench.patience(30))
    at = bench.ledger.now()
    for name in bench.stack.managers:
        bench.stack.restart(name)
    bench.finish(120)
    for each in bench.seen("finished"):
        if "/transcribe/" in each["job"] and each["verdict"] == 200:
            bench.measure("adopted", each.t - at)
    _nothing_ran_twice(bench, tasks)


def _begun(bench: Bench) -> set[str]:
    """Their first beat got through: before that a worker does not touch a job that it won."""
    return {each["job"] for each in bench.seen("begun") if "/transcribe/" in each["job"]}


def _spooled(bench: Bench) -> int:
    """How many reports wait on the disks of all workers."""
    return sum(path.is_file() for path in (bench.stack.folder / "spool").rglob("*.json"))


@scenario(
    "T28s",
    "storage refuses what workers write",
    limits={"stored": 45.0},  # a worker tries every 30 s
    full={"clips": 4, "texts": 6, "away_s": 600.0},
    full_stack=Topology(rhythm="real", slots=6, settings=_URL),
    alongside=True,
    minutes=11,
)
def no_storage(bench: Bench, *, clips: int, texts: int, away_s: float) -> None:
    """Decoded audio and long translations are kept and stored in place; no engine runs again."""
    refusing = bench.stack.workers.misbehave(Mischief("refuse", method="PUT"))
    bench.stack.fault("storage", deed="refuse")
    tasks = bench.traffic.pour(bench.make.clip(targets=1) for _ in range(clips))
    tasks += bench.traffic.pour(bench.make.long_text(say=2) for _ in range(texts))
    time.sleep(away_s)
    bench.expect(refusing.done >= clips + texts, f"only {refusing.done} writes were refused")
    ended = bench.traffic.open() != set(tasks)
    bench.expect(not ended, "a task ended although nothing could be stored")
    bench.stack.workers.behave()
    at = bench.ledger.now()
    bench.finish(120)
    for each in bench.seen("terminal"):
        bench.measure("stored", each.t - at)
    _nothing_ran_twice(bench, tasks)


def _nothing_ran_twice(bench: Bench, tasks: list[str]) -> None:
    bench.expect_one_run_each(tasks)
    bench.expect_nobody_charged()
