"""What routes ask for, as nouns: the parts of the application, the caller, the caller's task."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from services.model.catalog import Catalog
from services.model.errors import NotFound
from services.model.task import Task
from services.settings import Settings
from services.storage.protocol import ObjectStore
from task_manager import auth
from task_manager.intake import Intake
from task_manager.pipeline import Pipeline
from task_manager.store.protocol import Store


def _pipeline(request: Request) -> Pipeline:
    pipeline: Pipeline = request.app.state.pipeline
    return pipeline


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


ThePipeline = Annotated[Pipeline, Depends(_pipeline)]
TheSettings = Annotated[Settings, Depends(_settings)]
Owner = Annotated[str, Depends(auth.owner)]


def _store(pipeline: ThePipeline) -> Store:
    return pipeline.ports.store


def _objects(pipeline: ThePipeline) -> ObjectStore:
    return pipeline.ports.objects


def _catalog(pipeline: ThePipeline) -> Catalog:
    return pipeline.ports.catalog


def _intake(pipeline: ThePipeline) -> Intake:
    return Intake(pipeline.ports.objects, pipeline.ports.settings)


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
