"""What Prometheus is told: counters of this process, and readings that are taken when it asks.

Every registry is our own, so that two of them may live in one process. Counting never raises:
no work may fail because it was counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from services.model.errors import FailureClass

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)  # §12: 20 ms and 200 ms count

disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Reading:
    """One gauge as it stands just now; a row has the label values and the value."""

    name: str
    about: str
    labels: tuple[str, ...] = ()
    rows: Sequence[tuple[tuple[str, ...], float]] = ()


@dataclass(frozen=True, slots=True)
class _Readings:
    """Hands the registry what `read` says at each scrape."""

    read: Callable[[], Iterable[Reading]]

    def describe(self) -> list[Metric]:
        """Nothing: registering must not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        for reading in self.read():
            family = GaugeMetricFamily(reading.name, reading.about, labels=reading.labels)
            for values, value in reading.rows:
                family.add_metric(values, value)
            yield family


def exposition(registry: CollectorRegistry) -> tuple[str, bytes]:
    """Content type and body of an answer to a scrape."""
    return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)


class ManagerMetrics:
    """What a manager counts. Each counter starts at 0 with the process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._attempts = self._counter(
            "attempts",
            "Attempts that ended, by stage, outcome and failure class.",
            "stage",
            "outcome",
            "class",
        )
        self._losses = self._counter("losses", "Jobs taken back from a silent or broken worker.")
        self._dead = self._counter("dead", "Jobs that died, by failure class.", "class")
        self._beats = self._counter("beats", "Signs of life of leases.")
        for failure in FailureClass:  # there from the start, or a rate would miss the first one
            self._dead.labels(failure)
        self._claims = self._counter("claims", "Claims: granted, empty, or barred node.", "outcome")
        self._callbacks = self._counter(
            "callbacks_refused", "Words of workers that did not count, by status.", "status"
        )
        self._announcements = self._counter("announcements", "Messages that the broker took.")
        self._broker = self._counter("broker_errors", "Messages that the broker did not take.")
        self._store = self._counter("store_errors", "Requests and looks that the store failed.")
        self._refused = self._counter(
            "refused", "Requests turned away for want of room, by code.", "code"
        )
        self._deliveries = self._counter(
            "deliveries", "Tries to deliver a webhook: delivered, failed, or dead.", "outcome"
        )
        self._recalled = self._counter(
            "sentences_recalled",
            "Sentences that were asked for: known, or to translate.",
            "outcome",
        )
        self._looked_back = self._counter(
            "parts_looked_back",
            "Parts that were looked for in earlier transcripts: known, or to be heard.",
            "outcome",
        )
        self._hot = self._counter(
            "hot_cache", "Looks into the hot cache: hit, miss, or failed.", "outcome"
        )
        self._ticks = self._counter("tick_failures", "Looks of the ticker that failed.", "loop")
        self._requests = Histogram(
            "fanscribe_http_request_seconds",
            "Seconds until an answer begins, by route template.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"fanscribe_{name}", about, labels, registry=self.registry)

    def read_with(self, read: Callable[[], Iterable[Reading]]) -> None:
        """Adds gauges that are read at each scrape."""
        self.registry.register(_Readings(read))

    def attempt(self, stage: str, outcome: str, failure: str = "") -> None:
        """`outcome`: succeeded, failed, lost or released; `failure` is the class, if any."""
        self._attempts.labels(stage, outcome, failure).inc()

    def lost(self) -> None:
        self._losses.inc()

    def died(self, failure: str) -> None:
        self._dead.labels(failure).inc()

    def beat(self) -> None:
        self._beats.inc()

    def claimed(self, outcome: str) -> None:
        self._claims.labels(outcome).inc()

    def callback_refused(self, status: int) -> None:
        self._callbacks.labels(str(status)).inc()

    def announced(self) -> None:
        self._announcements.inc()

    def broker_failed(self) -> None:
        self._broker.inc()

    def store_failed(self) -> None:
        self._store.inc()

    def refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def delivered(self, outcome: str) -> None:
        """`outcome`: delivered; failed, and tried again; dead, which is given up."""
        self._deliveries.labels(outcome).inc()

    def recalled(self, known: int, asked: int) -> None:
        """Of the sentences that a worker asked for."""
        self._recalled.labels("known").inc(known)
        self._recalled.labels("unknown").inc(asked - known)

    def looked_back(self, *, known: bool) -> None:
        """For what was heard earlier in a part of a recording."""
        self._looked_back.labels("known" if known else "unknown").inc()

    def looked_at_hand(self, outcome: str) -> None:
        """`outcome`: hit; miss; failed, which is a miss as well."""
        self._hot.labels(outcome).inc()

    def tick_failed(self, loop: str) -> None:
        self._ticks.labels(loop).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is a template such as /v1/tasks/{task_id}, never a path: paths have no end."""
        self._requests.labels(method, route, str(status)).observe(seconds)


class WorkerMetrics:
    """What a worker's parent process knows of itself and its children."""

    def __init__(self, *, node: str, kind: str, version: str, slots: int) -> None:
        self.registry = CollectorRegistry()
        about = self._gauge("worker", "Which worker this is; always 1.", "node", "kind", "version")
        about.labels(node, kind, version).set(1)
        self._gauge("worker_slots", "Jobs that it runs at once.").set(slots)
        self._children = self._gauge("worker_children", "Processes that can work.")
        self._running = self._gauge("worker_running", "Jobs under way.")
        self._free = self._gauge("worker_free_memory_bytes", "Memory that models may still take.")
        self._waiting = self._gauge("worker_spooled", "Finished reports that the manager has not.")
        self._draining = self._gauge("worker_draining", "1 while it takes nothing new.")
        for gauge in (self._children, self._free):
            gauge.set(math.nan)  # until it is known; 0 would be an alarm
        self._beats = Counter(
            "fanscribe_worker_beats",
            "Words of the node to the manager: answered, refused or unreachable.",
            ("outcome",),
            registry=self.registry,
        )

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"fanscribe_{name}", about, labels, registry=self.registry)

    def read_with(self, read: Callable[[], Iterable[Reading]]) -> None:
        """Adds gauges that are read at each scrape."""
        self.registry.register(_Readings(read))

    def stands(
        self,
        *,
        running: int,
        children: int | None = None,
        free_mb: int | None = None,
        spooled: int | None = None,
        draining: bool | None = None,
    ) -> None:
        """How the node is; what is None stays as it was."""
        self._running.set(running)
        for gauge, value in (
            (self._children, children),
            (self._free, None if free_mb is None else free_mb * 1024 * 1024),
            (self._waiting, spooled),
            (self._draining, draining),
        ):
            if value is not None:
                gauge.set(value)

    def beat(self, outcome: str) -> None:
        """`outcome`: answered, refused or unreachable."""
        self._beats.labels(outcome).inc()
