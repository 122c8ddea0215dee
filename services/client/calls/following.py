"""Events as they happen, over a stream that is opened again wherever it broke off."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.client.calls.reading import Task, nothing, path_of
from services.client.calls.tasks import get
from services.client.errors import Unreachable
from services.client.events import (
    EventsMissed,
    StateChanged,
    TaskEvent,
    read_any_event,
    read_event,
)
from services.client.server_sent import Reader, Sent
from services.client.steps import Call, Finds, Found, NextChunk, Pause, Request, Steps, ask

_BEFORE_NEXT_S = 0.5


def events(task: Task, *, after: int = 0) -> Finds[TaskEvent]:
    """What happens to a task, from its beginning or from after the event of that number, until it
    has ended. A connection that breaks off is opened again where it was."""
    ended = False
    while True:
        stream, news = Stream(f"{path_of(task)}/events"), False
        yield from stream.open(after)
        while (told := (yield from stream.more())) is not None:
            for event in map(read_event, told):
                ended = event.state.ended if isinstance(event, StateChanged) else ended
                after, news = event.number, True
                yield Found(event)
        if ended and not stream.broken:
            return
        if not news and not stream.broken:  # it told all, or its server stops
            seen = yield from ask(get(task))
            if seen.state.ended:
                return
        yield Pause(_BEFORE_NEXT_S)


def all_events(*, after: int | None = None) -> Finds[TaskEvent | EventsMissed]:
    """What happens to all of your tasks, from now on or from after the event at that position; 0
    is before the oldest that is kept. It has no end: leave when you have seen enough."""
    while True:
        stream = Stream("/v1/events")
        yield from stream.open(after)
        while (told := (yield from stream.more())) is not None:
            for event in map(read_any_event, told):
                yield Found(event)
            after = stream.place if stream.place is not None else after
        yield Pause(_BEFORE_NEXT_S)


@dataclass(slots=True)
class Stream:
    """One connection to a path that tells events."""

    path: str
    broken: bool = False
    _reader: Reader = field(default_factory=Reader)

    @property
    def place(self) -> int | None:
        """The last id that came."""
        return int(self._reader.last_id) if self._reader.last_id else None

    def open(self, after: int | None) -> Steps[None]:
        headers = {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        request = Request("GET", self.path, headers=headers, stream=True)
        yield from ask(Call(request, nothing, repeatable=True))

    def more(self) -> Steps[list[Sent] | None]:
        """What came since; None at the end, also where it broke off."""
        try:
            chunk = yield NextChunk()
        except Unreachable:
            self.broken = True
            return None
        return None if chunk is None else list(self._reader.read(chunk))
