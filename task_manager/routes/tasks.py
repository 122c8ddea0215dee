"""Tasks: create, look at, list, cancel, retry, add languages to, delete."""

# ruff: noqa: FAST003  the path's task_id is read by OwnedTask

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from services.model.access import Scope
from services.model.errors import TooLarge, UnsupportedContent
from services.model.task import Task, TaskState
from task_manager import cursors, pace, views
from task_manager.auth import may
from task_manager.dependencies import (
    OwnedTask,
    TheClerk,
    ThePipeline,
    TheStore,
    TheSubmission,
    Whose,
    admitted,
)
from task_manager.intake import read_in_thread
from task_manager.manifests import to_targets
from task_manager.problems import responses
from task_manager.routes.bodies import FORM_SCHEMA, JSON_SCHEMA, media_type, require_json
from task_manager.schemas.item import ItemPage
from task_manager.schemas.new_task import AddedLanguages
from task_manager.schemas.request import MOST, WHOLE
from task_manager.schemas.task import AcceptedTask, TaskDetail, TaskPage, TaskSummary
from task_manager.submission import MAX_JSON, Submission

router = APIRouter(prefix="/v1/tasks", tags=["tasks"])

_READ, _SUBMIT = may(Scope.READ), may(Scope.SUBMIT)


@router.post(
    "",
    status_code=202,
    responses=responses(400, 401, 403, 409, 413, 415, 422, 429, 503, 507),
    dependencies=[_SUBMIT, Depends(admitted)],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": JSON_SCHEMA, "multipart/form-data": FORM_SCHEMA},
        }
    },
)
async def create_task(
    *,
    request: Request,
    response: Response,
    submission: TheSubmission,
    clerk: TheClerk,
) -> AcceptedTask:
    """Takes a task: as JSON with texts and upload keys, or as a form with files. It exists, and
    will be worked on, when the answer is 202."""
    with clerk.noting("task.create") as note:
        task = await _submitted(request, submission)
        note.subject = task.id
    response.headers["Location"] = f"/v1/tasks/{task.id}"
    return views.accepted(task)


async def _submitted(request: Request, submission: Submission) -> Task:
    kind = media_type(request)
    if kind == "application/json":
        raw = await _read(request)
        return await run_in_threadpool(submission.of_json, raw)
    if kind == "multipart/form-data":
        content_type = request.headers["content-type"]
        return await read_in_thread(request, lambda body: submission.of_form(body, content_type))
    raise UnsupportedContent(
        "Send application/json or multipart/form-data, and say so in Content-Type."
    )


async def _read(request: Request) -> bytes:
    pace.up_to(request, MAX_JSON + 1)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_JSON:
            raise TooLarge(f"A JSON body has up to {MAX_JSON} bytes; send files by upload.")
    return bytes(raw)


@router.get("", responses=responses(401, 403, 422, 503), dependencies=[_READ])
def list_tasks(
    *,
    pipeline: ThePipeline,
    store: TheStore,
    owner: Whose,
    state: Annotated[list[TaskState] | None, Query(description="Only these; repeatable.")] = None,
    limit: Annotated[int, Query(ge=1, le=200), WHOLE] = 50,
    cursor: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> TaskPage:
    """The caller's tasks, newest first."""
    before = cursors.read(cursor) if cursor is not None else None
    found = store.tasks(owner, states=state or (), before=before, limit=limit + 1)
    page = found[:limit]
    more = cursors.write(page[-1].created_at, page[-1].id) if len(found) > limit else None
    return TaskPage(tasks=[views.summary(pipeline.refresh(task)) for task in page], next=more)


@router.get("/{task_id}", responses=responses(401, 403, 404, 410, 422, 503), dependencies=[_READ])
def get_task(task: OwnedTask, pipeline: ThePipeline) -> TaskDetail:
    """State, progress, counts, place and expected end; what runs with its limits; every try that
    failed and when it is made again; times of the stages."""
    return views.detail(pipeline.refresh(task), pipeline.ports)


@router.get(
    "/{task_id}/items", responses=responses(401, 403, 404, 410, 422, 503), dependencies=[_READ]
)
def list_items(
    task: OwnedTask,
    store: TheStore,
    after: Annotated[
        int, Query(ge=-1, le=MOST, description="The `next` of the page before."), WHOLE
    ] = -1,
    limit: Annotated[int, Query(ge=1, le=500), WHOLE] = 100,
) -> ItemPage:
    """The items in order, each with what was learnt of it and the state of its cells."""
    found = store.items(task.id, after=after, limit=limit + 1)
    page = found[:limit]
    more = page[-1].ordinal if len(found) > limit else None
    return ItemPage(items=views.item_views(task, store, page), next=more)


@router.post(
    "/{task_id}/cancel",
    responses=responses(401, 403, 404, 409, 410, 422, 503, 507),
    dependencies=[_SUBMIT],
)
def cancel_task(task: OwnedTask, pipeline: ThePipeline, clerk: TheClerk) -> TaskSummary:
    """Ends what waits at once and what runs at its next word; what is done stays."""
    with clerk.noting("task.cancel", task.id):
        return _seen(pipeline, pipeline.cancel(task.id))


@router.post(
    "/{task_id}/retry",
    status_code=202,
    responses=responses(401, 403, 404, 409, 410, 422, 503, 507),
    dependencies=[_SUBMIT],
)
def retry_task(task: OwnedTask, pipeline: ThePipeline, clerk: TheClerk) -> TaskSummary:
    """Runs again what failed, and only that."""
    with clerk.noting("task.retry", task.id):
        return _seen(pipeline, pipeline.retry(task.id))


@router.post(
    "/{task_id}/languages",
    status_code=202,
    responses={
        200: {"model": TaskSummary, "description": "It has these languages already."},
        **responses(400, 401, 403, 404, 409, 410, 415, 422, 429, 503, 507),
    },
    dependencies=[_SUBMIT, Depends(admitted), Depends(require_json)],
)
def add_languages(
    *,
    task: OwnedTask,
    wanted: AddedLanguages,
    pipeline: ThePipeline,
    clerk: TheClerk,
    response: Response,
) -> TaskSummary:
    """Translates a task that has ended into more languages, from the words that are there; all
    else stays as it is. Sent again, it changes nothing more."""
    limit = pipeline.ports.settings.max_targets
    targets = to_targets(wanted.add, limit=limit, name="add")
    with clerk.noting("task.add_languages", task.id):
        changed, opened = pipeline.add_languages(task.id, targets)
    if not opened:
        response.status_code = 200
    return _seen(pipeline, changed)


@router.delete(
    "/{task_id}",
    status_code=204,
    responses=responses(401, 403, 404, 410, 422, 503, 507),
    dependencies=[_SUBMIT],
)
def delete_task(task: OwnedTask, pipeline: ThePipeline, clerk: TheClerk) -> None:
    """Cancels the task and removes it with its texts and media; 410 from then on."""
    with clerk.noting("task.delete", task.id):
        pipeline.delete(task.id)


def _seen(pipeline: ThePipeline, task: Task) -> TaskSummary:
    return views.summary(pipeline.refresh(task))
