"""Dead jobs: what has failed for good, over all tasks, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.model.access import Scope
from services.model.errors import Invalid, NotFound, RequestRefused
from services.model.job import Job
from services.model.task import Task
from task_manager import cursors
from task_manager.auth import TheCaller, may
from task_manager.callers import Caller
from task_manager.clock import moment
from task_manager.dependencies import TheClerk, ThePipeline, TheStore, Whose
from task_manager.problems import responses
from task_manager.routes.bodies import require_json
from task_manager.schemas.dead import PAGE, DeadJob, DeadJobs, Retried, RetryDead, Skipped
from task_manager.schemas.request import WHOLE

router = APIRouter(prefix="/v1/jobs/dead", tags=["jobs"])


@router.get("", responses=responses(401, 403, 422, 503), dependencies=[may(Scope.READ)])
def list_dead_jobs(
    *,
    store: TheStore,
    owner: Whose,
    queue: Annotated[str | None, Query(description="Only of this queue.")] = None,
    code: Annotated[str | None, Query(description="Only with this code at last.")] = None,
    limit: Annotated[int, Query(ge=1, le=200), WHOLE] = 50,
    cursor: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> DeadJobs:
    """What the caller's tasks have that is not tried again by itself, newest first."""
    before = cursors.read(cursor) if cursor is not None else None
    found = store.dead_page(owner, queue=queue, code=code, before=before, limit=limit + 1)
    page = found[:limit]
    tasks = {task_id: store.task(task_id) for task_id in {job.task_id for job in page}}
    shown = [(job, tasks[job.task_id]) for job in page]
    return DeadJobs(
        jobs=[_view(job, task) for job, task in shown if task and task.deleted_at is None],
        next=_following(found, limit),
    )


@router.post(
    "/retry",
    responses=responses(400, 401, 403, 415, 422, 503, 507),
    dependencies=[may(Scope.SUBMIT), Depends(require_json)],
)
def retry_dead_jobs(
    *,
    wanted: RetryDead,
    store: TheStore,
    pipeline: ThePipeline,
    caller: TheCaller,
    clerk: TheClerk,
) -> Retried:
    """Runs again what failed in the named tasks, or in those of a page of dead jobs; what
    succeeded stays. A task that has not ended is skipped."""
    if bool(wanted.tasks) == bool(wanted.all):
        raise Invalid("Send either `tasks` or `all`.", code="required", field="tasks")
    if wanted.tasks and (wanted.queue or wanted.code):
        raise Invalid(
            "A queue and a code choose among all dead jobs: ask for all, or leave them out.",
            code="contradiction",
            field="queue" if wanted.queue else "code",
        )
    if wanted.tasks:
        return _retry(pipeline, caller, clerk, wanted.tasks, None)
    before = cursors.read(wanted.cursor) if wanted.cursor is not None else None
    found = store.dead_page(
        caller.owner, queue=wanted.queue, code=wanted.code, before=before, limit=PAGE + 1
    )
    tasks = [job.task_id for job in found[:PAGE]]
    return _retry(pipeline, caller, clerk, tasks, _following(found, PAGE))


def _retry(
    pipeline: ThePipeline,
    caller: Caller,
    clerk: TheClerk,
    tasks: Iterable[str],
    following: str | None,
) -> Retried:
    retried: list[str] = []
    skipped: list[Skipped] = []
    for task_id in dict.fromkeys(tasks):
        try:
            if pipeline.task(task_id).owner != caller.owner and not caller.is_admin:
                raise NotFound("There is no such task.")
            with clerk.noting("task.retry", task_id):
                pipeline.retry(task_id)
        except RequestRefused as refused:
            if refused.status == 503:
                raise
            skipped.append(Skipped(task=task_id, code=refused.code))
        else:
            retried.append(task_id)
    return Retried(retried=retried, skipped=skipped, next=following)


def _following(found: list[Job], limit: int) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return cursors.write(last.finished_at or 0.0, last.id)


def _view(job: Job, task: Task) -> DeadJob:
    last = job.history[-1] if job.history else None
    return DeadJob(
        id=job.id,
        task=task.id,
        task_state=task.state,
        stage=job.stage,
        queue=job.queue,
        text_id=task.manifest.items[job.item].text_id,
        language=job.language or None,
        source=job.source or None,
        part=job.part,
        attempts=job.attempt,
        failure=last.failure if last else None,
        code=last.code if last else "",
        message=last.message if last else "",
        node=last.node if last else None,
        at=moment(job.finished_at or job.created_at),
    )
