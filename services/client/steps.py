"""What a method of the client does, as steps that a runner takes: it asks, waits, and finds.

A method is written once, as a generator of steps. One runner takes them with blocking calls and
one with `await`, so that neither client has logic of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from services.outbound import Response

T = TypeVar("T")

_REPEATABLE = frozenset({"GET", "PUT", "DELETE", "PATCH"})


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, whose answer is a Response; raises Unreachable where none comes.

    `content` is a body that is no JSON; a function gives it anew for each try. `elsewhere`: `path`
    is a whole URL of somebody else, who is not shown our key. `stream`: the answer is read chunk by
    chunk, by the steps that follow.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | Callable[[], Iterator[bytes]] | None = None
    elsewhere: bool = False
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request to the API and how its answer is read; refusals are raised, and what may pass is
    asked again for a while.

    `repeatable`: sent twice, it does no more than once, so it is also sent again when nobody knows
    whether it arrived. `had` are the statuses by which a second try learns that the first did it.
    `patient`: without it nothing is asked twice.
    """

    request: Request
    read: Callable[[Response], T]
    repeatable: bool = False
    had: frozenset[int] = frozenset()
    patient: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Something that keeps a disk or a core busy, for which an event loop must not wait."""

    do: Callable[[], Any]


class Whereto:
    """The URL of the server."""


class NextChunk:
    """The next bytes of the stream that was asked for last; None at its end."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One more of what the caller iterates over."""

    value: T


Step: TypeAlias = "Request | Call[Any] | Pause | Work | NextChunk | Whereto"
Steps: TypeAlias = Generator[Step, Any, T]
"""Steps that end with a value."""
Finds: TypeAlias = "Generator[Step | Found[T], Any, None]"
"""Steps that find values on their way."""

NO_LONGER = frozenset({404, 410})  # what a DELETE meets that has done its work


def ask(call: Call[T]) -> Steps[T]:
    answer: T = yield call
    return answer


def steps_of(given: Call[T] | Steps[T]) -> Steps[T]:
    """Most methods are one call."""
    return ask(given) if isinstance(given, Call) else given


def send(request: Request) -> Steps[Response]:
    response: Response = yield request
    return response


def do(work: Callable[[], T]) -> Steps[T]:
    made: T = yield Work(work)
    return made


def call(
    method: str,
    path: str,
    read: Callable[[Response], T],
    *,
    query: Mapping[str, Any] | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    repeatable: bool | None = None,
    had: frozenset[int] = frozenset(),
    patient: bool = True,
) -> Call[T]:
    """A call with JSON; what is None in the query is left out."""
    wanted = {name: value for name, value in (query or {}).items() if value is not None}
    request = Request(method, path, wanted, headers or {}, json)
    again = method in _REPEATABLE if repeatable is None else repeatable
    return Call(request, read, again, had, patient)


class Walk(Generic[T]):
    """Where a runner is among the steps: `step` is the next one, None at the end, which has a
    `value`."""

    step: Step | Found[Any] | None
    value: T

    def __init__(self, steps: Generator[Any, Any, T]) -> None:
        self._steps = steps
        self._move(lambda: next(steps))

    def answer(self, answer: Any) -> None:
        self._move(lambda: self._steps.send(answer))

    def fail(self, error: Exception) -> None:
        """The step went wrong, which the steps may have something against; else raises it."""
        self._move(lambda: self._steps.throw(error))

    def close(self) -> None:
        self._steps.close()

    def _move(self, move: Callable[[], Any]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.step, self.value = None, end.value
