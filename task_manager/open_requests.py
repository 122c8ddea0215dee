"""A caller who waits on an open request for their task; when the last has gone, it goes too."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from services.model.errors import (
    Conflict,
    FailureClass,
    Gone,
    Invalid,
    RequestRefused,
    Unavailable,
    WorkFailed,
)
from services.model.task import Task, TaskState
from task_manager.following import Look, looks
from task_manager.pipeline import Pipeline, attendance
from task_manager.store.protocol import Store

RETURN_S = 10.0  # for the next try of a client that retries; the OpenAI SDK waits 8 s at most
_RETRIES = ("idempotency-key", "x-stainless-retry-count")  # headers of clients that try again


class OpenRequest:
    """One request and the task that it waits for. `came_at` is when it began, by the monotonic
    clock: one that comes again needs as long to send its file again."""

    def __init__(self, pipeline: Pipeline, request: Request, task: Task, came_at: float) -> None:
        self._ports = pipeline.ports
        self._request = request
        self._task = task
        self._stopping: threading.Event = request.app.state.stopping
        retries = any(name in request.headers for name in _RETRIES)
        self.answered = False  # a stream that ends before was left by its reader
        self._may_return_s = RETURN_S + 2 * (time.monotonic() - came_at) if retries else 0.0

    async def looks(self, *, slowest_s: float) -> AsyncIterator[Look]:
        """Every look at the task until it is over. Raises Unavailable when the manager stops: the
        task goes on, and the same request finds it again."""
        store = self._ports.store
        async for look in looks(
            store, self._task.id, self._stopping, quickest_s=0.05, slowest_s=slowest_s
        ):
            yield look
            if look.over:
                return
        raise Unavailable("The server is about to stop: send the request again.", code="stopping")

    async def wait(self) -> Task:
        """The task when it has succeeded.

        Raises ClientDisconnect when the caller has gone, and what `ended_well` raises.
        """
        async for look in self.looks(slowest_s=1.0):
            if look.over:
                return await run_in_threadpool(ended_well, self._ports.store, look.task)
            if await self._request.is_disconnected():
                await self.leave()
                raise ClientDisconnect
        raise AssertionError("the looks end with the task")

    async def leave_unless_answered(self) -> None:
        """After a stream."""
        if not self.answered:
            await self.leave()

    async def leave(self) -> None:
        """The task is cancelled, unless it has ended, others wait for it, or this caller comes
        back in time."""
        if self._stopping.is_set():
            return
        number = await run_in_threadpool(attendance.leave, self._ports, self._task)
        if await self._is_settled(number):
            return
        await run_in_threadpool(attendance.cancel_if_unattended, self._ports, self._task.id)

    async def _is_settled(self, after: int) -> bool:
        """Whether there is nothing more to cancel, or somebody came within the time to return."""
        with anyio.move_on_after(self._may_return_s):
            async for look in looks(self._ports.store, self._task.id, self._stopping, after=after):
                if look.over or any(line.kind == attendance.ASKED for line in look.events):
                    return True
            return True
        return False


def ended_well(store: Store, task: Task | None) -> Task:
    """The task, if it has succeeded.

    Raises Gone, Conflict `task_cancelled`, Invalid for an audio that cannot be worked on, or
    WorkFailed; with the code and words of the job that failed.
    """
    if task is None or task.deleted_at is not None:
        raise Gone("The task of this request was deleted.")
    if task.state is TaskState.SUCCEEDED:
        return task
    if task.state is TaskState.CANCELLED:
        raise Conflict("The task of this request was cancelled.", code="task_cancelled")
    raise _why(store, task)


def _why(store: Store, task: Task) -> RequestRefused:
    lines = [job.history[-1] for job in store.dead_jobs(task.id, limit=1) if job.history]
    if not lines:
        return WorkFailed(f"The work failed: GET /v1/tasks/{task.id} says why.")
    last = lines[0]
    refused = Invalid if last.failure is FailureClass.PERMANENT else WorkFailed
    return refused(last.message, code=last.code)
