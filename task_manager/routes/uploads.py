"""Uploads: one streamed file, to be named by a task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from services.model.errors import Invalid, UnsupportedContent
from services.model.task import AudioInput, Upload
from services.storage import keys
from task_manager.dependencies import Owner, TheIntake, ThePipeline, admitted
from task_manager.intake import Intake, read_in_thread
from task_manager.manifests import check_characters
from task_manager.multipart import parts
from task_manager.pipeline.accept import new_task_id
from task_manager.problems import responses
from task_manager.routes.bodies import FILE_SCHEMA, media_type
from task_manager.schemas.discovery import UploadView

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])

_RAW = ("application/octet-stream", "application/ogg", "application/mp4")


@router.post(
    "",
    status_code=201,
    responses=responses(400, 401, 403, 413, 415, 422, 429, 503, 507),
    dependencies=[Depends(admitted)],
    openapi_extra={"requestBody": {"required": True, "content": FILE_SCHEMA}},
)
async def create_upload(
    request: Request,
    pipeline: ThePipeline,
    intake: TheIntake,
    owner: Owner,
    name: Annotated[
        str, Query(max_length=255, description="The file's name, when the body is the file itself.")
    ] = "",
) -> UploadView:
    """Takes one file, as the body itself or as the one file of a form, however large."""
    check_characters(name, "name")
    kind = media_type(request)
    taking = _Taking(intake, keys.upload(new_task_id()))
    if kind == "multipart/form-data":
        content_type = request.headers["content-type"]
        audio = await read_in_thread(request, lambda body: taking.of_form(body, content_type))
    elif kind in _RAW or kind.startswith(("audio/", "video/")):
        audio = await read_in_thread(request, lambda body: taking.of_body(body, name))
    else:
        raise UnsupportedContent(
            "Send the file as application/octet-stream, audio/*, video/* or multipart/form-data."
        )
    store = pipeline.ports.store
    upload = Upload(**audio.model_dump(), owner=owner, created_at=store.now())
    await run_in_threadpool(store.insert_upload, upload)
    return UploadView(**audio.model_dump())


@dataclass(frozen=True, slots=True)
class _Taking:
    intake: Intake
    key: str

    def of_body(self, body: Iterable[bytes], name: str) -> AudioInput:
        return self.intake.store(self.key, name, body, field="body")

    def of_form(self, body: Iterable[bytes], content_type: str) -> AudioInput:
        try:
            return self._only_file(body, content_type)
        except BaseException:
            self.intake.forget(self.key)
            raise

    def _only_file(self, body: Iterable[bytes], content_type: str) -> AudioInput:
        audio: AudioInput | None = None
        for part in parts(body, content_type):
            if part.filename is None or part.name != "file" or audio is not None:
                raise Invalid(
                    "Send exactly one file, in the field `file`.",
                    code="unknown_field",
                    field=part.name[:60],
                )
            audio = self.intake.store(self.key, part.filename, part.chunks, field="file")
        if audio is None:
            raise Invalid("Send a file in the field `file`.", code="required", field="file")
        return audio
