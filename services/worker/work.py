"""What a stage may ask of the world while it runs: its inputs, its places, a word of progress."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from services import logs
from services.model.chat import Usage
from services.model.errors import FailureClass, FanscribeError, JobFailed
from services.model.messages import INLINE_LIMIT, MOST_SENTENCES, Earlier, Grant, Progress
from services.model.stages import Place
from services.model.transcript import Body, Segment
from services.outbound import Objects
from services.worker.callbacks import Manager
from services.worker.leases import Lease, Released, leaving
from services.worker.memory import Memory

_PROGRESS_EVERY_S = 0.5
_AFTER_FAILURE_S = 5.0
_STORE_AGAIN_S = 30.0
_CHUNK = 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_PASSING = frozenset({FailureClass.NETWORK_TIMEOUT, FailureClass.SERVICE_UNAVAILABLE})

log = logs.get(__name__)


class Work(Protocol):
    """One attempt of a job as its stage sees it; `folder` is scratch and goes away with it."""

    folder: Path
    grant: Grant

    def fetch(self, place: Place) -> Path:
        """The object as a local file, its sha256 verified where it is known."""
        ...

    def fetch_range(self, place: Place, start: int, end: int) -> bytes:
        """The bytes [start, end) of an object, not verified."""
        ...

    def read(self, body: Body, url: str | None) -> str:
        """A text, inline or from its object."""
        ...

    def keep(self, place: Place, text: str) -> Body:
        """Inline up to 64 KB, else put to `place`."""
        ...

    def keep_file(self, place: Place, path: Path) -> Body:
        """Puts a file to `place`."""
        ...

    def progress(
        self,
        fraction: float,
        *,
        segments: Sequence[Segment] = (),
        sentences: Sequence[Segment] = (),
        language: str | None = None,
    ) -> None:
        """How far it is, what was heard since, and which sentences are whole by now; sent at most
        twice a second, but for the first sentences, which somebody waits for."""
        ...

    def used(self, usage: Usage) -> None:
        """What a chat service took just now; it is reported whatever becomes of the attempt."""
        ...

    def earlier(self, digest: str) -> Earlier:
        """The result of an earlier job of the same owner that depended on the same, if any."""
        ...

    def remember(self, texts: Mapping[str, str]) -> None:
        """Translations by digest that may answer for the same sentences later."""
        ...

    def check(self) -> None:
        """Raises LeaseLost or JobFailed(time_limit): call it wherever the work can stop."""
        ...


class Attempt:
    """The `Work` of one lease."""

    def __init__(
        self,
        lease: Lease,
        token: str,
        folder: Path,
        manager: Manager,
        objects: Objects,
        *,
        memory: Memory,
    ) -> None:
        self.folder = folder
        self.grant = lease.grant
        self.check: Callable[[], None] = lease.check
        self.used: Callable[[Usage], None] = lease.used
        self._lease = lease
        self._token = token
        self._objects = objects
        self._memory = memory
        self._teller = _Teller(lease, token, manager)

    def fetch(self, place: Place) -> Path:
        name = place.key or place.url
        path = self.folder / f"input-{sha256(name.encode()).hexdigest()[:16]}"
        if place.of_user:
            with self._lease.fetching():
                self._objects.download_of_user(place.url, path, self._moved, place.size)
            return path
        digest = self._objects.download(self._url(place), path, self._moved)
        size = path.stat().st_size
        if (place.size and size != place.size) or (place.sha256 and digest != place.sha256):
            raise _damaged(place.key)
        return path

    def fetch_range(self, place: Place, start: int, end: int) -> bytes:
        data = self._objects.read(self._url(place), start, end)
        if len(data) != end - start:
            raise _damaged(place.key)
        self._moved()
        return data

    def read(self, body: Body, url: str | None) -> str:
        if body.inline is not None:
            return body.inline
        key = body.key or ""
        data = self._objects.read(self._lease.urls.get(key) or url or "")
        self._moved()
        if body.sha256 and sha256(data).hexdigest() != body.sha256:
            raise _damaged(key)
        return data.decode()

    def keep(self, place: Place, text: str) -> Body:
        self._engine_finished()
        data = text.encode()
        digest = sha256(data).hexdigest()
        if len(data) <= INLINE_LIMIT:
            return Body(inline=text, size=len(data), sha256=digest)
        self._store(place, lambda: BytesIO(data))
        return Body(key=place.key, size=len(data), sha256=digest)

    def keep_file(self, place: Place, path: Path) -> Body:
        self._engine_finished()
        digest = sha256()
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                digest.update(chunk)
        self._store(place, lambda: path.open("rb"))
        return Body(key=place.key, size=path.stat().st_size, sha256=digest.hexdigest())

    def progress(
        self,
        fraction: float,
        *,
        segments: Sequence[Segment] = (),
        sentences: Sequence[Segment] = (),
        language: str | None = None,
    ) -> None:
        self._lease.moved()
        self._teller.tell(fraction, segments, sentences, language)

    def earlier(self, digest: str) -> Earlier:
        found = self._memory.earlier(self._token, self._lease.held, digest)
        self._moved()
        return found

    def remember(self, texts: Mapping[str, str]) -> None:
        self._memory.remember(self._lease.held, texts)

    def _store(self, place: Place, opened: Callable[[], BinaryIO]) -> None:
        """The work is done and worth keeping: storing is tried again in place, and no attempt
        is charged, until the lease is gone."""
        for _ in _day():
            self.check()
            try:
                with opened() as source:
                    self._objects.upload(self._url(place), source)
            except (JobFailed, OSError) as error:
                if not _passes(error):
                    raise
                log.warning("result_not_stored", reason=str(error))
                if leaving.wait(_STORE_AGAIN_S):
                    raise Released("The worker is going away.") from error
                self._lease.waited(_STORE_AGAIN_S)
            else:
                return
        raise JobFailed(
            FailureClass.SERVICE_UNAVAILABLE, "storage_away", "Storage was away for a day."
        )

    def _engine_finished(self) -> None:
        self._lease.engine_finished()
        self._teller.flush()

    def _moved(self) -> None:
        self._lease.moved()
        self.check()

    def _url(self, place: Place) -> str:
        return self._lease.urls.get(place.key, place.url)


class _Teller:
    """Sends progress as it comes, but not too often; what fails to go out goes with the next."""

    def __init__(self, lease: Lease, token: str, manager: Manager) -> None:
        self._lease = lease
        self._token = token
        self._manager = manager
        self._number = 0
        self._not_before = 0.0
        self._fraction = 0.0
        self._language: str | None = None
        self._segments: list[Segment] = []
        self._sentences: list[Segment] = []
        self._first = True  # no sentence has come yet

    def tell(
        self,
        fraction: float,
        segments: Sequence[Segment],
        sentences: Sequence[Segment],
        language: str | None,
    ) -> None:
        self._fraction = min(1.0, max(self._fraction, fraction))
        self._language = language or self._language
        self._segments.extend(segments)
        self._sentences = [*self._sentences, *sentences][-MOST_SENTENCES:]
        hurried, self._first = self._first and bool(sentences), self._first and not sentences
        if hurried or time.monotonic() >= self._not_before:
            self._send()

    def flush(self) -> None:
        """What was heard and not told yet; a mere number may stay untold. No sentence is asked
        for any more: the whole comes now."""
        self._sentences = []
        if self._segments:
            self._send()

    def _send(self) -> None:
        self._number += 1
        message = Progress(
            token=self._token,
            job=self._lease.grant.job,
            attempt=self._lease.grant.attempt,
            number=self._number,
            fraction=self._fraction,
            segments=self._segments,
            sentences=self._sentences,
            language=self._language if self._number == 1 or self._segments else None,
        )
        try:
            self._lease.learn(self._manager.progress(message))
        except FanscribeError as error:
            log.warning("progress_failed", reason=str(error))
            self._not_before = time.monotonic() + _AFTER_FAILURE_S
            return
        self._segments, self._sentences = [], []
        self._not_before = time.monotonic() + _PROGRESS_EVERY_S


def _passes(error: JobFailed | OSError) -> bool:
    """Whether storage may take later what it does not take now: it is away, busy or full."""
    if isinstance(error, JobFailed):
        return error.failure_class in _PASSING
    return error.errno in _FULL


def _day() -> Iterator[int]:
    return iter(range(int(24 * 3600 / _STORE_AGAIN_S)))


def _damaged(key: str) -> JobFailed:
    return JobFailed(
        FailureClass.NETWORK_TIMEOUT, "input_damaged", f"The input {key!r} came in damaged."
    )
