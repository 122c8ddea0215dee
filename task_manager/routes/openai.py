"""OpenAI's audio API: one audio in, its words out, by the same queue as everything else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from services.model.access import Scope
from services.model.errors import Invalid
from services.model.task import Task
from task_manager import heard, spoken
from task_manager.auth import may
from task_manager.dependencies import TheCatalog, TheClerk, TheSubmission, admitted
from task_manager.dictation import Desk, Dictation, Fields, dictated
from task_manager.open_requests import OpenRequest
from task_manager.openai_models import speech_model
from task_manager.pipeline import Pipeline
from task_manager.problems import responses
from task_manager.routes.bodies import audio_form
from task_manager.schemas.audio import (
    AnswerForm,
    Granularity,
    NewTranscription,
    NewTranslation,
    read_form,
)

router = APIRouter(
    prefix="/v1/audio",
    tags=["openai"],
    dependencies=[may(Scope.SUBMIT), Depends(admitted)],
    responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503, 507),
)

_NO_STREAM = "whisper-1"  # OpenAI's contract says that it ignores `stream`

_WORDS = ("application/json", "text/plain", "application/x-subrip", "text/vtt")


def _words(*kinds: str) -> dict[int | str, dict[str, Any]]:
    about = "The words, as `response_format` asks for them."
    return {200: {"description": about, "content": {kind: {} for kind in kinds}}}


@dataclass(frozen=True, slots=True)
class Answer:
    """How the words are to be given."""

    form: AnswerForm
    granularities: Sequence[Granularity] = ()
    streams: bool = False
    warnings: Sequence[str] = field(default=())


@router.post(
    "/transcriptions",
    response_class=Response,
    responses=_words(*_WORDS, "text/event-stream"),
    openapi_extra=audio_form("file", NewTranscription),
)
async def create_transcription(
    request: Request, submission: TheSubmission, catalog: TheCatalog, clerk: TheClerk
) -> Response:
    """Writes down one audio while its caller waits, as OpenAI's API does; the work is cancelled
    when the caller hangs up. The headers `X-Fanscribe-Model` and `X-Fanscribe-Warnings` say what
    was used, and what was not done as it was asked for."""

    def understand(fields: Fields) -> tuple[Dictation, Answer]:
        asked = read_form(NewTranscription, fields)
        answer = _answer(asked)
        wanted = Dictation(
            model=speech_model(catalog, asked.model),
            language=asked.language,
            spoken=asked.languages,
            prompt=asked.prompt,
            keywords=asked.keywords,
            temperature=asked.temperature,
            word_timestamps="word" in answer.granularities,
        )
        return wanted, answer

    return await _answered(request, Desk(submission, clerk, "file", request.url.path), understand)


@router.post(
    "/translations",
    response_class=Response,
    responses=_words(*_WORDS),
    openapi_extra=audio_form("file", NewTranslation),
)
async def create_translation(
    request: Request, submission: TheSubmission, catalog: TheCatalog, clerk: TheClerk
) -> Response:
    """Writes down one audio in English while its caller waits: by the speech model itself, where
    it was trained to translate, else by a translation model, sentence by sentence."""

    def understand(fields: Fields) -> tuple[Dictation, Answer]:
        asked = read_form(NewTranslation, fields)
        wanted = Dictation(
            model=speech_model(catalog, asked.model),
            english=True,
            prompt=asked.prompt,
            temperature=asked.temperature,
        )
        return wanted, Answer(asked.response_format)

    return await _answered(request, Desk(submission, clerk, "file", request.url.path), understand)


def _answer(asked: NewTranscription) -> Answer:
    """Raises Invalid for what does not go together."""
    if asked.timestamp_granularities and asked.response_format != "verbose_json":
        raise Invalid(
            "timestamp_granularities need response_format=verbose_json.",
            code="needs_verbose_json",
            field="timestamp_granularities",
        )
    if not asked.stream:
        return Answer(asked.response_format, asked.timestamp_granularities)
    if asked.model == _NO_STREAM:
        warnings = ["stream_ignored: whisper-1 answers as a whole, name another model to stream"]
        return Answer(asked.response_format, asked.timestamp_granularities, warnings=warnings)
    if asked.response_format not in {"json", "text"}:
        raise Invalid(
            "A stream gives pieces of text: leave out response_format, or leave out stream.",
            code="cannot_stream",
            field="response_format",
        )
    return Answer("json", streams=True)


async def _answered(
    request: Request,
    desk: Desk,
    understand: Callable[[Fields], tuple[Dictation, Answer]],
) -> Response:
    came_at = time.monotonic()
    task, answer = await dictated(request, desk, understand)
    pipeline = desk.submission.pipeline
    caller = OpenRequest(pipeline, request, task, came_at)
    if answer.streams:
        return StreamingResponse(
            spoken.events(pipeline.ports, caller, task),
            headers={**heard.headers(task, answer.warnings), "Cache-Control": "no-store"},
            media_type="text/event-stream",
            background=BackgroundTask(caller.leave_unless_answered),
        )
    return await run_in_threadpool(_whole, pipeline, await caller.wait(), answer)


def _whole(pipeline: Pipeline, task: Task, answer: Answer) -> Response:
    found = heard.read(pipeline.ports, task)
    text, kind = spoken.body(found, answer.form, answer.granularities)
    headers = heard.headers(task, [*answer.warnings, *found.item.warnings])
    return Response(text, headers=headers, media_type=kind)
