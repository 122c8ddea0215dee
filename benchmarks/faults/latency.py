"""How long healthy tasks take while something else goes wrong, by the times that the API tells."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from math import inf
from statistics import quantiles
from typing import Any

from benchmarks.faults.orders import Order
from benchmarks.faults.registry import Bench


def steadily(
    bench: Bench, orders: Iterable[Order], every_s: float, patience_s: float = 120.0
) -> dict[str, float]:
    """Sends one order every `every_s` seconds and waits for all; the seconds that each took."""
    tasks: list[str] = []
    due = time.monotonic()
    for order in orders:
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due, time.monotonic() - every_s) + every_s
        tasks.append(bench.traffic.submit(order))
    wait_for_these(bench, tasks, patience_s)
    return took(bench, tasks)


def wait_for_these(bench: Bench, tasks: Collection[str], patience_s: float) -> None:
    """Until these have ended, whatever else is open."""
    wanted = set(tasks)
    bench.traffic.wait(
        bench.patience(patience_s), settled=lambda: not wanted & bench.traffic.open()
    )


def took(bench: Bench, tasks: Iterable[str]) -> dict[str, float]:
    """Seconds from the acceptance to the end of each task; endless where it has not ended."""
    return {task: _seconds(bench.traffic.rest.get(f"/v1/tasks/{task}")) for task in tasks}


def p95(seconds: Iterable[float] | Mapping[str, float]) -> float:
    values = list(seconds.values() if isinstance(seconds, Mapping) else seconds)
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else inf


def _seconds(view: Mapping[str, Any] | None) -> float:
    if view is None or not view["finished_at"]:
        return inf
    began, ended = (datetime.fromisoformat(view[name]) for name in ("created_at", "finished_at"))
    return (ended - began).total_seconds()
