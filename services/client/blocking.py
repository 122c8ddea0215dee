"""Takes the steps of the client's methods with calls that block."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, Concatenate, ParamSpec, TypeVar

from services.client.asking import asked
from services.client.errors import ClientError
from services.client.server import Server, parts_of
from services.client.signatures import with_self
from services.client.steps import (
    Call,
    Finds,
    Found,
    NextChunk,
    Pause,
    Request,
    Step,
    Steps,
    Walk,
    Whereto,
    Work,
    steps_of,
)
from services.outbound import Response, open_client

P = ParamSpec("P")
T = TypeVar("T")


class Runner:
    """Talks to one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._client = open_client(server.url, server.headers, read_s=server.timeout_s)
        self._elsewhere = open_client(read_s=server.timeout_s)

    def close(self) -> None:
        self._client.close()
        self._elsewhere.close()

    def run(self, steps: Steps[T]) -> T:
        """Takes all steps; what they end with."""
        with closing(_Hand(self)) as hand:
            return hand.run(steps)

    def find(self, steps: Finds[T]) -> Generator[T, None, None]:
        """Takes steps as long as what they find is wanted."""
        with closing(_Hand(self)) as hand, closing(Walk(steps)) as walk:
            while walk.step is not None:
                if isinstance(walk.step, Found):
                    yield walk.step.value
                    walk.answer(None)
                else:
                    hand.take(walk)

    def send(self, request: Request) -> Response:
        """Raises Unreachable."""
        client = self._elsewhere if request.elsewhere else self._client
        parts = parts_of(request)
        if callable(request.content):
            parts["content"] = request.content()
        built = client.build_request(request.method, request.path, **parts)
        with self.server.reached():
            return client.send(built, stream=request.stream)


class _Hand:
    """Takes one step after the other, and holds what is open meanwhile."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._opened: Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def run(self, steps: Steps[T]) -> T:
        with closing(Walk(steps)) as walk:
            while walk.step is not None:
                self.take(walk)
            return walk.value

    def take(self, walk: Walk[Any]) -> None:
        try:
            answer = self._answer(walk.step)
        except ClientError as error:
            walk.fail(error)
        else:
            walk.answer(answer)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _answer(self, step: Step | Found[Any] | None) -> Any:
        match step:
            case Call():
                return self.run(asked(step, self._runner.server.patience_s))
            case Request():
                response = self._runner.send(step)
                return self._held(response) if step.stream else response
            case Pause(seconds):
                return time.sleep(seconds)
            case Work(do):
                return do()
            case Whereto():
                return self._runner.server.url
            case NextChunk():
                return self._next()
        raise AssertionError(step)

    def _held(self, response: Response) -> Response:
        self.close()
        self._opened, self._chunks = response, response.iter_bytes()
        if not response.is_success:
            with self._runner.server.reached():
                response.read()
        return response

    def _next(self) -> bytes | None:
        with self._runner.server.reached():
            return next(self._chunks, None)


class Blocking:
    """Something whose methods block."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner


def method(
    make: Callable[P, Call[T] | Steps[T]],
) -> Callable[Concatenate[Blocking, P], T]:
    """A method that takes these steps."""

    @functools.wraps(make)
    def blocking(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._runner.run(steps_of(make(*args, **kwargs)))

    return with_self(blocking, make)


def iterator(
    make: Callable[P, Finds[T]],
) -> Callable[Concatenate[Blocking, P], Generator[T, None, None]]:
    """A method that finds one after the other."""

    @functools.wraps(make)
    def finding(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return self._runner.find(make(*args, **kwargs))

    return with_self(finding, make)
