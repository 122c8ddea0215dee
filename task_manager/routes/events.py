"""Events: everything that happens to a task, as it happens, over SSE."""

from __future__ import annotations

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
from task_manager.following import looks
from task_manager.problems import responses
from task_manager.schemas.request import MOST
from task_manager.store.protocol import Store

router = APIRouter(
    prefix="/v1/tasks/{task_id}/events", tags=["events"], dependencies=[may(Scope.READ)]
)

_LAST_LOOKS = 4  # at the log of a task that has ended, in case its end is never told
_ENDS = frozenset(state for state in TaskState if state.ended)


@router.get(
    "", response_class=EventSourceResponse, responses=responses(401, 403, 404, 410, 422, 503)
)
async def stream_events(
    request: Request,
    task: OwnedTask,
    store: TheStore,
    last_event_id: Annotated[int, Header(ge=0, le=MOST, description="Go on after this event.")] = 0,
    after: Annotated[
        int, Query(ge=0, le=MOST, description="The same, for clients without headers.")
    ] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Events `state`, `progress`, `segments`, `item`, `cell`, `asked` and `left`, from the first
    or from where the caller was. The stream ends when the task has ended and all is told. Segments
    carry part and attempt: drop all below the highest attempt of a part."""
    seen = max(last_event_id, after)
    looks_left = _LAST_LOOKS
    async for look in looks(store, task.id, request.app.state.stopping, after=seen):
        for event in look.events:
            yield _sent(event)
            seen = event.number
        if look.over and not look.events:
            looks_left = looks_left - 1 if not await _told(store, task, seen) else 0
            if not looks_left:
                return


async def _told(store: Store, task: Task, seen: int) -> bool:
    """Whether the last event that was sent is the end itself: a task's state is written a
    moment before the event that tells of it."""
    last = await run_in_threadpool(store.events, task.id, after=seen - 1, limit=1)
    return any(each.kind == "state" and each.data["state"] in _ENDS for each in last)


def _sent(event: TaskEvent) -> ServerSentEvent:
    data = {"at": moment(event.at).isoformat(), **event.data}
    return ServerSentEvent(raw_data=dumps(data), event=event.kind, id=str(event.number))
