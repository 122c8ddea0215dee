"""Corrections: words of an item, or of a translation, that somebody puts in the place of others."""

# ruff: noqa: FAST003  the path's text_id is read by Asked

from __future__ import annotations

from fastapi import APIRouter, Depends

from services.model.access import Scope
from services.model.correction import Correction
from services.model.task import Task
from services.model.transcript import Output
from task_manager.auth import TheCaller, may
from task_manager.clock import moment
from task_manager.corrections import Writer, correction_of
from task_manager.dependencies import OwnedTask, TheClerk, TheObjects, ThePipeline, admitted
from task_manager.problems import responses
from task_manager.routes.bodies import require_json
from task_manager.routes.items import Asked, Wanted
from task_manager.schemas.correction import Corrected, CorrectionView, VersionList, VersionView
from task_manager.store.values import VersionLine

router = APIRouter(prefix="/v1/tasks/{task_id}/items", tags=["items"])


@router.put(
    "/{text_id:path}/transcript",
    responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503, 507),
    dependencies=[may(Scope.SUBMIT), Depends(admitted), Depends(require_json)],
)
def put_transcript(
    *,
    task: OwnedTask,
    wanted: Asked,
    words: Corrected,
    caller: TheCaller,
    objects: TheObjects,
    pipeline: ThePipeline,
    clerk: TheClerk,
) -> CorrectionView:
    """Saves a correction of a task that has ended, of an item's own words or, with a language, of
    their translation, as a new version. What was made of an item's own words is made anew."""
    store, settings = pipeline.ports.store, pipeline.ports.settings
    writer = Writer(store, objects, caller.key, settings.max_text_chars)

    def write(now: Task) -> Correction | None:
        return correction_of(writer, now, wanted.item, _there(wanted), words)

    with clerk.noting("task.correct", task.id):
        changed = pipeline.correct(task.id, write)
    saved = _there(wanted)
    return CorrectionView(
        text_id=saved.text_id,
        source=wanted.source,
        language=saved.language,
        version=saved.version,
        state=pipeline.refresh(changed).state,
    )


@router.get(
    "/{text_id:path}/versions",
    responses=responses(401, 403, 404, 409, 410, 422, 503),
    dependencies=[may(Scope.READ)],
)
def list_versions(wanted: Asked) -> VersionList:
    """Which versions there are of an item's own words or, with a language, of their translation."""
    newest = _there(wanted)
    lines: list[VersionLine | Output] = [*wanted.store.version_lines(newest.id), newest]
    return VersionList(
        text_id=newest.text_id,
        source=wanted.source,
        language=newest.language,
        versions=[
            VersionView(
                version=each.version,
                at=moment(each.created_at),
                corrected_by=each.corrected_by or None,
            )
            for each in lines
        ],
    )


def _there(wanted: Wanted) -> Output:
    """The words that count. Raises NotFinished or NotFound where there are none."""
    found = wanted.newest()
    if found is None:
        raise wanted.absent()
    return found
