"""Events: everything that happens to a task, or to all tasks of the caller, as it happens, over
SSE: comments keep idle connections open, and `retry` says when to come again."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import ServerSentEvent

from services.model.access import Scope
from services.model.errors import Invalid
from services.model.pack import dumps
from services.model.task import TaskEvent
from services.settings import Settings
from task_manager.auth import may
from task_manager.clock import moment
from task_manager.dependencies import OwnedTask, Owner, TheSettings, TheStore
from task_manager.event_stream import TOLD, EventStream
from task_manager.feed import SECOND, Feeds
from task_manager.following import is_over, is_told, looks
from task_manager.problems import responses
from task_manager.schemas.request import MOST, WHOLE
from task_manager.store.protocol import Store

router = APIRouter(tags=["events"], dependencies=[may(Scope.READ)])

_RETRY_MS = 2000  # until a browser comes again
_LAST_LOOKS = 4  # at the log of a task that has ended, in case its end is never told
_REPLAY_S = 24 * 3600.0
_AHEAD_S = 60.0  # a cursor from later than this is from nowhere
_ALL: dict[int | str, dict[str, Any]] = {200: TOLD}
_ONE: dict[int | str, dict[str, Any]] = {
    200: TOLD,
    204: {"description": "The task has ended, and the caller has seen its end."},
}

LastEventId = Annotated[
    int | None, Header(ge=0, le=MOST, description="Go on after this event."), WHOLE
]
After = Annotated[
    int | None, Query(ge=0, le=MOST, description="The same, for clients without headers."), WHOLE
]


class AllTold(Exception):
    """There is nothing more to tell."""


async def all_told(_: Request, __: Exception) -> Response:
    return Response(status_code=204)


# ── one task ─────────────────────────────────────────────────────────────────────────────────


def _seen(
    task: OwnedTask, store: TheStore, last_event_id: LastEventId = None, after: After = None
) -> int:
    """The number of the last event that the caller has. Raises AllTold."""
    seen = max(last_event_id or 0, after or 0)
    if seen and is_over(task) and seen >= store.last_event(task.id) and is_told(store, task):
        raise AllTold
    return seen


@router.get(
    "/v1/tasks/{task_id}/events",
    response_class=Response,
    responses={**_ONE, **responses(401, 403, 404, 410, 422, 503)},
)
async def stream_events(
    request: Request, task: OwnedTask, store: TheStore, seen: Annotated[int, Depends(_seen)]
) -> EventStream:
    """Events `state`, `progress`, `segments`, `item`, `cell`, `asked` and `left`, from the first
    or from where the caller was. The stream ends when the task has ended and all is told. Segments
    carry part and attempt: drop all below the highest attempt of a part."""
    return EventStream(_of_task(store, task.id, request.app.state.stopping, seen))


async def _of_task(
    store: Store, task_id: str, stopping: threading.Event, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    yield ServerSentEvent(retry=_RETRY_MS)
    looks_left = _LAST_LOOKS
    async for look in looks(store, task_id, stopping, after=seen, waits_for_store=True):
        for event in look.events:
            yield _sent(event, event.number)
        if look.over and not look.events:
            looks_left = looks_left - 1 if not look.told else 0
            if not looks_left:
                return


# ── all tasks ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stream begins, and by which id its reader comes back who has seen no event yet.
    `newest` is the position of the last event that there is."""

    after: int
    newest: int
    id: int
    missed: bool = False


def _place(
    store: TheStore,
    owner: Owner,
    settings: TheSettings,
    last_event_id: LastEventId = None,
    after: After = None,
) -> _Place:
    """Raises Invalid, `unknown_event`."""
    newest, now = store.last_position(owner), store.now()
    asked = [each for each in (last_event_id, after) if each is not None]
    if not asked:
        return _Place(newest, newest, newest)
    place, oldest = max(asked), int((now - _replay_s(settings)) * SECOND)
    if place > max(newest, int((now + _AHEAD_S) * SECOND)):
        raise Invalid(
            "No event has this id: send the id of one that you have got, or none.",
            code="unknown_event",
            field="last-event-id" if last_event_id == place else "after",
        )
    if 0 < place < oldest and place != newest:
        return _Place(newest, newest, newest, missed=True)
    return _Place(max(place, oldest), newest, place)


def _replay_s(settings: Settings) -> float:
    """Events go with their task, so this is no longer than tasks surely stay."""
    kept = (settings.keep_results_s, settings.keep_dictations_s)
    return min((_REPLAY_S, *filter(None, kept)))


@router.get(
    "/v1/events",
    response_class=Response,
    responses={**_ALL, **responses(401, 403, 422, 503)},
)
async def stream_all_events(
    request: Request, owner: Owner, place: Annotated[_Place, Depends(_place)]
) -> EventStream:
    """The events of all tasks of the caller, from now on, or from where he was up to a day ago;
    `after=0` begins with the oldest that are left. Who was away for longer is told so by an event
    `missed`, and reads the tasks anew. The stream has no end."""
    return EventStream(_of_owner(request.app.state.feeds, owner, place))


async def _of_owner(feeds: Feeds, owner: str, place: _Place) -> AsyncGenerator[ServerSentEvent]:
    yield ServerSentEvent(id=str(place.id), retry=_RETRY_MS)
    if place.missed:
        yield _missed(place)
    async for event in feeds.follow(owner, after=place.after, newest=place.newest):
        yield _sent(event, event.position, task=event.task_id, number=event.number)


def _missed(place: _Place) -> ServerSentEvent:
    data = {
        "code": "events_expired",
        "message": "Events since then are not all there any more: read the tasks anew.",
        "url": "/v1/tasks",
    }
    return ServerSentEvent(raw_data=dumps(data), event="missed", id=str(place.id))


def _sent(event: TaskEvent, name: int, **more: object) -> ServerSentEvent:
    data = {"at": moment(event.at).isoformat(), **more, **event.data}
    return ServerSentEvent(raw_data=dumps(data), event=event.kind, id=str(name))
