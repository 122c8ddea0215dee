"""A TCP proxy that goes wrong on order: slow, reset, half-open, cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Sequence
from typing import Literal

from benchmarks.faults.loop import Loop

_CHUNK = 64 * 1024
RST = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, with a reset
Way = Literal["both", "up", "down"]


class TcpProxy:
    """Stands at `port` in front of `target` (host, port). Its methods may be called from any
    thread; a fault holds until `heal`.

    - `slow`: every chunk takes so many seconds longer.
    - `reset`: all open connections end with RST; new ones are fine.
    - `half_open`: connections stand and are taken, and nothing comes through one way or both;
      after `heal` what was sent meanwhile arrives late, as with a network that was cut.
    - `forget`: what is open stays open and says nothing any more, nor after `heal`; new ones are
      fine. So does a router that was started anew.
    - `cut`: all connections end with RST, and new ones do as soon as they are made.
    """

    def __init__(self, loop: Loop, port: int, target: tuple[str, int]) -> None:
        self.port = port
        self._loop = loop
        self._target = target
        self._slow_s = 0.0
        self._cut = False
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._writers: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        for event in self._open.values():
            event.set()
        self._server = loop.run(asyncio.start_server(self._serve, "127.0.0.1", port))

    def slow(self, seconds: float) -> None:
        self._slow_s = seconds

    def reset(self) -> None:
        self._loop.run(self._reset())

    def half_open(self, way: Way = "both") -> None:
        self._loop.run(self._hold(way))

    def forget(self) -> None:
        self._loop.run(self._forget())

    def cut(self) -> None:
        self._cut = True
        self.reset()

    def heal(self) -> None:
        self._slow_s = 0.0
        self._cut = False
        self._loop.run(self._let_through())

    def close(self) -> None:
        self._loop.run(self._close())

    async def _close(self) -> None:
        self._server.close()
        await self._reset()

    async def _hold(self, way: Way) -> None:
        for name in ("up", "down"):
            if way in {"both", name}:
                self._open[name].clear()

    async def _forget(self) -> None:
        self._forgotten |= self._writers

    async def _let_through(self) -> None:
        for event in self._open.values():
            event.set()

    async def _reset(self) -> None:
        for writer in list(self._writers):
            _abort(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:  # the stream server of 3.11 cries where it is told of one
            pass
        finally:
            self._writers.discard(writer)
            self._forgotten.discard(writer)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            _abort(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            _abort(writer)
            return
        self._writers.add(far_writer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump("up", reader, far_writer))
                group.create_task(self._pump("down", far_reader, writer))
        finally:
            self._writers.discard(far_writer)
            self._forgotten.discard(far_writer)
            far_writer.close()

    async def _pump(
        self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._open[way].wait()
                if writer in self._forgotten:
                    continue
                if self._slow_s:
                    await asyncio.sleep(self._slow_s)
                writer.write(chunk)
                await writer.drain()
            await self._open[way].wait()
        writer.close()  # what one side has ended is over for both


class Proxies:
    """Several that go wrong together."""

    def __init__(self, proxies: Sequence[TcpProxy]) -> None:
        self._proxies = proxies

    def slow(self, seconds: float) -> None:
        for each in self._proxies:
            each.slow(seconds)

    def reset(self) -> None:
        for each in self._proxies:
            each.reset()

    def half_open(self, way: Way = "both") -> None:
        for each in self._proxies:
            each.half_open(way)

    def forget(self) -> None:
        for each in self._proxies:
            each.forget()

    def cut(self) -> None:
        for each in self._proxies:
            each.cut()

    def heal(self) -> None:
        for each in self._proxies:
            each.heal()

    def close(self) -> None:
        for each in self._proxies:
            each.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    writer.transport.abort()
