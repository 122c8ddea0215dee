"""Just enough of HTTP/1.1 to pass small requests on and to read their answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "host"}
_LONGEST_HEAD = 64 * 1024


class Broken(ConnectionError):
    """The other side closed, or said what is no HTTP."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its first line, its headers but those of one hop, its body."""

    first: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def method(self) -> str:
        return self.first.split(" ", 1)[0]

    @property
    def path(self) -> str:
        return self.first.split(" ", 2)[1]

    @property
    def status(self) -> int:
        return int(self.first.split(" ", 2)[1])

    def bytes(self, *, host: str = "", close: bool = False) -> bytes:
        own = [("Host", host)] if host else []
        own += [("Content-Length", str(len(self.body)))]
        own += [("Connection", "close")] if close else []
        lines = [self.first, *(f"{name}: {value}" for name, value in [*own, *self.headers])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


def answer(status: int, reason: str, body: bytes = b"") -> Message:
    return Message(f"HTTP/1.1 {status} {reason}", [("Content-Type", "application/json")], body)


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """The next message; None if the other side has closed before it. Raises Broken."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Broken("it closed within the head") from error
    except asyncio.LimitOverrunError as error:
        raise Broken("the head is too long") from error
    first, *rest = head.decode("latin-1").split("\r\n")[:-2]
    pairs = [line.partition(":")[::2] for line in rest]
    headers = [(name.strip(), value.strip()) for name, value in pairs]
    known = {name.lower(): value for name, value in headers}
    try:
        body = await _body(reader, first, known)
    except (asyncio.IncompleteReadError, ValueError) as error:
        raise Broken("it closed within the body") from error
    kept = [(name, value) for name, value in headers if name.lower() not in _HOP]
    return Message(first, kept, body)


async def _body(reader: asyncio.StreamReader, first: str, known: dict[str, str]) -> bytes:
    if "chunked" in known.get("transfer-encoding", ""):
        return await _chunks(reader)
    if "content-length" in known:
        return await reader.readexactly(int(known["content-length"]))
    is_answer = first.startswith("HTTP/")
    empty = is_answer and first.split(" ", 2)[1] in {"204", "304"}
    return await reader.read() if is_answer and not empty else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        body += await reader.readexactly(size)
        await reader.readexactly(2)
        if size == 0:
            return bytes(body)


async def exchange(host: str, port: int, request: Message, patience_s: float) -> Message:
    """One request on a connection of its own. Raises ConnectionRefusedError before anything was
    sent, Broken or TimeoutError after."""
    reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_HEAD)
    try:
        async with asyncio.timeout(patience_s):
            writer.write(request.bytes(host=f"{host}:{port}", close=True))
            await writer.drain()
            got = await read_message(reader)
    except TimeoutError:
        raise
    except OSError as error:
        raise Broken(str(error)) from error
    finally:
        writer.close()
    if got is None:
        raise Broken("it closed without an answer")
    return got
