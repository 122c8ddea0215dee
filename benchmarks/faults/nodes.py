"""What an operator orders of the workers of a stack, by the API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.faults.registry import Bench

_ON_ITS_WAY_S = 2.0


def order_node(bench: Bench, worker: str, verb: str) -> None:
    """`drain` or `resume`."""
    got = bench.traffic.rest.ask("POST", f"/v1/nodes/{bench.stack.node(worker)}/{verb}")
    bench.expect(got is not None and got.is_success, f"{worker} could not {verb}")


def view(bench: Bench, worker: str) -> dict[str, Any]:
    """How the API shows the running process of this worker; empty where it does not."""
    return bench.traffic.rest.get(f"/v1/nodes/{bench.stack.node(worker)}") or {}


@contextmanager
def held_back(bench: Bench, workers: Sequence[str]) -> Iterator[None]:
    """Drained while the block runs, so that all it sends is there when they may claim."""
    for worker in workers:
        order_node(bench, worker, "drain")
    time.sleep(_ON_ITS_WAY_S * (0.1 if bench.fast else 1.0))  # what rang already comes to nothing
    yield
    for worker in workers:
        order_node(bench, worker, "resume")


def relabel(bench: Bench, worker: str, labels: Mapping[str, str | None]) -> None:
    """Gives it these labels; None takes one away."""
    node = bench.stack.node(worker)
    status = bench.traffic.rest.patch(f"/v1/nodes/{node}", {"labels": dict(labels)})
    bench.expect(status == 200, f"{worker} could not be labelled: {status}")
