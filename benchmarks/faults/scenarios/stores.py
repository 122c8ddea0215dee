"""The store goes wrong: locked by somebody else, its disk full, its server killed and frozen."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.small_disk import small_disks_work
from benchmarks.faults.topology import Topology

_REFUSED_S = 12.0  # a writer waits 10 s for the lock before it gives up


@scenario(
    "T18",
    "the SQLite file locked by somebody else under load",
    core=True,
    limits={"refused_after": _REFUSED_S, "next_task": 5.0},
    quick={"times": 1, "locked_s": 1.5, "rate": 2.0},
    full={"times": 3, "locked_s": 15.0, "rate": 2.0},
    full_stack=Topology(rhythm="real", slots=2),
    stores=("sqlite",),
    alongside=True,
)
def store_locked(bench: Bench, *, times: int, locked_s: float, rate: float) -> None:
    """Callers are told to come again, workers beat in vain, and nobody is charged."""
    with bench.traffic.flow(rate, lambda: bench.make.mixed(0, 3)):
        for _ in range(times):
            time.sleep(2.0)
            with _locked(bench):
                time.sleep(locked_s)
            bench.measure_next_grant("next_task", bench.ledger.now())
    bench.finish(240)
    expect_refusals(bench, 503)
    bench.expect_nobody_charged()


@contextmanager
def _locked(bench: Bench) -> Iterator[None]:
    """Another process is in the middle of a write."""
    path = bench.stack.place("store") / "store.sqlite"
    bench.stack.fault("locked")
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        yield
        store.execute("ROLLBACK")
    bench.stack.fault("unlocked")


def expect_refusals(bench: Bench, *allowed: int) -> None:
    """While something was away the API said so, soon, and called it no mistake of its own."""
    bench.expect(bench.fast or bool(bench.seen("refused")), "nobody was refused meanwhile")
    for each in bench.seen("refused"):
        bench.expect(each["status"] in allowed, f"{each['path']} answered {each['status']}")
        bench.measure("refused_after", each["seconds"])


@scenario(
    "T18f",
    "the disk of the SQLite store full under load",
    limits={"next_task": 5.0},
    full={"full_s": (12.0, 12.0, 40.0), "rate": 2.0},
    full_stack=Topology(rhythm="real", slots=2, small={"store": 24}),
    stores=("sqlite",),
    here=small_disks_work(),
    alongside=True,
)
def store_disk_full(bench: Bench, *, full_s: Sequence[float], rate: float) -> None:
    """Nothing is half written: what was acknowledged is there, and all goes on with the space,
    also what ran when the disk was full for longer than a lease lives."""
    disks = bench.stack.disks
    assert disks is not None
    place = bench.stack.place("store")
    with bench.traffic.flow(rate, lambda: bench.make.mixed(0, 3)):
        for seconds in full_s:
            time.sleep(3.0)
            bench.stack.fault("disk_full", place="store")
            disks.fill(place)
            time.sleep(seconds)
            disks.free(place)
            bench.stack.fault("disk_free", place="store")
            bench.measure_next_grant("next_task", bench.ledger.now())
    bench.finish(240)
    statuses = {each["status"] for each in bench.seen("refused")}
    bench.expect(507 in statuses, f"no 507 was seen, but {statuses}")
    bench.expect(statuses <= {503, 507}, f"the API answered {statuses}")
    bench.expect_nobody_charged()


@scenario(
    "T18w",
    "the MongoDB wire server killed, restarted and frozen under load",
    core=True,
    limits={"next_task": 10.0},
    quick={"kills": 2, "down_s": 0.5, "frozen_s": 1.0, "rate": 2.0},
    full={"kills": 30, "down_s": 1.0, "frozen_s": 60.0, "rate": 2.0},
    full_stack=Topology(rhythm="real", slots=2),
    stores=("wire",),
)
def server_killed(bench: Bench, *, kills: int, down_s: float, frozen_s: float, rate: float) -> None:
    """Whatever it was doing: what it acknowledged is there, and what it did not is done again."""
    with bench.traffic.flow(rate, lambda: bench.make.mixed(0, 3)):
        for _ in range(kills):
            time.sleep(bench.rng.uniform(0.5, 2.5))
            bench.stack.kill("mongo")
            time.sleep(down_s)
            bench.stack.restart("mongo")
            bench.measure_next_grant("next_task", bench.ledger.now())
        bench.stack.freeze("mongo")
        time.sleep(frozen_s)
        bench.stack.thaw("mongo")
        bench.measure_next_grant("next_task", bench.ledger.now())
    bench.finish(300)
    expect_refusals(bench, 503)
    bench.expect_nobody_charged()
