"""What routes ask for, as nouns: the parts of the application, the caller, the caller's task.

What only looks something up is `async`, so that it costs no thread; what asks the store is not.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from services.model.catalog import Catalog
from services.model.errors import Forbidden, NotFound, RequestRefused
from services.model.task import Task
from services.settings import Settings
from services.storage.protocol import ObjectStore
from task_manager import auth, pace
from task_manager.admission import Admission
from task_manager.audit import Clerk
from task_manager.auth import TheCaller
from task_manager.intake import Intake, drain
from task_manager.pipeline import Pipeline
from task_manager.store.protocol import Store
from task_manager.submission import Submission


async def _pipeline(request: Request) -> Pipeline:
    pipeline: Pipeline = request.app.state.pipeline
    return pipeline


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


ThePipeline = Annotated[Pipeline, Depends(_pipeline)]
TheSettings = Annotated[Settings, Depends(_settings)]
Owner = Annotated[str, Depends(auth.owner)]


async def _store(pipeline: ThePipeline) -> Store:
    return pipeline.ports.store


async def _objects(pipeline: ThePipeline) -> ObjectStore:
    return pipeline.ports.objects


async def _catalog(pipeline: ThePipeline) -> Catalog:
    return pipeline.ports.catalog


async def _intake(pipeline: ThePipeline) -> Intake:
    return Intake(pipeline.ports.objects, pipeline.ports.settings)


IdempotencyKey = Annotated[
    str | None,
    Header(description="The same key with the same request answers with the first task."),
]


async def admitted(
    request: Request, caller: TheCaller, idempotency_key: IdempotencyKey = None
) -> None:
    """Refuses new work for which there is no room, before its body is read."""
    admission: Admission = request.app.state.admission
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    try:
        await run_in_threadpool(admission.check, caller.owner, idempotency_key, caller.limits, size)
    except RequestRefused:
        if "expect" not in request.headers:  # who asked first has sent nothing yet
            pace.as_file(request)
            await drain(request.stream())
        raise


async def _whose(
    caller: TheCaller,
    owner: Annotated[
        str | None, Query(max_length=64, description="Somebody else, for keys of scope admin.")
    ] = None,
) -> str:
    if owner is None or owner == caller.owner:
        return caller.owner
    if not caller.is_admin:
        raise Forbidden(
            "Only a key with the scope admin sees what others have: leave `owner` out.",
            code="scope_missing",
            field="owner",
        )
    return owner


async def _clerk(request: Request, caller: TheCaller, pipeline: ThePipeline) -> Clerk:
    address = request.client.host if request.client else ""
    return Clerk(pipeline.ports.audit, caller, address)


def _task(task_id: str, pipeline: ThePipeline, caller: TheCaller) -> Task:
    task = pipeline.task(task_id)
    if task.owner != caller.owner and not caller.is_admin:
        raise NotFound(f"There is no task {task_id!r}.")
    return task


async def _submission(
    pipeline: ThePipeline,
    intake: Annotated[Intake, Depends(_intake)],
    owner: Owner,
    idempotency_key: IdempotencyKey = None,
) -> Submission:
    return Submission(pipeline, intake, owner, idempotency_key)


TheStore = Annotated[Store, Depends(_store)]
TheObjects = Annotated[ObjectStore, Depends(_objects)]
TheCatalog = Annotated[Catalog, Depends(_catalog)]
TheIntake = Annotated[Intake, Depends(_intake)]
TheClerk = Annotated[Clerk, Depends(_clerk)]
Whose = Annotated[str, Depends(_whose)]
TheSubmission = Annotated[Submission, Depends(_submission)]
OwnedTask = Annotated[Task, Depends(_task)]
