"""Workers and probes have threads of their own: no flood of public requests holds them up.

All other routes share the event loop's pool of 40 threads, where a slow request keeps the next
one waiting. A callback that waits is a beat that is missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial, wraps
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")

_CALLS = anyio.CapacityLimiter(40)
OBJECTS = anyio.CapacityLimiter(64)  # what workers fetch and store may take long


def on_own_thread(call: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """A blocking route or dependency as one that does not queue up behind public requests."""

    @wraps(call)
    async def threaded(*args: P.args, **named: P.kwargs) -> T:
        return await anyio.to_thread.run_sync(partial(call, *args, **named), limiter=_CALLS)

    return threaded


async def streamed(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of an object, each read in a thread of the objects'."""
    while (
        chunk := await anyio.to_thread.run_sync(next, chunks, None, limiter=OBJECTS)
    ) is not None:
        yield chunk
