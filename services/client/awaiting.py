"""Takes the steps of the client's methods with calls that are awaited."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing, closing
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
from services.outbound import Response, open_async_client

P = ParamSpec("P")
T = TypeVar("T")


class Runner:
    """Talks to one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._client = open_async_client(server.url, server.headers, read_s=server.timeout_s)
        self._elsewhere = open_async_client(read_s=server.timeout_s)

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._elsewhere.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Takes all steps; what they end with."""
        async with aclosing(_Hand(self)) as hand:
            return await hand.run(steps)

    async def find(self, steps: Finds[T]) -> AsyncGenerator[T, None]:
        """Takes steps as long as what they find is wanted."""
        async with aclosing(_Hand(self)) as hand:
            with closing(Walk(steps)) as walk:
                while walk.step is not None:
                    if isinstance(walk.step, Found):
                        yield walk.step.value
                        walk.answer(None)
                    else:
                        await hand.take(walk)

    async def send(self, request: Request) -> Response:
        """Raises Unreachable."""
        client = self._elsewhere if request.elsewhere else self._client
        parts = parts_of(request)
        if callable(request.content):
            parts["content"] = _awaited(request.content())
        built = client.build_request(request.method, request.path, **parts)
        with self.server.reached():
            return await client.send(built, stream=request.stream)


async def _awaited(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class _Hand:
    """Takes one step after the other, and holds what is open meanwhile."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._opened: Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def run(self, steps: Steps[T]) -> T:
        with closing(Walk(steps)) as walk:
            while walk.step is not None:
                await self.take(walk)
            return walk.value

    async def take(self, walk: Walk[Any]) -> None:
        try:
            answer = await self._answer(walk.step)
        except ClientError as error:
            walk.fail(error)
        else:
            walk.answer(answer)

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    async def _answer(self, step: Step | Found[Any] | None) -> Any:
        match step:
            case Call():
                return await self.run(asked(step, self._runner.server.patience_s))
            case Request():
                response = await self._runner.send(step)
                return await self._held(response) if step.stream else response
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Work(do):
                return await asyncio.to_thread(do)
            case Whereto():
                return self._runner.server.url
            case NextChunk():
                return await self._next()
        raise AssertionError(step)

    async def _held(self, response: Response) -> Response:
        await self.aclose()
        self._opened, self._chunks = response, response.aiter_bytes()
        if not response.is_success:
            with self._runner.server.reached():
                await response.aread()
        return response

    async def _next(self) -> bytes | None:
        assert self._chunks is not None, "no stream was asked for"
        with self._runner.server.reached():
            return await anext(self._chunks, None)


class Awaiting:
    """Something whose methods are awaited."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner


def method(
    make: Callable[P, Call[T] | Steps[T]],
) -> Callable[Concatenate[Awaiting, P], Coroutine[Any, Any, T]]:
    """A method that takes these steps."""

    @functools.wraps(make)
    async def awaiting(self: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._runner.run(steps_of(make(*args, **kwargs)))

    return with_self(awaiting, make)


def iterator(
    make: Callable[P, Finds[T]],
) -> Callable[Concatenate[Awaiting, P], AsyncGenerator[T, None]]:
    """A method that finds one after the other."""

    @functools.wraps(make)
    def finding(self: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return self._runner.find(make(*args, **kwargs))

    return with_self(finding, make)
