"""Callbacks go wrong: every one five times, late, twice, or with an answer that got lost."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.faults.balancer import Mischief
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.timeline import place_of
from benchmarks.faults.topology import Topology

_ROUNDS = {
    "five at once": (Mischief("duplicate", copies=4),),
    "answers lost": (
        Mischief("drop_answer", "finish", chance=0.5),
        Mischief("drop_answer", "claim", chance=0.3),
        Mischief("drop_answer", "progress", chance=0.5),
        Mischief("drop_answer", "beat", chance=0.5),
    ),
    "late and again": (
        Mischief("again", "finish", chance=0.5, seconds=3.0),
        Mischief("again", "claim", chance=0.5, seconds=2.0),
        Mischief("delay", chance=0.5, seconds=1.5),
    ),
    "never sent": (
        Mischief("cut", "finish", chance=0.5),
        Mischief("cut", "claim", chance=0.3),
        Mischief("refuse", chance=0.2),
    ),
}


@scenario(
    "T27w",
    "callbacks doubled five times, answers lost, late and sent again",
    quick={"rounds": ("five at once", "answers lost"), "each_s": 1.5, "rate": 2.0},
    full={"rounds": tuple(_ROUNDS), "each_s": 20.0, "rate": 2.0},
    full_stack=Topology(rhythm="real", slots=2),
    alongside=True,
)
def callbacks(bench: Bench, *, rounds: Sequence[str], each_s: float, rate: float) -> None:
    """Each has one effect, and no job pays for it."""
    for name in rounds:
        bench.stack.fault("mischief", round=name)
        before = sum(each.done for each in _ROUNDS[name])
        for each in _ROUNDS[name]:
            bench.stack.workers.misbehave(each)
        with bench.traffic.flow(rate, lambda: bench.make.mixed(0, 1)):
            time.sleep(each_s)
        bench.stack.workers.behave()
        done = sum(each.done for each in _ROUNDS[name])
        bench.expect(done > before, f"nothing was done: {name}")
    bench.finish(180)
    _expect_only_ghosts_lost(bench)


def _expect_only_ghosts_lost(bench: Bench) -> None:
    """A claim that comes late wins for a worker that has long gone on: such a lease never beats,
    and its end costs nothing. All else that was lost or failed was charged wrongly."""
    reached = {(e["job"], e["attempt"]) for e in bench.seen("granted") if e["delivered"]}
    for final in bench.seen("final"):
        for each in final.data.get("attempts", []):
            ghost = (place_of(final["task"], each), each["attempt"]) not in reached
            fair = ghost and each["failure"] == "worker_lost" and not each["dead"]
            bench.expect(fair, f"{final['task']} was charged: {each}")
