"""Follows a task through its log: looks at the store now and then, and holds no thread between."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from services.model.task import Task, TaskEvent
from task_manager.store.protocol import Store

_PAGE = 200  # events a look
_SHARE = 0.1  # of the time that it has waited so far, a pause adds this much


@dataclass(frozen=True, slots=True)
class Look:
    """The task as it stood right before its new events were read; None if there is none."""

    task: Task | None
    events: Sequence[TaskEvent]

    @property
    def over(self) -> bool:
        """Whether nothing more is worked on; the last events may still be on their way."""
        return is_over(self.task)


def is_over(task: Task | None) -> bool:
    return task is None or task.state.ended or task.deleted_at is not None


async def looks(
    store: Store,
    task_id: str,
    stopping: threading.Event,
    *,
    after: int = 0,
    quickest_s: float = 0.3,
    slowest_s: float = 0.3,
) -> AsyncIterator[Look]:
    """One look after the other, until the manager stops; after one that brought nothing, a pause.
    The longer it has waited, the longer the pause: short work is noticed soon, and long work does
    not keep the store busy."""
    began = time.monotonic()
    while not stopping.is_set():
        look = await run_in_threadpool(_look, store, task_id, after)
        yield look
        if look.events:
            after = look.events[-1].number
        else:
            pause = (time.monotonic() - began) * _SHARE
            await asyncio.sleep(min(slowest_s, max(quickest_s, pause)))


def _look(store: Store, task_id: str, after: int) -> Look:
    task = store.task(task_id)
    return Look(task, store.events(task_id, after=after, limit=_PAGE))
