"""What was heard in an item, or its text or translation: finished, or as far as it is heard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from services.model.task import Item, Source, Task, TaskEvent
from services.model.transcript import Output, Segment, Transcript, join_segments
from task_manager import learnt
from task_manager.clock import moment
from task_manager.results import Results
from task_manager.schemas.item import TranscriptView
from task_manager.store.protocol import Store

_PAGE = 500


def output(results: Results, item: Item, *, source: Source, language: str | None) -> Output | None:
    """The committed transcript or translation; None if it is not there (yet).

    Without a language it is the item's own words: what was heard, or the reference text.
    """
    if language is not None:
        return results.output(item, language, source)
    return results.own_words(item, source)


def read(results: Results, output: Output) -> Transcript:
    """The words of an output, wherever they lie; a text without audio has no times."""
    if output.body is not None:
        return Transcript.model_validate_json(results.text(output.body))
    return _of_text(output, results.text(output.text))


def _of_text(output: Output, text: str) -> Transcript:
    segments = [Segment(id=0, start=None, end=None, text=text)] if text else []
    return Transcript(
        language=output.language,
        text=text,
        segments=segments,
        duration=output.facts.get("seconds"),
        no_speech=bool(output.facts.get("no_speech")),
    )


def heard_so_far(store: Store, task: Task, item: Item) -> TranscriptView:
    """The segments that the item's transcription told on its way, from the event log."""
    decoding = task.manifest.options.decoding
    language = decoding.language(item.language) if item.language else None
    segments: list[Segment] = []
    for event in newest_attempts(_told(store, task, item)):
        language = event.data.get("language") or language
        segments += [Segment.model_validate(each) for each in event.data.get("segments", [])]
    segments.sort(key=lambda segment: (segment.start or 0.0, segment.id))
    return TranscriptView(
        text_id=item.text_id,
        source="A",
        language=language,
        spoken_language=item.language or (language if decoding.task == "transcribe" else None),
        complete=False,
        text=join_segments(segments, language or ""),
        duration=None,
        language_probability=None,
        no_speech=False,
        segments=segments,
        dropped=[],
        version=0,
        corrected_by=None,
        corrected_at=None,
    )


def newest_attempts(events: Iterable[TaskEvent]) -> list[TaskEvent]:
    """Those of the highest attempt of each part: an earlier attempt's segments come again."""
    told = list(events)
    newest: dict[int, int] = {}
    for event in told:
        part, attempt = event.data["part"], event.data["attempt"]
        newest[part] = max(attempt, newest.get(part, 0))
    return [event for event in told if event.data["attempt"] == newest[event.data["part"]]]


def _told(store: Store, task: Task, item: Item) -> Iterable[TaskEvent]:
    after = 0
    while batch := store.events(task.id, after=after, limit=_PAGE):
        for event in batch:
            data = event.data
            if data.get("item") == item.ordinal and data.get("stage") == "transcribe":
                yield event
        after = batch[-1].number


def view(results: Results, item: Item, output: Output) -> TranscriptView:
    """A committed one."""
    transcript = read(results, output)
    return TranscriptView(
        text_id=item.text_id,
        source=cast("Literal['A', 'T']", output.source),
        spoken_language=_spoken(item, output),
        complete=True,
        version=output.version,
        corrected_by=output.corrected_by or None,
        corrected_at=moment(output.created_at) if output.corrected_by else None,
        **{name: getattr(transcript, name) for name in Transcript.model_fields},
    )


def _spoken(item: Item, output: Output) -> str | None:
    if output.source != Source.AUDIO or output.kind == "translation":
        return None
    return learnt.spoken(item, {"language": output.language, **output.facts})
