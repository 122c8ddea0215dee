"""A manager that ends itself by SIGKILL at one write of one operation.

Started by the bench only: `python -m benchmarks.faults.dying_manager`. The product knows nothing
of it; store and objects of a whole manager are exchanged for ones that count.

Some writes are made by a request or by the ticker, whoever is first. Which of them it is must not
be chance, or a point is listed that no journey comes to again: so the ticker waits for a request
that is under way, but a request stands still for good before a write at which the ticker is to die.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services import lifeline, logs
from services.model.messages import Finish
from services.settings import load
from task_manager.app import build
from task_manager.pipeline import Pipeline
from task_manager.serving import serve

POINT = "FANSCRIBE_BENCH_POINT"  # operation, write, its number, before or after: joined by `|`
HEARD = "FANSCRIBE_BENCH_HEARD"  # a file that gets a line for every write: operation|write
WRITES = frozenset({
    "insert_task", "move_task", "note_task", "look_later", "start_task", "purge_task",
    "write_children", "insert_items", "insert_jobs", "claim", "beat", "move_job", "note_progress",
    "set_expanded", "announce_due", "unannounce", "put_output", "put_pack", "append_event",
    "insert_event", "insert_deliveries", "claim_delivery", "move_delivery", "put", "copy",
    "delete", "delete_prefix", "put_version",
})  # fmt: skip
LOOPS = ("settle", "expand", "reap", "announce")  # the ticker's, by the names of their threads
# What the ticker writes in the place of a request that did not come to its end: of which ones.
TAKEN_OVER = {
    "settle|move_job": ("cancel", "delete"),
    "settle|delete_prefix": ("delete",),
    "expand|write_children": ("accept",),
}

_request = threading.local()


class Counted:
    """Counts the writes of each operation, and dies at the one it was told."""

    def __init__(self, point: str, heard: str) -> None:
        self._point = point
        self._heard = Path(heard).open("a", encoding="utf-8") if heard else None  # noqa: SIM115
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._step = point.rsplit("|", 2)[0]
        self.request = threading.RLock()

    def write(self, name: str, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        operation = _operation()
        if operation is None:
            return call(*args, **named)
        self._await_turn(operation, name)
        with self._lock:
            step = f"{operation}|{name}"
            self._seen[step] += 1
            place = f"{step}|{self._seen[step]}"
            if self._heard is not None:
                self._heard.write(f"{step}\n")
                self._heard.flush()
        self._die_at(f"{place}|before")
        result = call(*args, **named)
        self._die_at(f"{place}|after")
        return result

    def _await_turn(self, operation: str, name: str) -> None:
        still = TAKEN_OVER.get(self._step, ())
        if operation in still and self._step.endswith(f"|{name}"):
            threading.Event().wait()
        elif operation in {"settle", "expand"} and not still:
            with self.request:
                pass

    def _die_at(self, place: str) -> None:
        if place == self._point:
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()  # the signal comes before the next line of ours


class Watched:
    """Stands before a store or an object store."""

    def __init__(self, inner: Any, counted: Counted) -> None:
        self._inner = inner
        self._counted = counted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in WRITES:
            return found
        return lambda *args, **named: self._counted.write(name, found, *args, **named)


def _operation() -> str | None:
    """What this thread is about: a request by its name, or a loop of the ticker."""
    named: str | None = getattr(_request, "name", None)
    loop = threading.current_thread().name.removeprefix("ticker-")
    return named or (loop if loop in LOOPS else None)


def _named(pipeline: Pipeline, counted: Counted, method: str, name: Callable[..., str]) -> None:
    call = getattr(pipeline, method)

    def run(*args: Any, **named: Any) -> Any:
        with counted.request:
            _request.name = name(*args)
            try:
                return call(*args, **named)
            finally:
                _request.name = None

    setattr(pipeline, method, run)


def _finish_of(finish: Finish) -> str:
    (report,) = finish.reports
    if report.result is not None:
        return f"success of {report.result.stage}"
    return f"failure {report.failed.failure}" if report.failed is not None else "release"


def main() -> None:
    lifeline.adopt_from_environment()
    settings = load()
    logs.configure(settings.log_level, settings.log_format)
    application = build(settings)
    counted = Counted(os.environ.get(POINT, ""), os.environ.get(HEARD, ""))
    pipeline = application.pipeline
    pipeline.ports.store = Watched(pipeline.ports.store, counted)
    pipeline.ports.objects = Watched(pipeline.ports.objects, counted)
    orders = ("cancel", "retry", "add_languages", "correct", "delete")
    for method in ("accept", "claim", "progress", "beat", *orders):
        _named(pipeline, counted, method, lambda *_, method=method: method)
    _named(pipeline, counted, "finish", _finish_of)
    asyncio.run(serve(application))


if __name__ == "__main__":
    main()
