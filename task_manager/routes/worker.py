"""What workers call back, on a listener of its own: signed, and answered by the pipeline."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services import signing
from services.model.errors import FanscribeError, Forbidden, NotFound
from services.model.messages import (
    Beat,
    BeatAnswer,
    Claim,
    Earlier,
    Finish,
    FinishAnswer,
    Granted,
    Keep,
    Kept,
    LeaseState,
    LookBack,
    Lookup,
    NodeBeat,
    Progress,
    Recalled,
    Register,
    Registered,
)
from task_manager.dependencies import TheIntake, TheObjects, ThePipeline, TheSettings
from task_manager.intake import read_in_thread
from task_manager.schemas.upload import StoredView
from task_manager.threads import OBJECTS, on_own_thread, streamed

_STATUS = {"held": 200, "stale": 409, "cancelled": 410}


class Unsigned(FanscribeError):
    """A callback whose signature does not hold; `now` is the store's time, to sign anew with."""

    def __init__(self, message: str, now: float) -> None:
        super().__init__(message)
        self.now = now


async def unsigned(request: Request, error: Exception) -> Response:
    """Answers 401 with the time by which we count."""
    assert isinstance(error, Unsigned)
    request.app.state.pipeline.ports.meter.callback_refused(401)
    return JSONResponse(
        {"code": "bad_signature", "message": str(error), "now": error.now}, status_code=401
    )


async def _raw(request: Request) -> bytes:
    return await request.body()


@on_own_thread
def _signed(
    request: Request,
    raw: Annotated[bytes, Depends(_raw)],
    pipeline: ThePipeline,
    settings: TheSettings,
) -> None:
    now = pipeline.ports.store.now()
    accepted, body = settings.callback_secrets, raw.decode("utf-8", "replace")
    try:
        signing.verify_any(accepted, request.headers, body, now=now)
    except signing.BadSignature as error:
        raise Unsigned(f"{error}".capitalize() + ".", now) from error


callbacks = APIRouter(prefix="/callbacks/v1", tags=["callbacks"], dependencies=[Depends(_signed)])
# What stands at its default is not sent, so that a worker of before may understand it.
_call = partial(callbacks.post, response_model_exclude_defaults=True)
objects = APIRouter(prefix="/objects", tags=["objects"])


@_call("/register")
@on_own_thread
def register(hello: Register, pipeline: ThePipeline) -> Registered:
    """A node says hello."""
    return pipeline.register(hello)


@_call("/node-beat")
@on_own_thread
def node_beat(beat: NodeBeat, pipeline: ThePipeline) -> Registered:
    """A node is alive; 404 asks it to register anew."""
    known = pipeline.node_beat(beat)
    if known is None:
        raise NotFound("This node is not known: register.", code="unknown_node")
    return known


@_call("/claim")
@on_own_thread
def claim(asked: Claim, pipeline: ThePipeline) -> Granted:
    """A worker asks for the best due jobs of a queue."""
    return pipeline.claim(asked)


@_call("/beat")
@on_own_thread
def beat(told: Beat, pipeline: ThePipeline) -> BeatAnswer:
    """All leases of a token are alive."""
    return pipeline.beat(told)


@_call("/progress")
@on_own_thread
def progress(told: Progress, pipeline: ThePipeline, response: Response) -> LeaseState:
    """How far an attempt is: 200 go on, 409 another attempt counts, 410 nobody wants it."""
    state = pipeline.progress(told)
    response.status_code = _STATUS[state.state]
    return state


@_call("/finish")
@on_own_thread
def finish(told: Finish, pipeline: ThePipeline) -> FinishAnswer:
    """The last word of one or more attempts; a verdict for each."""
    return pipeline.finish(told)


@_call("/translations/lookup")
@on_own_thread
def look_up(asked: Lookup, pipeline: ThePipeline) -> Recalled:
    """Which sentences of its jobs a worker need not translate."""
    return pipeline.look_up(asked)


@_call("/translations/keep")
@on_own_thread
def keep(told: Keep, pipeline: ThePipeline) -> Kept:
    """Translations that may answer for the same sentences later."""
    return pipeline.keep(told)


@_call("/results/lookup")
@on_own_thread
def look_back(asked: LookBack, pipeline: ThePipeline) -> Earlier:
    """What an earlier job of the same owner made of the same."""
    return pipeline.look_back(asked)


@on_own_thread
def _may(
    *,
    request: Request,
    key: str,
    pipeline: ThePipeline,
    settings: TheSettings,
    expires: Annotated[int, Query()],
    signature: Annotated[str, Query()],
) -> str:
    accepted, method = settings.callback_secrets, request.method
    try:
        signing.verify_url(accepted, signature, method=method, key=key, expires=expires)
    except signing.BadSignature as error:
        raise Forbidden("The signature does not fit this URL.", code="bad_signature") from error
    if expires < pipeline.ports.store.now():
        raise Forbidden("This URL has expired: beat, and take the new one.", code="url_expired")
    return key


SignedKey = Annotated[str, Depends(_may)]


@objects.get("/{key:path}")
@on_own_thread
def get_object(
    key: SignedKey,
    objects: TheObjects,
    range_: Annotated[str, Header(alias="Range")] = "",
) -> StreamingResponse:
    """The bytes of a local object, or one range of them: a part of a long audio is fetched
    without the rest."""
    size = objects.head(key).size
    span = span_of(range_, size)
    start, end = span or (0, size)
    headers = {"Content-Length": str(end - start), "Accept-Ranges": "bytes"}
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        streamed(iter(objects.get(key, start, end))),
        status_code=206 if span else 200,
        media_type="application/octet-stream",
        headers=headers,
    )


def span_of(asked: str, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that `Range: bytes=first-last` asks for; None for all of them.

    What is not understood, or lies outside, is answered with the whole, as HTTP allows.
    """
    found = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", asked)
    if not found:
        return None
    start = int(found[1])
    end = min(int(found[2]) + 1 if found[2] else size, size)
    return (start, end) if start < end else None


@objects.put("/{key:path}", status_code=201)
async def put_object(request: Request, key: SignedKey, intake: TheIntake) -> StoredView:
    """Stores a local object in one step."""
    stored = await read_in_thread(
        request, lambda body: intake.store(key, "", body, field="body"), limiter=OBJECTS
    )
    return StoredView(key=stored.key, size=stored.size, sha256=stored.sha256)
