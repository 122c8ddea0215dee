"""The words of an item as a file: subtitles in one language or in two, text, or JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.model.access import Scope
from services.model.errors import Invalid
from services.model.languages import parse_language
from services.model.transcript import Transcript
from task_manager.auth import may
from task_manager.problems import responses
from task_manager.render import MEDIA_TYPES, CueStyle, Form, Shown, render
from task_manager.routes.items import Asked, Version, Wanted
from task_manager.schemas.request import WHOLE

router = APIRouter(
    prefix="/v1/tasks/{task_id}/items", tags=["items"], dependencies=[may(Scope.READ)]
)

_USUAL = CueStyle()
_BOM = "\ufeff"


def _second(
    wanted: Asked,
    beside: Annotated[
        str | None,
        Query(
            alias="with",
            description="A second language that is shown below: `source` for the item's own words, "
            "or a target language.",
        ),
    ] = None,
) -> Wanted | None:
    """The words below. Raises Invalid `same_language` where they are those above."""
    if beside is None:
        return None
    language = None if beside == "source" else parse_language(beside, field="with")
    second = replace(wanted, language=language, field="with")
    if language == wanted.language or (second.is_own() and wanted.is_own()):
        raise Invalid(
            "These are the words that are shown anyway: name another language, or `source`.",
            code="same_language",
            field="with",
        )
    return second


def _style(
    *,
    max_width: Annotated[
        int | None,
        Query(
            ge=4,
            le=200,
            description="Columns a line; a Chinese character takes two. By default as is usual "
            "for the language: 42, for Chinese 32.",
        ),
        WHOLE,
    ] = None,
    max_lines: Annotated[
        int, Query(ge=1, le=10, description="Lines of each language in a cue."), WHOLE
    ] = _USUAL.max_lines,
    max_cps: Annotated[
        float | None,
        Query(
            gt=0,
            le=1000,
            description="Columns a second that readers follow; by default as is usual for the "
            "language. A cue that is faster stays on as long as the talk allows.",
        ),
    ] = None,
    min_duration: Annotated[
        float, Query(ge=0, le=10, description="Seconds that a cue stays at least, if it can.")
    ] = _USUAL.min_duration,
    max_duration: Annotated[
        float, Query(ge=1, le=60, description="Seconds that a cue stays at most.")
    ] = _USUAL.max_duration,
    min_gap: Annotated[
        float, Query(ge=0, le=2, description="Seconds between two cues.")
    ] = _USUAL.min_gap,
) -> CueStyle:
    """Raises Invalid `out_of_order`."""
    if min_duration > max_duration:
        raise Invalid(
            "A cue cannot stay longer than its longest: lower min_duration or raise max_duration.",
            code="out_of_order",
            field="min_duration",
        )
    return CueStyle(max_width, max_lines, max_cps, min_duration, max_duration, min_gap)


@router.get(
    "/{text_id:path}/subtitles.{form}",
    response_class=Response,
    responses={
        200: {
            "description": "The subtitles.",
            "content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()},
        },
        **responses(401, 403, 404, 409, 410, 422, 503),
    },
)
def get_subtitles(
    *,
    wanted: Asked,
    form: Form,
    second: Annotated[Wanted | None, Depends(_second)],
    style: Annotated[CueStyle, Depends(_style)],
    version: Version = None,
    bom: Annotated[
        bool, Query(description="Begin with a byte order mark, as old players want; never in json.")
    ] = False,
) -> Response:
    """What was heard, or its translation, or both, as srt, vtt, ass, txt or json."""
    first = _found(wanted, version)
    shown = Shown((first,))
    if second is not None:
        shown = Shown((first, _found(second, None)), sentences=int(wanted.is_own()))
    text = render(shown, form, style)
    marked = _BOM + text if bom and form != "json" else text
    return Response(marked, media_type=MEDIA_TYPES[form])


def _found(wanted: Wanted, version: int | None) -> Transcript:
    found = wanted.find(version)
    if found is None:
        raise wanted.absent()
    return found
