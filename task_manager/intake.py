"""Takes files in: streamed from the socket to storage, counted on the way, never held."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.requests import Request

from services.machine import free_disk_bytes
from services.model.errors import Invalid, TooLarge
from services.model.task import AudioInput
from services.settings import Settings
from services.storage.protocol import ObjectStore
from task_manager import pace
from task_manager.admission import folders, out_of_space

T = TypeVar("T")

_AT_ONCE = anyio.CapacityLimiter(64)  # uploads have threads of their own: slow ones hold up no GET
_LOOK_EVERY = 64 * 1024 * 1024  # bytes between two looks at the free space


class Intake:
    """The one door for files. Everything that it refuses leaves no object behind."""

    def __init__(self, objects: ObjectStore, settings: Settings) -> None:
        self._objects = objects
        self._settings = settings

    def store(self, key: str, name: str, chunks: Iterable[bytes], *, field: str) -> AudioInput:
        """Raises TooLarge, OutOfSpace, or Invalid `empty_file`."""
        with full_disk_told():
            info = self._objects.put(key, self._counted(chunks, field))
        if info.size == 0:
            self._objects.delete(key)
            raise Invalid(f"The file {name[:100]!r} is empty.", code="empty_file", field=field)
        return AudioInput(key=key, size=info.size, sha256=info.sha256, name=name[:255])

    def look_at_size(self, size: int) -> None:
        """Before the first byte of so many. Raises TooLarge and OutOfSpace."""
        if 0 < self._settings.max_upload_bytes < size:
            raise self._too_large("size")
        self._look_at_space(size)

    def forget(self, key: str) -> None:
        """Takes back what `store` stored."""
        self._objects.delete(key)

    def _counted(self, chunks: Iterable[bytes], field: str) -> Iterator[bytes]:
        limit = self._settings.max_upload_bytes
        size = 0
        looked_at = -_LOOK_EVERY
        for chunk in chunks:
            size += len(chunk)
            if 0 < limit < size:
                raise self._too_large(field)
            if size - looked_at >= _LOOK_EVERY:
                self._look_at_space()
                looked_at = size
            yield chunk

    def _too_large(self, field: str) -> TooLarge:
        return TooLarge(f"A file has up to {self._settings.max_upload_bytes} bytes.", field=field)

    def _look_at_space(self, wanted: int = 0) -> None:
        limit = self._settings.min_free_bytes + wanted
        if any(free_disk_bytes(folder) < limit for folder in folders(self._settings)):
            raise out_of_space()


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Raises OutOfSpace where the system says that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise out_of_space() from error


async def read_in_thread(
    request: Request,
    read: Callable[[Iterator[bytes]], T],
    limiter: anyio.CapacityLimiter = _AT_ONCE,
) -> T:
    """What `read` makes of the body's chunks; it runs in a thread and pulls them from the loop.

    After an error a little more of the body is read, so that the answer is not lost in a reset.
    """
    pace.as_file(request)
    stream = aiter(request.stream())
    try:
        return await anyio.to_thread.run_sync(lambda: read(_pulled(stream)), limiter=limiter)
    except Exception:
        await drain(stream)
        raise


def _pulled(stream: AsyncIterator[bytes]) -> Iterator[bytes]:
    async def following() -> bytes | None:
        return await anext(stream, None)

    while (chunk := anyio.from_thread.run(following)) is not None:
        if chunk:
            yield chunk


async def drain(stream: AsyncIterator[bytes]) -> None:
    """Reads on for a while, so that a refusal is not lost in a reset of the connection."""
    size = 0
    try:
        with anyio.move_on_after(pace.DRAIN_S):
            async for chunk in stream:
                size += len(chunk)
                if size > pace.DRAIN:
                    return
    except Exception:  # noqa: BLE001  the caller went away: nobody waits for the answer
        return
