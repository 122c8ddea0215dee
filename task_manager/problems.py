"""Every refusal leaves in one envelope: `{"error": {"code", "message", "field"?}}`.

On OpenAI's routes it is theirs: `{"error": {"message", "type", "param", "code"}}`, and what is
wrong with a request is 400.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from services import logs
from services.metrics import ManagerMetrics
from services.model.errors import Conflict, RequestRefused, WorkFailed
from services.model.pack import dumps
from services.storage.protocol import ObjectMissing
from task_manager.schemas.problem import Problem

log = logs.get(__name__)

# What pydantic calls a mistake, and what we call it; everything else is `invalid`.
_CODES = {
    "extra_forbidden": "unknown_field",
    "missing": "required",
    "string_unicode": "bad_unicode",
    "bad_unicode": "bad_unicode",
    "control_character": "control_character",
    "literal_error": "not_one_of",
    "enum": "not_one_of",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
}
_OPENAI = ("/v1/audio/", "/v1/models/")
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_WAITS_S = {429: 5, 503: 5, 507: 30}  # until it is worth another try, where nobody knows better
_PLACES = {"body", "query", "path", "header"}  # where FastAPI says that a field stands

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

# What Starlette refuses by itself: a route that is not there, a method it does not have.
_REFUSALS = {
    400: ("bad_request", "The request cannot be read."),
    404: ("unknown_route", "There is no such route; GET /docs lists all."),
    405: ("method_not_allowed", "This route does not know that method; see the Allow header."),
    408: ("too_slow", "The request body came too slowly: send it again over a better connection."),
    413: ("too_large", "The request body is larger than this route takes."),
}


def install(app: FastAPI) -> None:
    """Makes this app answer every error, its own and the framework's, with the envelope."""
    app.add_exception_handler(RequestRefused, _refused)
    app.add_exception_handler(RequestValidationError, _unvalidated)
    app.add_exception_handler(HTTPException, _by_the_framework)
    app.add_exception_handler(ObjectMissing, _missing)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _crashed)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error bodies of a route, for OpenAPI; JSON also where the route gives something else."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = {*statuses, 500}
    if 401 in every:  # whoever is known by a key may ask too fast, and the key is in the store
        every |= {429, 503}
    if 415 in every:  # there is a body
        every |= {408, 413}
    return {status: {"description": _ABOUT[status], "content": content} for status in sorted(every)}


def define(document: dict[str, Any]) -> None:
    """Writes the schema that the routes refer to into an OpenAPI document."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}


def render(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    path: str = "",
) -> Response:
    """The envelope of that path; half a surrogate that a caller sent goes back as its JSON
    escape."""
    about: dict[str, str | None] = {"code": code, "message": message}
    if path.startswith(_OPENAI):
        about = openai_error(status, code, message, field)
        status = 400 if status == 422 else status
    elif field is not None:
        about["field"] = field
    body = dumps({"error": about}).encode("utf-8", "backslashreplace")
    return Response(body, status, dict(headers or {}), "application/json")


def openai_error(status: int, code: str, message: str, field: str | None) -> dict[str, str | None]:
    """The same in OpenAI's words."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"message": message, "type": kind, "param": field, "code": code}


def from_pydantic(errors: Sequence[ErrorDetails | Any]) -> tuple[str, str, str | None]:
    """Code, message and dotted field of the first mistake, and how many more there are."""
    first = errors[0]
    place = [str(part) for part in first["loc"]]
    if place and place[0] in _PLACES:
        place = place[1:]
    code = _CODES.get(first["type"], "invalid")
    if first["type"].endswith("_type"):
        code = "wrong_type"
    message = str(first["msg"])
    if code == "unknown_field":
        message = f"There is no field {place[-1]!r} here; see /docs for those there are"
    more = f" ({len(errors) - 1} more mistakes in this request)" if len(errors) > 1 else ""
    return code, f"{message}.{more}", ".".join(place) or None


def refusal(error: RequestRefused, path: str) -> Response:
    """A refusal of ours with the headers that HTTP wants of it, and the one by which OpenAI's
    client knows that trying again is of no use."""
    headers = {}
    if path.startswith(_OPENAI) and isinstance(error, Conflict | WorkFailed):
        headers["X-Should-Retry"] = "false"
    wait_s = error.retry_after_s or _WAITS_S.get(error.status)
    if wait_s is not None:
        headers["Retry-After"] = str(wait_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return render(error.status, error.code, error.message, error.field, headers, path=path)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)
    if error.status in {429, 503, 507}:
        meter: ManagerMetrics = request.app.state.pipeline.ports.meter
        meter.refused(error.code)
        if error.code == "store_unavailable":
            meter.store_failed()
    return refusal(error, request.url.path)


async def _unvalidated(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        return render(400, "invalid_json", f"The body is not JSON: {errors[0]['ctx']['error']}.")
    return render(422, *from_pydantic(errors), path=request.url.path)


async def _by_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = _REFUSALS.get(error.status_code, ("http_error", str(error.detail)))
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_methods(request))}
    return render(error.status_code, code, message, headers=headers, path=request.url.path)


def _methods(request: Request) -> list[str]:
    """All that this path knows; Starlette names those of the first route that has the path."""
    return [
        method
        for method in _METHODS
        for scope in [{**request.scope, "method": method}]
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]


async def _missing(request: Request, _: Exception) -> Response:
    return render(
        404,
        "object_missing",
        "The stored text behind this is gone from storage.",
        path=request.url.path,
    )


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody reads this; but a caller that hangs up is no mistake of ours."""
    return render(400, "caller_gone", "The connection ended before the request did.")


async def _crashed(request: Request, error: Exception) -> Response:
    """What went wrong stays in the log; the caller learns only that it was not their fault."""
    log.error("request_failed", path=request.url.path, error=repr(error))
    return render(
        500,
        "internal",
        "Something went wrong here; the server's log says what.",
        path=request.url.path,
    )


_ABOUT = {
    400: "The body cannot be read.",
    401: "No key, or one that does not count (`unauthenticated`, `key_expired`, `key_revoked`).",
    403: "The key lacks the scope (`scope_missing`); without a key only loopback is served "
    "(`forbidden_host`, `forbidden_origin`).",
    404: "There is no such thing, or it is somebody else's.",
    409: "The state is not the one that this needs.",
    408: "The body came too slowly (`too_slow`).",
    410: "The task was deleted (`gone`).",
    413: "Larger than this server takes (`too_large`).",
    415: "The content type is not one of this route's (`unsupported_content_type`).",
    422: "The request is understood and wrong; `code` and `field` say where.",
    429: "Slow down (`rate_limited`, `too_many_at_once`, `too_many_open_tasks`); see Retry-After.",
    500: "A mistake of ours (`internal`); the log has it.",
    503: "There is no room (`queue_full`, `low_memory`, `too_busy`), or the store does not answer "
    "(`store_unavailable`); see Retry-After.",
    507: "The disk is nearly full (`out_of_space`), or the owner's share of it is "
    "(`storage_limit`).",
}
