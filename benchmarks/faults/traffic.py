"""Load on a stack: orders sent while faults happen, waited for, and their answers collected."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faults.client import ENDED, PATIENCE_S, Rest
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.orders import Clip, Maker, Order, record
from benchmarks.faults.process import TookTooLong
from benchmarks.faults.stack import Stack

_CLIPS = 3
_LOOK_EVERY_S = 0.25
_PAGE = 200


def clip_files(stack: Stack) -> list[Path]:
    """The recordings that are sent to a stack, made at the first call."""
    folder = stack.folder / "clips"
    return sorted(folder.glob("*.wav")) or record(folder, _CLIPS)


class Traffic:
    """Sends to one stack. `make` makes the orders; `tasks` are all acknowledged since `begin`."""

    def __init__(self, stack: Stack, make: Maker) -> None:
        self.stack = stack
        self.make = make
        self.rest = Rest(stack.url, stack.ledger)
        self.tasks: list[str] = []
        self._ended: set[str] = set()
        self._lock = threading.Lock()

    @property
    def ledger(self) -> Ledger:
        return self.stack.ledger

    def close(self) -> None:
        self.rest.close()

    def begin(self) -> None:
        """Forgets the tasks of the scenario before."""
        self.tasks = []
        self._ended = set()

    def rehearse(self) -> None:
        """Uploads the clips and learns, without any fault, what is heard in them."""
        keys = [self.rest.upload(path) for path in clip_files(self.stack)]
        items = [
            {"text_id": str(number), "audio": key, "language": "en"}
            for number, key in enumerate(keys)
        ]
        order = Order("rehearsal", {"items": items, "targets": ["zh"]}, {})
        task = self.submit(order)
        self.wait(90)
        heard = [self._heard(task, str(number)) for number in range(len(keys))]
        self.make.clips = [Clip(key, said) for key, said in zip(keys, heard, strict=True)]
        self.begin()

    def _heard(self, task: str, text_id: str) -> tuple[str, ...]:
        got = self.rest.get(f"/v1/tasks/{task}/items/{text_id}/transcript")
        return tuple(segment["text"] for segment in got["segments"])

    # ── sending ──────────────────────────────────────────────────────────────────────────────

    def submit(self, order: Order) -> str:
        """The id of the task. Raises TookTooLong when nobody acknowledges it."""
        task = self.rest.submit(order)
        if task is None:
            raise TookTooLong(f"nobody acknowledged {order.name}: see the ledger")
        self.tasks.append(task)
        return task

    def pour(self, orders: Iterable[Order]) -> list[str]:
        """Sends all, one after the other."""
        return [self.submit(order) for order in orders]

    @contextmanager
    def flow(self, rate: float, make: Callable[[], Order]) -> Iterator[None]:
        """Sends `rate` orders a second from a thread of its own, for as long as the block runs;
        what nobody acknowledges is in the ledger, and is no error here."""
        stop = threading.Event()

        def send() -> None:
            due = time.monotonic()
            while not stop.is_set():
                task = self.rest.submit(make())
                if task is not None:
                    self.tasks.append(task)
                due = max(due + 1 / rate, time.monotonic() - 1)
                stop.wait(max(0.0, due - time.monotonic()))

        thread = threading.Thread(target=send, name="flow")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    # ── waiting ──────────────────────────────────────────────────────────────────────────────

    def open(self) -> set[str]:
        """The tasks that were not seen to have ended, looked at now; an end goes into the
        ledger."""
        left = set(self.tasks) - self._ended
        for task, state in self._states(left).items():
            if state not in ENDED:
                continue
            with self._lock:  # several threads may look; the first to see an end writes it down
                new = task not in self._ended
                self._ended.add(task)
            if new:
                self.ledger.write("terminal", task=task, state=state)
        return left - self._ended

    def wait(self, patience_s: float, *, settled: Callable[[], bool] | None = None) -> bool:
        """Until all have ended (or `settled` says so); False if not in time, which the checker
        then finds."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if not self.open() or (settled is not None and settled()):
                return True
            time.sleep(_LOOK_EVERY_S)
        return False

    def ended(self, task: str) -> bool:
        self.open()
        return task in self._ended

    def again(self, task: str) -> bool:
        """Retries a task that ended with dead jobs; whether it was taken."""
        taken = self.rest.order(task, "retry") < 300
        if taken:
            self._ended.discard(task)
        return taken

    def _states(self, wanted: set[str]) -> dict[str, str]:
        if len(wanted) <= 3:
            views = ((task, self.rest.get(f"/v1/tasks/{task}", 5)) for task in wanted)
            return {task: view["state"] for task, view in views if view}
        states: dict[str, str] = {}
        cursor: str | None = None
        while wanted - states.keys():
            query = {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
            page = self.rest.get("/v1/tasks", 5, **query)
            if page is None:
                break
            found = {each["id"]: each["state"] for each in page["tasks"]}
            states |= {task: state for task, state in found.items() if task in wanted}
            cursor = page["next"]
            if cursor is None:
                break
        return states

    # ── collecting ───────────────────────────────────────────────────────────────────────────

    def collect(self) -> None:
        """Writes the last answer of every task into the ledger, for the checker."""
        for task in self.tasks:
            self.ledger.write("final", task=task, **self.final(task))

    def final(self, task: str) -> dict[str, Any]:
        """Its last answer, as the ledger's `final` has it."""
        got = self.rest.ask("GET", f"/v1/tasks/{task}", patience_s=PATIENCE_S)
        if got is None or not got.is_success:
            status = 0 if got is None else got.status_code
            return {"state": "gone" if status in {404, 410} else "unreadable", "status": status}
        view = got.json()
        return {
            "state": view["state"],
            "pack": self.rest.get(f"/v1/tasks/{task}/result", 10, form="expanded"),
            "cells": self._cells(task),
            "counts": view["counts"],
            "attempts": view["attempts"],
        }

    def _cells(self, task: str) -> dict[str, int]:
        page = self.rest.get(f"/v1/tasks/{task}/items", 10)
        return Counter(
            cell["state"]
            for item in (page or {"items": []})["items"]
            for sources in item["cells"].values()
            for cell in sources.values()
        )
