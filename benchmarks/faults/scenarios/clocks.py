"""Clocks that are wrong and clocks that jump; takes libfaketime (apt install faketime)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology

_LIBRARY = next(iter(sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))), None)
_LONGEST_S = 120.0


@scenario(
    "T35",
    "one worker two hours ahead, one behind, managers whose clock jumps by an hour",
    full={"tasks": 12, "steps": ("+1h", "+0", "-1h", "+0")},
    full_stack=Topology(rhythm="real", whispers=2, translators=2),
    here=_LIBRARY is not None,
    alongside=True,
)
def wrong_clocks(bench: Bench, *, tasks: int, steps: tuple[str, ...]) -> None:
    """No lease ends early, nothing is done twice, and what the API tells makes sense."""
    with _clocks(bench) as step:
        bench.traffic.pour(bench.make.mixed(1, 5) for _ in range(tasks))
        bench.finish(120)
        for final in bench.seen("final"):
            _makes_sense(bench, final["task"])
        with bench.traffic.flow(0.5, lambda: bench.make.mixed(4, 8)):
            for offset in steps:
                time.sleep(7.0)
                step(offset)
            time.sleep(7.0)
        bench.finish(180)
        bench.expect_nobody_charged()


def _makes_sense(bench: Bench, task: str) -> None:
    """By the clock of the managers, which is right so far."""
    view = bench.traffic.rest.get(f"/v1/tasks/{task}") or {}
    names = ("created_at", "started_at", "finished_at")
    created, started, finished = (datetime.fromisoformat(view[name]) for name in names)
    bench.expect(created <= started <= finished, f"{task}: {created}, {started}, {finished}")
    seconds = (finished - created).total_seconds()
    bench.expect(seconds < _LONGEST_S, f"{task} took {seconds:.0f} s")
    for stage, timing in view["timings"].items():
        work = timing["work_seconds"]
        bench.expect(0 <= work < _LONGEST_S, f"{task}: {work:.0f} s of work in {stage}")


@contextmanager
def _clocks(bench: Bench) -> Iterator[Callable[[str], None]]:
    """All parts with clocks of their own; gives what sets the managers' clock."""
    stack = bench.stack
    file = stack.folder / "clock"

    def step(offset: str) -> None:
        changed = file.with_suffix(".new")
        changed.write_text(f"{offset}\n")
        changed.replace(file)
        stack.fault("clock", offset=offset)

    step("+0")
    stepping = {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
    workers = {
        stack.whispers[0]: "+2h",
        stack.whispers[1]: "-2h",
        stack.translators[0]: "-2h",
        stack.translators[1]: "+2h",
    }
    before = {name: dict(stack.parts[name].environment) for name in (*stack.managers, *workers)}
    for name in stack.managers:
        _start_with(bench, name, stepping)
    for name, offset in workers.items():
        _start_with(bench, name, {"FAKETIME": offset})
    try:
        yield step
    finally:
        for name, environment in before.items():
            stack.parts[name].environment.clear()
            stack.parts[name].environment.update(environment)


def _start_with(bench: Bench, name: str, clock: Mapping[str, str]) -> None:
    """Starts it anew under libfaketime; what is measured by the monotonic clock stays right."""
    bench.stack.term(name, 60)
    bench.stack.parts[name].environment.update(
        {"LD_PRELOAD": str(_LIBRARY), "DONT_FAKE_MONOTONIC": "1", **clock}
    )
    bench.stack.restart(name)
