"""One item of a task: its transcript, also in translation, and its check."""

# ruff: noqa: FAST003  the path's text_id is read by Asked

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.model.access import Scope
from services.model.errors import NotFound, RequestRefused
from services.model.languages import parse_language
from services.model.task import Item, Source, Task
from services.model.transcript import Output, Transcript
from task_manager import checked, transcripts
from task_manager.auth import may
from task_manager.dependencies import OwnedTask, TheStore
from task_manager.problems import responses
from task_manager.results import Results
from task_manager.routes.results import TheResults
from task_manager.schemas.check import CheckView
from task_manager.schemas.item import TranscriptView
from task_manager.schemas.request import MOST, WHOLE
from task_manager.schemas.result import SourceName
from task_manager.store.protocol import Store

router = APIRouter(
    prefix="/v1/tasks/{task_id}/items", tags=["items"], dependencies=[may(Scope.READ)]
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which words of which item; without a language its own. `field` is where that was asked."""

    task: Task
    store: Store
    results: Results
    item: Item
    source: SourceName
    language: str | None
    field: str = "language"

    def is_own(self) -> bool:
        """Whether these are the words themselves, not a translation of them."""
        return self.language in {None, self.item.language}

    def newest(self) -> Output | None:
        """The words that count."""
        source = Source(self.source)
        return transcripts.output(self.results, self.item, source=source, language=self.language)

    def of(self, version: int | None) -> Output | None:
        """The words of a version, by default of that which counts. Raises NotFound."""
        newest = self.newest()
        if newest is None or version is None or version == newest.version:
            return newest
        older = self.store.version(newest.id, at_most=version)
        if older is None or older.version != version:
            raise NotFound(
                f"There is no version {version} of these words.",
                code="unknown_version",
                field="version",
            )
        return older

    def find(self, version: int | None) -> Transcript | None:
        output = self.of(version)
        return None if output is None else transcripts.read(self.results, output)

    def may_be_heard(self) -> bool:
        """Whether there may be some segments before there is a transcript."""
        return self.source == "A" and self.language is None and not self.task.state.ended

    def absent(self) -> RequestRefused:
        """Why there is nothing: no such words, not yet, or never."""
        if (self.item.audio if self.source == "A" else self.item.text) is None:
            return NotFound(
                f"This item has no source {self.source}.", code="no_such_source", field="source"
            )
        if self.language is not None and not self.is_own():
            self.results.target(self.language, field=self.field)
        return self.results.absent()


def _wanted(
    *,
    text_id: str,
    task: OwnedTask,
    store: TheStore,
    results: TheResults,
    language: Annotated[
        str | None, Query(description="A target language; without it the item's own words.")
    ] = None,
    source: Annotated[
        SourceName | None,
        Query(description="A: what was heard; T: the text. By default A where there is audio."),
    ] = None,
) -> Wanted:
    item = results.item(text_id)
    tag = None if language is None else parse_language(language, field="language")
    default: SourceName = "A" if item.audio is not None else "T"
    return Wanted(task, store, results, item, source or default, tag)


Asked = Annotated[Wanted, Depends(_wanted)]
Version = Annotated[
    int | None,
    Query(ge=0, le=MOST, description="One that counted before; else the newest."),
    WHOLE,
]


@router.get("/{text_id:path}/transcript", responses=responses(401, 403, 404, 409, 410, 422, 503))
def get_transcript(wanted: Asked, version: Version = None) -> TranscriptView:
    """Words with times. While the audio is still being heard: the segments so far."""
    found = wanted.of(version)
    if found is not None:
        return transcripts.view(wanted.results, wanted.item, found)
    if wanted.may_be_heard() and wanted.item.audio is not None:
        return transcripts.heard_so_far(wanted.store, wanted.task, wanted.item)
    raise wanted.absent()


@router.get("/{text_id:path}/check", responses=responses(401, 403, 404, 409, 410, 422, 503))
def get_check(
    *,
    text_id: str,
    task: OwnedTask,
    results: TheResults,
    after: Annotated[
        int, Query(ge=-1, le=MOST, description="The `next` of the page before."), WHOLE
    ] = -1,
    limit: Annotated[int, Query(ge=1, le=1000), WHOLE] = 500,
) -> CheckView:
    """How far what was heard is from the text, and where the two part."""
    return checked.view(results, task, results.item(text_id), after=after, limit=limit)
