"""What routes ask for, as nouns: the parts of the application, the caller, the caller's task.

What only looks something up is `async`, so that it costs no thread; what asks the store is not.
Each asks for as few others as it can: FastAPI walks through all of them once more for every place
in which they are named.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query, Request

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
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import Store
from task_manager.submission import Submission


async def _pipeline(request: Request) -> Pipeline:
    pipeline: Pipeline = request.app.state.pipeline
    return pipeline


async def _ports(request: Request) -> Ports:
    return (await _pipeline(request)).ports


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


ThePipeline = Annotated[Pipeline, Depends(_pipeline)]
TheSettings = Annotated[Settings, Depends(_settings)]
Owner = Annotated[str, Depends(auth.owner)]


async def _store(request: Request) -> Store:
    return (await _ports(request)).store


async def _objects(request: Request) -> ObjectStore:
    return (await _ports(request)).objects


async def _catalog(request: Request) -> Catalog:
    return (await _ports(request)).catalog


async def _intake(request: Request) -> Intake:
    ports = await _ports(request)
    return Intake(ports.objects, ports.settings)


IdempotencyKey = Annotated[
    str | None,
    Header(description="The same key with the same request answers with the first task."),
]


async def admitted(request: Request, caller: TheCaller) -> None:
    """Refuses new work for which there is no room, before its body is read."""
    admission: Admission = request.app.state.admission
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    key = request.headers.get("idempotency-key")
    try:
        await admission.ask(caller.owner, key, caller.limits, size)
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


async def _clerk(request: Request, caller: TheCaller) -> Clerk:
    address = request.client.host if request.client else ""
    return Clerk((await _ports(request)).audit, caller, address)


def _task(task_id: str, pipeline: ThePipeline, caller: TheCaller) -> Task:
    task = pipeline.task(task_id)
    if task.owner != caller.owner and not caller.is_admin:
        raise NotFound(f"There is no task {task_id!r}.")
    return task


async def _submission(
    request: Request, caller: TheCaller, idempotency_key: IdempotencyKey = None
) -> Submission:
    pipeline = await _pipeline(request)
    return Submission(pipeline, await _intake(request), caller.owner, idempotency_key)


TheStore = Annotated[Store, Depends(_store)]
TheObjects = Annotated[ObjectStore, Depends(_objects)]
TheCatalog = Annotated[Catalog, Depends(_catalog)]
TheIntake = Annotated[Intake, Depends(_intake)]
TheClerk = Annotated[Clerk, Depends(_clerk)]
Whose = Annotated[str, Depends(_whose)]
TheSubmission = Annotated[Submission, Depends(_submission)]
OwnedTask = Annotated[Task, Depends(_task)]
