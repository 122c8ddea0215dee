"""Both clients behind one face, so that one suite asks the same of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from fanscribe import AsyncFanscribe, Fanscribe

KINDS = ("blocking", "awaiting")


def open_client(kind: str, url: str, **more: Any) -> Any:
    """One that blocks; `awaiting` is the asynchronous one on a loop of its own."""
    return Fanscribe(url, **more) if kind == "blocking" else Awaited(url, **more)


class Awaited:
    """An AsyncFanscribe whose coroutines are run, and whose iterators are iterated."""

    def __init__(self, url: str, **more: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = AsyncFanscribe(url, **more)

    def __getattr__(self, name: str) -> Any:
        return self._faced(getattr(self._client, name))

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _faced(self, found: Any) -> Any:
        if inspect.ismethod(found):
            return lambda *given, **named: self._run(found(*given, **named))
        return _Group(self, found) if hasattr(found, "_runner") else found

    def _run(self, made: Any) -> Any:
        if inspect.isasyncgen(made):
            return self._each(made)
        return self._loop.run_until_complete(made)

    def _each(self, made: AsyncGenerator[Any, None]) -> Iterator[Any]:
        end = object()
        try:
            while (found := self._loop.run_until_complete(anext(made, end))) is not end:
                yield found
        finally:
            self._loop.run_until_complete(made.aclose())


class _Group:
    def __init__(self, client: Awaited, group: Any) -> None:
        self._client = client
        self._group = group

    def __getattr__(self, name: str) -> Any:
        return self._client._faced(getattr(self._group, name))
