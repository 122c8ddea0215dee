"""What routes ask for, as nouns: the parts of the application, the caller, the caller's task.

What only looks something up is `async`, so that it costs no thread; what asks the store is not.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request
from starlette.concurrency import run_in_threadpool

from services.model.catalog import Catalog
from services.model.errors import NotFound, RequestRefused
from services.model.task import Task
from services.settings import Settings
from services.storage.protocol import ObjectStore
from task_manager import auth
from task_manager.admission import Admission
from task_manager.intake import Intake, drain
from task_manager.pipeline import Pipeline
from task_manager.store.protocol import Store


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


async def admitted(request: Request, owner: Owner, idempotency_key: IdempotencyKey = None) -> None:
    """Refuses new work for which there is no room, before its body is read."""
    admission: Admission = request.app.state.admission
    try:
        await run_in_threadpool(admission.check, owner, idempotency_key)
    except RequestRefused:
        if "expect" not in request.headers:  # who asked first has sent nothing yet
            await drain(request.stream())
        raise


def _task(task_id: str, pipeline: ThePipeline, owner: Owner) -> Task:
    task = pipeline.task(task_id)
    if task.owner != owner:
        raise NotFound(f"There is no task {task_id!r}.")
    return task


TheStore = Annotated[Store, Depends(_store)]
TheObjects = Annotated[ObjectStore, Depends(_objects)]
TheCatalog = Annotated[Catalog, Depends(_catalog)]
TheIntake = Annotated[Intake, Depends(_intake)]
OwnedTask = Annotated[Task, Depends(_task)]
