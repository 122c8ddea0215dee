"""Results: the pack in either form, one language, one cell, many cells."""

from __future__ import annotations

import gzip
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.model.access import Scope
from services.model.errors import NotFinished, NotFound
from services.model.task import Source
from task_manager.auth import may
from task_manager.dependencies import OwnedTask, TheObjects, TheStore
from task_manager.problems import responses
from task_manager.results import Form, Results
from task_manager.routes.bodies import require_json
from task_manager.schemas.result import (
    CellText,
    CodedPack,
    ExpandedPack,
    Lookup,
    LookupAnswer,
    MissingCell,
    SourceName,
)

router = APIRouter(
    prefix="/v1/tasks/{task_id}/result", tags=["results"], dependencies=[may(Scope.READ)]
)

_WORTH_PACKING = 512  # bytes


def _results(request: Request, task: OwnedTask, store: TheStore, objects: TheObjects) -> Results:
    return Results(store, objects, task, request.app.state.hot)


TheResults = Annotated[Results, Depends(_results)]

_HEADERS: dict[str, Any] = {
    "X-Fanscribe-Complete": {"schema": {"type": "boolean"}, "description": "No cell is missing."},
    "X-Fanscribe-Codebook": {"schema": {"type": "integer"}, "description": "Its version."},
    "X-Fanscribe-Revision": {
        "schema": {"type": "integer"},
        "description": "The task's, when this was packed.",
    },
    "ETag": {"schema": {"type": "string"}},
}


@router.head("", include_in_schema=False)
@router.get(
    "",
    response_class=Response,
    responses={
        200: {
            "model": CodedPack | ExpandedPack,
            "description": "The pack. The same task gives the same bytes.",
            "headers": _HEADERS,
        },
        304: {"description": "It is what If-None-Match names."},
        **responses(401, 403, 404, 409, 410, 422, 503),
    },
)
def get_result(
    request: Request,
    results: TheResults,
    form: Annotated[Form, Query(description="Languages as numbers, or as names.")] = "expanded",
    language: Annotated[list[str] | None, Query(description="Only these; repeatable.")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The whole result of a task that has ended; what failed is named in `missing`."""
    result = results.find(form, language or ())
    zipped = accepts_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{result.tag}-gzip"' if zipped else f'"{result.tag}"'
    headers = {
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "private, no-cache",
        "X-Fanscribe-Complete": str(result.complete).lower(),
        "X-Fanscribe-Codebook": str(result.codebook),
        "X-Fanscribe-Revision": str(result.revision),
    }
    if if_none_match is not None and names_tag(if_none_match, result.tag):
        return Response(status_code=304, headers=headers)
    body = results.body(result)
    if zipped and len(body) > _WORTH_PACKING:
        body = gzip.compress(body, compresslevel=6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")


@router.get(
    "/{language}/{text_id:path}/{source}",
    responses=responses(401, 403, 404, 409, 410, 422, 503),
)
def get_cell(results: TheResults, language: str, text_id: str, source: SourceName) -> CellText:
    """One cell, as soon as it is done. The text id is percent-encoded and may hold anything."""
    text = results.cell(language, text_id, Source(source))
    return CellText(language=language, text_id=text_id, source=source, text=text)


@router.post(
    "/lookup",
    dependencies=[Depends(require_json)],
    responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
)
def look_up_cells(results: TheResults, wanted: Lookup) -> LookupAnswer:
    """Many cells at once; what is not there (yet) is listed, and is no error."""
    found: list[CellText] = []
    missing: list[MissingCell] = []
    for name in wanted.cells:
        try:
            text = results.cell(name.language, name.text_id, Source(name.source))
        except (NotFound, NotFinished):
            missing.append(MissingCell(**name.model_dump()))
        else:
            found.append(CellText(**name.model_dump(), text=text))
    return LookupAnswer(found=found, missing=missing)


def accepts_gzip(header: str) -> bool:
    """By the Accept-Encoding header; `gzip;q=0` is a no."""
    for part in header.lower().split(","):
        name, _, parameter = part.partition(";")
        if name.strip() in {"gzip", "*"}:
            return parameter.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def names_tag(header: str, tag: str) -> bool:
    """Whether If-None-Match names this content, in whatever encoding it was sent."""
    given = [each.strip().removeprefix("W/").strip('"') for each in header.split(",")]
    return "*" in given or tag in (each.removesuffix("-gzip") for each in given)
