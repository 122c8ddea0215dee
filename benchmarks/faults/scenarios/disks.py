"""Disks run full: the broker's, and that of the objects."""

from __future__ import annotations

import time
from pathlib import Path

import redis

from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.small_disk import SmallDisks, small_disks_work
from benchmarks.faults.topology import Topology
from services.outbound import open_client

_LONG_TEXT = 600  # sentences, in batches of 32: its translation is too long to go inline
_EVERYTHING = ("--appendonly", "yes", "--appendfsync", "everysec")


@scenario(
    "T17",
    "redis with a full disk, then an empty redis",
    limits={"next_task": 15.0, "announced_again": 65.0},
    full={"full_s": 30.0, "rate": 2.0, "wiped": 6},
    full_stack=Topology(rhythm="real", redis_options=_EVERYTHING, small={"redis": 3}),
    brokers=("redis",),
    here=small_disks_work(),
    alongside=True,
)
def redis_disk_full(bench: Bench, *, full_s: float, rate: float, wiped: int) -> None:
    """It refuses every write; the API takes tasks all the same, and all run with the space."""
    disks, place = _disks(bench), bench.stack.place("redis")
    with bench.traffic.flow(rate, lambda: bench.make.text(targets=1)):
        time.sleep(2.0)
        bench.stack.fault("disk_full", place="redis")
        disks.fill(place)
        wait_for("MISCONF", lambda: _refuses(bench), 30)
        time.sleep(full_s)
        bench.expect(_refuses(bench), "redis took writes with a full disk")
        disks.free(place)
        bench.measure_next_grant("next_task", bench.stack.fault("disk_free", place="redis"))
    bench.traffic.wait(180)
    refused = [each["status"] for each in bench.seen("refused")]
    bench.expect(not refused, f"the API answered {refused}")
    _start_empty(bench, disks.path(place), wiped)
    bench.finish(120)
    bench.expect_nobody_charged()


def _disks(bench: Bench) -> SmallDisks:
    assert bench.stack.disks is not None
    return bench.stack.disks


def _refuses(bench: Bench) -> bool:
    with bench.stack.broker.redis() as client:
        try:
            client.set("bench", "1")
        except redis.exceptions.ResponseError as error:
            return "MISCONF" in str(error)
    return False


def _start_empty(bench: Bench, home: Path, count: int) -> None:
    """What was announced is gone with the redis; it comes back without anything of it."""
    bench.stack.kill("redis")
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    tasks = set(bench.traffic.pour(bench.make.mixed(0, 1) for _ in range(count)))
    bench.stack.restart("redis")
    at = bench.ledger.now()
    bench.traffic.wait(120, settled=lambda: not tasks & bench.traffic.open())
    bench.measure_first_grants("announced_again", tasks, at)


@scenario(
    "T18o",
    "the disk of the objects full: uploads refused, results kept until it is not",
    limits={"stored": 35.0},
    full={"full_s": 20.0, "clips": 3},
    full_stack=Topology(rhythm="real", small={"objects": 24}),
    here=small_disks_work(),
    alongside=True,
)
def objects_full(bench: Bench, *, full_s: float, clips: int) -> None:
    """A worker tries again in place to store what it has made, and nothing is made twice."""
    disks, place = _disks(bench), bench.stack.place("objects")
    long = bench.make.text(say=1, targets=1, sentences=_LONG_TEXT)
    tasks = {bench.traffic.submit(long)}
    wait_for("the long text to be worked on", lambda: bench.seen("granted"), 60)
    bench.stack.fault("disk_full", place="objects")
    disks.fill(place)
    tasks |= set(bench.traffic.pour(bench.make.clip(targets=1) for _ in range(clips)))
    bench.expect(_upload(bench) == 507, "an upload was not answered with 507")
    time.sleep(full_s)
    bench.expect(not _ended(bench), "a task ended although its result had no place")
    disks.free(place)
    at = bench.stack.fault("disk_free", place="objects")
    bench.finish(120)
    for t in _ended(bench):
        bench.measure("stored", t - at)
    granted = [each["job"] for each in bench.seen("granted")]
    bench.expect(len(granted) == len(set(granted)), "something was made twice")
    bench.expect_nobody_charged()


def _upload(bench: Bench) -> int:
    with open_client(bench.stack.url, read_s=10.0) as client:
        sent = client.post(
            "/v1/uploads?name=late.wav",
            content=b"\1" * 100_000,
            headers={"Content-Type": "application/octet-stream"},
        )
    return int(sent.status_code)


def _ended(bench: Bench) -> list[float]:
    bench.traffic.open()
    return [each.t for each in bench.seen("terminal")]
