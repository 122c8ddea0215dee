"""What a scrape reads of the store and the machine, and how long requests take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.machine import free_disk_bytes, free_memory_bytes
from services.metrics import ManagerMetrics, Reading
from services.model.node import Node, NodeState
from task_manager.callers import administrator
from task_manager.fresh import Fresh
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import QueueDepth, StoreUnavailable

_KEYS = 100  # the newest, whose owners are counted one by one


class Gauges:
    """The gauges of a manager; every manager of one store shows the same depths and nodes."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._of_the_store = Fresh(self._look)

    def __call__(self) -> list[Reading]:
        """A store that is away costs its gauges, never the answer."""
        try:
            stored = self._of_the_store()
        except StoreUnavailable:
            self._ports.meter.store_failed()
            stored = None
        up = _one("fanscribe_store_up", "1 while the store answers.", float(stored is not None))
        return [*(stored or []), up, *self._of_the_machine()]

    def _look(self) -> list[Reading]:
        store, settings = self._ports.store, self._ports.settings
        now = store.now()
        nodes = store.nodes()
        there = [node for node in nodes if node.live]
        owners = dict.fromkeys([administrator(settings).owner])
        owners |= dict.fromkeys(key.owner for key in store.keys(limit=_KEYS))
        most = settings.max_open_tasks
        return [
            *_queues(store.queue_depths(now), there, now),
            *_nodes(Counter(node.state(now) for node in nodes), there),
            Reading(
                "fanscribe_open_tasks",
                "Tasks that have not ended, by owner.",
                ("owner",),
                [((owner,), store.count_open_tasks(owner, most)) for owner in owners],
            ),
        ]

    def _of_the_machine(self) -> list[Reading]:
        folder = self._ports.settings.data_dir
        ages = self._ports.pulse.ages()
        return [
            _one(
                "fanscribe_free_disk_bytes", "On the data folder's disk.", free_disk_bytes(folder)
            ),
            _one(
                "fanscribe_free_memory_bytes",
                "Of the manager's machine or container.",
                free_memory_bytes(),
            ),
            Reading(
                "fanscribe_ticker_look_age_seconds",
                "Seconds since each loop of the ticker began its last look.",
                ("loop",),
                [((loop,), age) for loop, age in ages.items()],
            ),
        ]


def _one(name: str, about: str, value: float) -> Reading:
    return Reading(name, about, (), [((), value)])


def _queues(depths: Sequence[QueueDepth], there: Sequence[Node], now: float) -> Iterable[Reading]:
    known = {queue: QueueDepth(queue, 0, 0, 0, None) for node in there for queue in node.queues}
    known |= {depth.queue: depth for depth in depths}
    shown = sorted(known.values(), key=lambda depth: depth.queue)

    def by_queue(name: str, about: str, values: Iterable[float]) -> Reading:
        rows = [((d.queue,), value) for d, value in zip(shown, values, strict=True)]
        return Reading(f"fanscribe_queue_{name}", about, ("queue",), rows)

    return (
        by_queue("waiting", "Jobs that wait, due or not.", (d.waiting for d in shown)),
        by_queue("due", "Waiting jobs that may run now.", (d.due for d in shown)),
        by_queue("running", "Jobs that run.", (d.running for d in shown)),
        by_queue("load", "Waiting + running: scale by it.", (d.waiting + d.running for d in shown)),
        by_queue(
            "oldest_due_seconds",
            "For how long the oldest due job has waited; 0 where none is due.",
            (0.0 if d.oldest_due is None else max(0.0, now - d.oldest_due) for d in shown),
        ),
        by_queue(
            "nodes",
            "Nodes that serve it and may be given work.",
            (sum(d.queue in n.listens and n.may_work for n in there) for d in shown),
        ),
    )


def _nodes(states: Counter[NodeState], there: Sequence[Node]) -> Iterable[Reading]:
    kinds = sorted({node.kind for node in there})
    factors = [
        ((node.id, queue), factor) for node in there for queue, factor in node.factors.items()
    ]

    def by_kind(name: str, about: str, values: Iterable[float]) -> Reading:
        rows = [((kind,), value) for kind, value in zip(kinds, values, strict=True)]
        return Reading(f"fanscribe_{name}", about, ("kind",), rows)

    return (
        Reading(
            "fanscribe_nodes",
            "Nodes by state.",
            ("state",),
            [((state,), states[state]) for state in NodeState],
        ),
        by_kind(
            "slots",
            "Jobs that the nodes which are there run at once.",
            (sum(n.slots for n in there if n.kind == kind) for kind in kinds),
        ),
        by_kind(
            "free_slots",
            "Slots that could take a job now.",
            (sum(n.free for n in there if n.kind == k) for k in kinds),
        ),
        Reading(
            "fanscribe_seconds_per_audio_second",
            "Real-time factor of a node in a queue, as lately measured; below 1 is faster.",
            ("node", "queue"),
            factors,
        ),
    )


class Timed:
    """Times every request until its answer begins, by route template; streams may last."""

    def __init__(self, app: ASGIApp, meter: ManagerMetrics) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        told = False

        def tell(status: int) -> None:
            nonlocal told
            if not told:
                told = True
                route = getattr(scope.get("route"), "path", "none")
                seconds = time.perf_counter() - began
                self._meter.answered(_method(scope["method"]), route, status, seconds)

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, heard)
        except BaseException:
            tell(500)
            raise


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _method(name: str) -> str:
    """A caller may invent methods; each would be a line for ever."""
    return name if name in _METHODS else "other"
