"""The routes of whisper-asr-webservice, as Bazarr and subgen ask them, by the same queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from services.model.access import Scope
from services.model.decoding import MAX_PROMPT
from services.model.pack import dumps
from task_manager import heard
from task_manager.audit import Clerk
from task_manager.auth import may
from task_manager.dependencies import TheCatalog, TheClerk, TheSubmission, admitted
from task_manager.dictation import Desk, Dictation, Fields, dictated
from task_manager.heard import Heard
from task_manager.open_requests import OpenRequest
from task_manager.problems import responses
from task_manager.raw_sound import as_wav
from task_manager.render import render, whisper
from task_manager.routes.bodies import audio_form
from task_manager.schemas.audio import DetectedLanguage
from task_manager.submission import Submission

router = APIRouter(
    tags=["asr"],
    dependencies=[may(Scope.SUBMIT), Depends(admitted)],
    responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503, 507),
)

Output = Literal["txt", "vtt", "srt", "tsv", "json"]
Encode = Annotated[
    bool,
    Query(description="false: the file has no header, it is 16 kHz mono samples of 16 bits."),
]
_FILE = "audio_file"
_KNOWN = {
    "task", "language", "initial_prompt", "vad_filter", "word_timestamps", "output", "encode",
}  # fmt: skip


@router.post(
    "/asr",
    response_class=Response,
    responses={200: {"description": "The words.", "content": {"text/plain": {}}}},
    openapi_extra=audio_form(_FILE),
)
async def transcribe_file(
    *,
    request: Request,
    submission: TheSubmission,
    clerk: TheClerk,
    catalog: TheCatalog,
    task: Literal["transcribe", "translate"] = "transcribe",
    language: Annotated[str, Query(description="Spoken; without it it is detected.")] = "",
    initial_prompt: Annotated[str, Query(max_length=MAX_PROMPT)] = "",
    vad_filter: Annotated[bool, Query(description="Leave out what is no speech.")] = True,
    word_timestamps: Annotated[bool, Query(description="In json.")] = False,
    output: Output = "txt",
    encode: Encode = True,
) -> Response:
    """Writes down one audio, or translates it into English, while its caller waits. Parameters
    that are not known here are named in `X-Fanscribe-Warnings`."""

    def understand(_: Fields) -> tuple[Dictation, None]:
        wanted = Dictation(
            model=catalog.transcriber(None),
            language=language,
            english=task == "translate",
            prompt=initial_prompt,
            word_timestamps=word_timestamps,
            vad=vad_filter,
        )
        return wanted, None

    found = await _heard(request, _desk(request, submission, clerk, encode=encode), understand)
    name = found.task.manifest.items[0].text_id
    headers = {
        **_headers(request, found),
        "Asr-Engine": found.task.manifest.options.transcribe_model,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.{output}",
    }
    text = await run_in_threadpool(_text, found, output, words=word_timestamps)
    return Response(text, headers=headers, media_type="text/plain; charset=utf-8")


@router.post("/detect-language", openapi_extra=audio_form(_FILE))
async def detect_language(
    *,
    request: Request,
    response: Response,
    submission: TheSubmission,
    clerk: TheClerk,
    catalog: TheCatalog,
    encode: Encode = True,
) -> DetectedLanguage:
    """Names the language that is spoken, by the first minutes of speech; writes nothing down."""

    def understand(_: Fields) -> tuple[Dictation, None]:
        return Dictation(model=catalog.transcriber(None), only_detect=True), None

    found = await _heard(request, _desk(request, submission, clerk, encode=encode), understand)
    response.headers.update(_headers(request, found))
    language = found.item.language
    return DetectedLanguage(
        detected_language=whisper.language_name(language),
        language_code=whisper.language_code(language),
        confidence=round(found.item.language_probability or 0.0, 4),
    )


def _desk(request: Request, submission: Submission, clerk: Clerk, *, encode: bool) -> Desk:
    return Desk(submission, clerk, _FILE, request.url.path, wrap=iter if encode else as_wav)


async def _heard(
    request: Request, desk: Desk, understand: Callable[[Fields], tuple[Dictation, None]]
) -> Heard:
    came_at = time.monotonic()
    task, _ = await dictated(request, desk, understand)
    ended = await OpenRequest(desk.submission.pipeline, request, task, came_at).wait()
    return await run_in_threadpool(heard.read, desk.submission.pipeline.ports, ended)


def _headers(request: Request, found: Heard) -> dict[str, str]:
    ignored = [name for name in request.query_params if name not in _KNOWN]
    warnings = [f"parameter_ignored: {name[:60]}" for name in dict.fromkeys(ignored)]
    return heard.headers(found.task, [*warnings, *found.item.warnings])


def _text(found: Heard, output: Output, *, words: bool) -> str:
    """Raises Invalid `no_times`."""
    if output == "tsv":
        return whisper.tsv(found.transcript)
    if output != "json":
        return render(found.transcript, output)
    told = {
        "text": found.transcript.text,
        "segments": whisper.segments(found.transcript, words=words),
        "language": whisper.language_code(found.item.spoken_language),  # also of a translation
    }
    return dumps(told) + "\n"
