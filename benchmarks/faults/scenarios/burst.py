"""Ten thousand tasks at once: all taken in a minute, none lost, and no memory kept for them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

from benchmarks.faults.latency import p95
from benchmarks.faults.orders import Order
from benchmarks.faults.process import usage
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology

T = TypeVar("T")
_CLIENTS = 8
_PAGE = 200
_WARM = 3_000


@scenario(
    "T20",
    "a burst of ten thousand tasks",
    limits={"accepted": 60.0, "post_p95": 0.2, "manager_rss": 1.10},
    full={"tasks": 10_000, "rate": 50, "steady_s": 20},
    full_stack=Topology(rhythm="real", whispers=1, slots=2),
    alone=True,
)
def burst(bench: Bench, *, tasks: int, rate: int, steady_s: int) -> None:
    """`manager_rss` is the memory of the managers afterwards compared with that after a first,
    smaller burst, by which the allocator's own pools have grown; the steady rate is measured by
    itself, on a stack that is idle."""
    _send(bench, _texts(bench, _WARM))
    _drain(bench)
    before = _memory(bench)
    took = _send(bench, _texts(bench, rate * steady_s), every_s=1 / rate)
    bench.measure("post_p95", p95(took), f"at {rate} a second")
    _drain(bench)
    orders = _texts(bench, tasks)
    began = time.monotonic()
    _send(bench, orders)
    bench.measure("accepted", time.monotonic() - began, f"{tasks} tasks by {_CLIENTS} clients")
    _drain(bench)
    bench.measure("drained", time.monotonic() - began)
    bench.measure("manager_rss", _memory(bench) / before, f"of {before:.0f} MB, no seconds")
    _collect(bench)


def _texts(bench: Bench, count: int) -> list[Order]:
    return [bench.make.text(targets=1, sentences=1) for _ in range(count)]


def _memory(bench: Bench) -> float:
    """Of all managers (MB)."""
    return sum(usage(bench.stack.parts[name].pid)[0] for name in bench.stack.managers) / 1024


# ── sending ──────────────────────────────────────────────────────────────────────────────────


class _Client:
    """Straight to one manager, on one connection; the bench's own costs are in the way here."""

    def __init__(self, bench: Bench, number: int) -> None:
        managers = bench.stack.managers
        address = urlsplit(bench.stack.url_of(managers[number % len(managers)]))
        self._connection = http.client.HTTPConnection(address.netloc, timeout=60)
        self._ledger = bench.ledger

    def send(self, order: Order) -> tuple[str | None, float]:
        """The task, and the seconds to its answer."""
        body = json.dumps(order.body).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": order.name}
        self._ledger.write("sent", order=order.name, allowed=order.allowed, expected=order.expected)
        began = time.monotonic()
        status, answer = self.ask("POST", "/v1/tasks", body, headers)
        seconds = round(time.monotonic() - began, 4)
        if status != 202:
            why = f"HTTP {status}: {answer[:200]!r}"
            self._ledger.write("unanswered", order=order.name, why=why, tries=1)
            return None, seconds
        task = str(json.loads(answer)["id"])
        self._ledger.write("acked", order=order.name, task=task, seconds=seconds, tries=1)
        return task, seconds

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body, headers or {})
        got = self._connection.getresponse()
        return got.status, got.read()

    def close(self) -> None:
        self._connection.close()


def _send(bench: Bench, orders: Sequence[Order], *, every_s: float = 0.0) -> list[float]:
    """Several clients send all of them, at a steady rate or as fast as they can; the seconds to
    each answer."""
    began = time.monotonic()
    taken: list[float] = []
    lock = threading.Lock()

    def work(client: _Client, mine: Iterable[tuple[int, Order]]) -> None:
        for number, order in mine:
            time.sleep(max(0.0, began + number * every_s - time.monotonic()))
            task, seconds = client.send(order)
            with lock:
                taken.append(seconds)
                if task is not None:
                    bench.traffic.tasks.append(task)

    _by_clients(bench, list(enumerate(orders)), work)
    return taken


def _by_clients(
    bench: Bench, things: Sequence[T], work: Callable[[_Client, Sequence[T]], None]
) -> None:
    """Each client does its share, in a thread of its own."""
    clients = [_Client(bench, number) for number in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as pool:
        shares = [pool.submit(work, c, things[n::_CLIENTS]) for n, c in enumerate(clients)]
        for share in shares:
            share.result()
    for client in clients:
        client.close()


# ── looking ──────────────────────────────────────────────────────────────────────────────────


def _drain(bench: Bench, patience_s: float = 400.0) -> None:
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        page = bench.traffic.rest.get("/v1/tasks", state=["queued", "running"], limit=1)
        if page is not None and not page["tasks"]:
            return
        time.sleep(1.0)
    bench.expect(False, f"not drained after {patience_s:.0f} s")


def _collect(bench: Bench) -> None:
    """The last answer of each: state and cells by the list, which is cheaper, and its pack."""
    ended: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
        page = bench.traffic.rest.get("/v1/tasks", **query)
        ended |= {each["id"]: each for each in page["tasks"]}
        cursor = page["next"]
        if cursor is None:
            break

    def work(client: _Client, mine: Sequence[str]) -> None:
        for task in mine:
            _, pack = client.ask("GET", f"/v1/tasks/{task}/result?form=expanded")
            view = ended.get(task, {"state": "gone", "counts": {"cells_done": 0}})
            bench.ledger.write(
                "final",
                task=task,
                state=view["state"],
                pack=json.loads(pack),
                cells={"done": view["counts"]["cells_done"]},
                counts=view["counts"],
                attempts=[],
            )

    _by_clients(bench, bench.traffic.tasks, work)
