"""Managers that die at every write."""

from __future__ import annotations

from benchmarks.faults import crash_points
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology


@scenario(
    "MC",
    "a manager killed at every write of every operation",
    full={"share": 1.0},
    full_stack=Topology(managers=1, whispers=1),  # not used: the managers that die have their own
    alongside=True,
    minutes=11,
    stores=("sqlite",),
)
def killed_at_every_write(bench: Bench, *, share: float) -> None:
    """What each journey must end with is judged by the crash points themselves; one that was
    never met is a finding too."""
    visited: list[str] = []
    seed = bench.rng.randrange(10**6)
    for finding in crash_points.run(seed, visited.append, share=share):
        bench.expect(False, finding)
    bench.stack.fault("killed_at_writes", points=max(0, len(visited) - 1), told=visited[-1:])
    bench.expect(len(visited) > 1, "no crash point was visited")
