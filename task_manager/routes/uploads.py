"""Uploads: files to be named by a task, streamed whole or sent in parts."""

# ruff: noqa: FAST003  the path's upload_id is read by FoundUpload

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from services.model.access import Scope
from services.model.errors import Invalid, UnsupportedContent
from services.model.task import AudioInput, Upload
from services.storage import keys
from task_manager.auth import may
from task_manager.characters import check_characters
from task_manager.dependencies import (
    Owner,
    TheClerk,
    TheIntake,
    TheObjects,
    TheSettings,
    TheStore,
    admitted,
)
from task_manager.intake import Intake, read_in_thread
from task_manager.multipart import parts
from task_manager.pipeline.accept import new_task_id
from task_manager.problems import responses
from task_manager.routes.bodies import FILE_SCHEMA, PART_SCHEMA, media_type, require_json
from task_manager.schemas.request import WHOLE
from task_manager.schemas.upload import (
    NewUpload,
    PartUrls,
    PartView,
    UploadEnd,
    UploadView,
    WantedUrls,
)
from task_manager.uploads import Uploads

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])


async def _uploads(
    store: TheStore, objects: TheObjects, intake: TheIntake, owner: Owner, settings: TheSettings
) -> Uploads:
    direct = settings.objects_reached_by == "bucket"
    return Uploads(store, objects, intake, owner, direct)


TheUploads = Annotated[Uploads, Depends(_uploads)]


def _found(upload_id: str, uploads: TheUploads) -> Upload:
    return uploads.find(upload_id)


FoundUpload = Annotated[Upload, Depends(_found)]

_SUBMIT = may(Scope.SUBMIT)
_RAW = ("application/octet-stream", "application/ogg", "application/mp4")
_KNOWN = responses(401, 403, 404, 410, 422, 503)


@router.post(
    "",
    status_code=201,
    responses=responses(400, 401, 403, 413, 415, 422, 429, 503, 507),
    dependencies=[_SUBMIT, Depends(admitted)],
    openapi_extra={"requestBody": {"required": True, "content": FILE_SCHEMA}},
)
async def create_upload(
    *,
    request: Request,
    store: TheStore,
    intake: TheIntake,
    owner: Owner,
    uploads: TheUploads,
    clerk: TheClerk,
    name: Annotated[
        str, Query(max_length=255, description="The file's name, when the body is the file itself.")
    ] = "",
) -> UploadView:
    """Takes one file, as the body itself or as the one file of a form, however large."""
    check_characters(name, "name")
    taking = _Taking(intake, keys.upload(new_task_id()))
    with clerk.noting("upload.create", taking.key):
        audio = await _taken(request, taking, name)
        upload = Upload(**audio.model_dump(), owner=owner, created_at=store.now())
        await run_in_threadpool(store.insert_upload, upload)
    return uploads.view(upload)


async def _taken(request: Request, taking: _Taking, name: str) -> AudioInput:
    kind = media_type(request)
    if kind == "multipart/form-data":
        content_type = request.headers["content-type"]
        return await read_in_thread(request, lambda body: taking.of_form(body, content_type))
    if kind in _RAW or kind.startswith(("audio/", "video/")):
        return await read_in_thread(request, lambda body: taking.of_body(body, name))
    raise UnsupportedContent(
        "Send the file as application/octet-stream, audio/*, video/* or multipart/form-data."
    )


@router.post(
    "/parts",
    status_code=201,
    responses=responses(400, 401, 403, 415, 422, 429, 503, 507),
    dependencies=[_SUBMIT, Depends(admitted), Depends(require_json)],
)
def begin_upload(wanted: NewUpload, uploads: TheUploads, clerk: TheClerk) -> UploadView:
    """Announces a file that will come in parts, which can be sent in any order, side by side, and
    again after a break. `/v1/` and the key is where it is looked at from then on."""
    check_characters(wanted.name, "name")
    with clerk.noting("upload.create") as note:
        upload = uploads.begin(wanted)
        note.subject = upload.key
    return uploads.view(upload)


@router.get("/{upload_id}", responses=_KNOWN, dependencies=[_SUBMIT])
def get_upload(upload: FoundUpload, uploads: TheUploads) -> UploadView:
    """The file, and while it is not complete, which parts have come."""
    return uploads.view(upload)


@router.put(
    "/{upload_id}/parts/{number}",
    dependencies=[_SUBMIT],
    responses=responses(401, 403, 404, 408, 409, 410, 422, 503, 507),
    openapi_extra={"requestBody": {"required": True, "content": PART_SCHEMA}},
)
async def put_part(
    *,
    request: Request,
    number: Annotated[int, Path(description="From 1."), WHOLE],
    upload: FoundUpload,
    uploads: TheUploads,
    content_digest: Annotated[
        str, Header(description="`sha-256=:…:` of the part; bytes that differ are refused.")
    ] = "",
) -> PartView:
    """Takes one part; sent again, it replaces the first. All but the last have `part_bytes`."""
    return await read_in_thread(
        request,
        lambda chunks: uploads.put(upload, number, chunks, content_digest),
    )


@router.post(
    "/{upload_id}/urls",
    dependencies=[_SUBMIT, Depends(require_json)],
    responses=responses(400, 401, 403, 404, 409, 410, 415, 422, 503),
)
def sign_parts(
    wanted: WantedUrls, upload: FoundUpload, uploads: TheUploads, settings: TheSettings
) -> PartUrls:
    """Signed URLs by which parts go straight to the bucket, which then costs this server
    nothing. 409 where there is no bucket: send the parts here."""
    lasts = settings.url_expires_s
    urls = uploads.urls(upload, wanted.numbers, lasts)
    return PartUrls(expires_in_seconds=lasts, urls=urls)


@router.post(
    "/{upload_id}/complete",
    dependencies=[_SUBMIT],
    responses=responses(400, 401, 403, 404, 408, 409, 410, 413, 422, 503, 507),
)
def complete_upload(
    upload: FoundUpload, uploads: TheUploads, end: UploadEnd | None = None
) -> UploadView:
    """Joins the parts: from now on a task may name the file. 409 while some are missing."""
    return uploads.view(uploads.complete(upload, end.sha256 if end else None))


@router.delete(
    "/{upload_id}",
    status_code=204,
    dependencies=[_SUBMIT],
    responses=responses(401, 403, 404, 422, 503, 507),
)
def delete_upload(upload: FoundUpload, uploads: TheUploads, clerk: TheClerk) -> None:
    """Removes the file, or what has come of it. Tasks that named it keep theirs."""
    with clerk.noting("upload.delete", upload.key):
        uploads.drop(upload)


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
