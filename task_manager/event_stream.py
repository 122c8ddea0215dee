"""An answer of server-sent events, which its reader may leave at any moment: what made them is
closed then, and nothing is wrong.

FastAPI's own stream takes a reader who leaves for a mistake of ours, and logs it as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import anyio
from fastapi.sse import ServerSentEvent, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Send

PING_EVERY_S = 15.0  # a stream with nothing to tell says so, lest somebody between ends it
_PING = b": ping\n\n"
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # nginx passes it on at once

TOLD = {
    "description": "Successful Response",
    "content": {
        "text/event-stream": {
            "itemSchema": {
                "type": "object",
                "properties": {
                    "data": {"type": "string"},
                    "event": {"type": "string"},
                    "id": {"type": "string"},
                    "retry": {"type": "integer", "minimum": 0},
                },
            }
        }
    },
}


class EventStream(StreamingResponse):
    """What `events` yields, and a comment whenever that takes long."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[ServerSentEvent], status_code: int = 200) -> None:
        self._made = (_with_pings(events), events)
        super().__init__(self._made[0], status_code, _HEADERS)

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        finally:
            with anyio.CancelScope(shield=True):
                for each in self._made:
                    await each.aclose()


async def _with_pings(events: AsyncGenerator[ServerSentEvent]) -> AsyncGenerator[bytes]:
    coming: asyncio.Future[ServerSentEvent] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(events))
            while not (await asyncio.wait([coming], timeout=PING_EVERY_S))[0]:
                yield _PING
            try:
                yield _written(coming.result())
            except StopAsyncIteration:
                return
    finally:
        if coming is not None:
            coming.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.gather(coming, return_exceptions=True)


def _written(event: ServerSentEvent) -> bytes:
    return format_sse_event(
        data_str=event.raw_data, event=event.event, id=event.id, retry=event.retry
    )
