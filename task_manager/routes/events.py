"""Events: everything that happens to a task, as it happens, over SSE."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from services.model.access import Scope
from services.model.pack import dumps
from services.model.task import Task, TaskEvent, TaskState
from task_manager.auth import may
from task_manager.clock import moment
from task_manager.dependencies import OwnedTask, TheStore
from task_manager.problems import responses
from task_manager.store.protocol import Store

router = APIRouter(
    prefix="/v1/tasks/{task_id}/events", tags=["events"], dependencies=[may(Scope.READ)]
)

_LOOK_EVERY_S = 0.3
_LAST_LOOKS = 4  # at the log of a task that has ended, in case its end is never told
_PAGE = 200
_ENDS = frozenset(state for state in TaskState if state.ended)


@router.get(
    "", response_class=EventSourceResponse, responses=responses(401, 403, 404, 410, 422, 503)
)
async def stream_events(
    request: Request,
    task: OwnedTask,
    store: TheStore,
    last_event_id: Annotated[int, Header(ge=0, description="Go on after this event.")] = 0,
    after: Annotated[int, Query(ge=0, description="The same, for clients without headers.")] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Events `state`, `progress`, `segments`, `item` and `cell`, from the first or
    from where the caller was. The stream ends when the task has ended and all is told. Segments
    carry part and attempt: drop all below the highest attempt of a part."""
    seen = max(last_event_id, after)
    looks_left = _LAST_LOOKS
    while looks_left and not request.app.state.stopping.is_set():
        over = await run_in_threadpool(_is_over, store, task)  # read before the events, not after
        events = await run_in_threadpool(store.events, task.id, after=seen, limit=_PAGE)
        for event in events:
            yield _sent(event)
            seen = event.number
        if events:
            continue
        if over:
            looks_left = looks_left - 1 if not await _told(store, task, seen) else 0
        if looks_left:
            await asyncio.sleep(_LOOK_EVERY_S)


async def _told(store: Store, task: Task, seen: int) -> bool:
    """Whether the last event that was sent is the end itself: a task's state is written a
    moment before the event that tells of it."""
    last = await run_in_threadpool(store.events, task.id, after=seen - 1, limit=1)
    return any(each.kind == "state" and each.data["state"] in _ENDS for each in last)


def _is_over(store: Store, task: Task) -> bool:
    current = store.task(task.id)
    return current is None or current.state.ended or current.deleted_at is not None


def _sent(event: TaskEvent) -> ServerSentEvent:
    data = {"at": moment(event.at).isoformat(), **event.data}
    return ServerSentEvent(raw_data=dumps(data), event=event.kind, id=str(event.number))
