"""Follows a task through its log: looks at the store now and then, and holds no thread between."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from services.model.task import Task, TaskEvent, TaskState
from task_manager.store.protocol import Store, StoreUnavailable

_PAGE = 200  # events a look
_ENDS = frozenset(state for state in TaskState if state.ended)
_SHARE = 0.1  # of the time that it has waited so far, a pause adds this much


@dataclass(frozen=True, slots=True)
class Look:
    """The task as it stood right before its new events were read; None if there is none. `told`:
    it is over, and there is nothing to tell after these."""

    task: Task | None
    events: Sequence[TaskEvent]
    told: bool

    @property
    def over(self) -> bool:
        """Whether nothing more is worked on; the last events may still be on their way."""
        return is_over(self.task)


def is_over(task: Task | None) -> bool:
    return task is None or task.state.ended or task.deleted_at is not None


def is_told(store: Store, task: Task) -> bool:
    """Whether the last event is the end itself: a task's state is written a moment before the
    event that tells of it."""
    last = store.events(task.id, after=max(0, store.last_event(task.id) - 1), limit=1)
    return any(each.kind == "state" and each.data["state"] in _ENDS for each in last)


async def looks(
    store: Store,
    task_id: str,
    stopping: threading.Event,
    *,
    after: int = 0,
    quickest_s: float = 0.3,
    slowest_s: float = 0.3,
    waits_for_store: bool = False,
) -> AsyncIterator[Look]:
    """One look after the other, until the manager stops; after one that brought nothing, a pause.
    The longer it has waited, the longer the pause: short work is noticed soon, and long work does
    not keep the store busy. Raises StoreUnavailable, unless it `waits_for_store`."""
    began = time.monotonic()
    while not stopping.is_set():
        try:
            look = await run_in_threadpool(_look, store, task_id, after)
        except StoreUnavailable:
            if not waits_for_store:
                raise
            await asyncio.sleep(slowest_s)
            continue
        yield look
        if look.events:
            after = look.events[-1].number
        else:
            pause = (time.monotonic() - began) * _SHARE
            await asyncio.sleep(min(slowest_s, max(quickest_s, pause)))


def _look(store: Store, task_id: str, after: int) -> Look:
    task = store.task(task_id)
    events = store.events(task_id, after=after, limit=_PAGE)
    is_last = not events and is_over(task)
    return Look(task, events, told=is_last and (task is None or is_told(store, task)))
