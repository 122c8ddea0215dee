"""The answers of OpenAI's audio API: words in each of its forms, at once or as they are heard."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool

from services.model.errors import RequestRefused
from services.model.job import Stage
from services.model.pack import dumps
from services.model.states import JobState
from services.model.task import Task
from task_manager import heard
from task_manager.deltas import Deltas
from task_manager.heard import Heard
from task_manager.open_requests import OpenRequest, ended_well
from task_manager.pipeline.ports import Ports
from task_manager.problems import openai_error
from task_manager.render import MEDIA_TYPES, render, whisper
from task_manager.schemas.audio import AnswerForm, Granularity

_ALIVE_EVERY_S = 15.0  # a stream with nothing to tell says so, lest somebody between ends it


def body(
    found: Heard, form: AnswerForm, granularities: Sequence[Granularity] = ()
) -> tuple[str, str]:
    """The words in that form, and its media type. Raises Invalid `no_times`."""
    match form:
        case "json":
            return dumps(short(found)), "application/json"
        case "verbose_json":
            return dumps(verbose(found, granularities or ["segment"])), "application/json"
        case "text":
            return found.transcript.text + "\n", MEDIA_TYPES["txt"]
        case "srt" | "vtt":
            return render(found.transcript, form), MEDIA_TYPES[form]


def short(found: Heard) -> dict[str, Any]:
    """The text, the language that was spoken, and how long."""
    language = found.item.spoken_language
    known = [] if language in {None, "und"} else [{"code": language}]
    return {"text": found.transcript.text, "languages": known, "usage": found.usage}


def verbose(found: Heard, granularities: Sequence[Granularity]) -> dict[str, Any]:
    """Everything that is known, with the times that were asked for."""
    transcript = found.transcript
    told: dict[str, Any] = {
        "task": "translate" if found.in_english else "transcribe",
        "language": whisper.language_name(transcript.language),
        "duration": found.seconds,
        "text": transcript.text,
    }
    if "segment" in granularities:
        told["segments"] = whisper.segments(transcript)
    if "word" in granularities:
        told["words"] = whisper.words(transcript)
    return {**told, "usage": found.usage}


async def events(ports: Ports, caller: OpenRequest, task: Task) -> AsyncIterator[str]:
    """Server-sent events: the text piece by piece, then the whole, or an error."""
    deltas = Deltas()
    told_at = time.monotonic()
    try:
        async for look in caller.looks(slowest_s=0.3):
            for line in look.events:
                deltas.hear(line)
            several = deltas.parts > 1
            done = await run_in_threadpool(_done, ports, task) if several else ()
            if delta := deltas.next(done):
                yield _delta(delta)
            elif time.monotonic() - told_at < _ALIVE_EVERY_S:
                continue
            else:
                yield ": still at work\n\n"
            told_at = time.monotonic()
        found = await run_in_threadpool(_found, ports, task)
    except RequestRefused as refused:
        about = openai_error(refused.status, refused.code, refused.message, refused.field)
        yield _event({"error": about})
    else:
        if rest := deltas.rest(found.transcript.text):
            yield _delta(rest)
        warned = {"warnings": found.item.warnings} if found.item.warnings else {}
        yield _event({"type": "transcript.text.done", **short(found), **warned})
    caller.answered = True


def _found(ports: Ports, task: Task) -> Heard:
    return heard.read(ports, ended_well(ports.store, ports.store.task(task.id)))


def _done(ports: Ports, task: Task) -> list[int]:
    """The parts that are heard to their end."""
    jobs = ports.store.lean_jobs(task.id, 0, 0)
    ended = [job for job in jobs if job.state is JobState.SUCCEEDED]
    return [job.part for job in ended if job.stage is Stage.TRANSCRIBE]


def _delta(text: str) -> str:
    return _event({"type": "transcript.text.delta", "delta": text})


def _event(data: dict[str, Any]) -> str:
    return f"data: {dumps(data)}\n\n"
