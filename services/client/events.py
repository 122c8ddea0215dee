"""What happens to a task, one typed event after the other."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import Field

from services.client.server_sent import Sent
from services.model.task import Counts, TaskState
from services.model.transcript import Segment
from services.model.values import Stored


class TaskEvent(Stored):
    """Any of them; of a kind that this client does not know it is one of these itself.

    `number` rises by one with each event of a task; `data` is all that the server said. Among the
    events of all tasks, `task` is the id of the one, and `position` the place to go on from.
    """

    kind: str
    number: int
    task: str = ""
    position: int | None = None
    at: datetime
    data: dict[str, Any] = Field(repr=False)


class StateChanged(TaskEvent):
    """The task's state changed; at its end with the counts of its jobs."""

    state: TaskState
    counts: Counts | None = None


class Progressed(TaskEvent):
    """A job is so far: `fraction` is 0…1, `item` counts from 0. `language` and `source` are those
    of a translation; of speech, the language is what was heard."""

    stage: str
    item: int
    part: int = 0
    attempt: int = 1
    fraction: float
    language: str | None = None
    source: str | None = None


class SegmentsHeard(Progressed):
    """Words since the last such event of this part; drop all below a part's highest attempt."""

    segments: list[Segment]


class PreviewedSentence(Stored):
    """`number` counts from 0 in its part; `source` is what was said."""

    number: int
    start: float | None = None
    end: float | None = None
    source: str
    text: str


class SentencesPreviewed(TaskEvent):
    """Sentences translated while their part is still being heard; drop all below a part's highest
    attempt, also of `SegmentsHeard`. The cell that comes later takes their place."""

    item: int
    part: int
    attempt: int
    language: str
    sentences: list[PreviewedSentence]


class ItemTranscribed(TaskEvent):
    """The transcript of an item is there."""

    text_id: str
    language: str


class CellDone(TaskEvent):
    """A cell of the result is there."""

    text_id: str
    language: str
    source: str


class EventsMissed(Stored):
    """The caller was away for longer than events of all tasks are kept: some are gone. Read the
    tasks anew; what is told goes on after `position`."""

    position: int
    code: str
    message: str


_KINDS: dict[str, type[TaskEvent]] = {
    "state": StateChanged,
    "progress": Progressed,
    "segments": SegmentsHeard,
    "preview": SentencesPreviewed,
    "item": ItemTranscribed,
    "cell": CellDone,
}


def read_event(sent: Sent) -> TaskEvent:
    """Of a task's own stream."""
    return _read(sent, number=sent.id)


def read_any_event(sent: Sent) -> TaskEvent | EventsMissed:
    """Of the stream of all tasks."""
    if sent.kind == "missed":
        return EventsMissed.model_validate({**json.loads(sent.data), "position": sent.id})
    return _read(sent, position=sent.id)


def _read(sent: Sent, **place: str) -> TaskEvent:
    data = json.loads(sent.data)
    kind = _KINDS.get(sent.kind, TaskEvent)
    return kind.model_validate({**data, "kind": sent.kind, "data": data, **place})
