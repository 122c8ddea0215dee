"""Files to the server: small ones in one go, others in parts, of which none is sent twice."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from typing import Any, BinaryIO

from services.client.calls.reading import a, nothing, path_of_upload
from services.client.errors import ClientError
from services.client.media import Medium, UploadProgress
from services.client.notes import Note
from services.client.steps import (
    NO_LONGER,
    Call,
    Request,
    Steps,
    Whereto,
    ask,
    call,
    do,
    send,
)
from services.client.views import PartsView, UploadView

IN_ONE_GO = 64 * 1024**2  # bytes; what is larger goes in parts
_CHUNK = 256 * 1024
_TRIES = 5  # of a part that arrives as another
_RAW = "application/octet-stream"
_URLS_AT_ONCE = 100

Tell = Callable[[UploadProgress], None]


def upload(
    file: str | Path | bytes | BinaryIO,
    *,
    name: str | None = None,
    on_progress: Tell | None = None,
    in_one_go: int = IN_ONE_GO,
    direct: bool = True,
) -> Steps[UploadView]:
    """Sends a file for a task to name, a large one in parts. Broken off and called again for a
    file on disk, it goes on where it was; a part that changed since is sent again.

    `direct`: past the server, where its files are kept in a bucket that can be reached.
    """
    medium = Medium.of(file, name)
    told = _Told(medium, on_progress)
    if medium.size <= in_one_go:
        return (yield from ask(_in_one_go(medium, told)))
    note = Note.of((yield Whereto()), medium)
    begun = yield from _begun_before(note)
    if begun is None:
        about = {"name": medium.name, "size": medium.size}
        wanted = call("POST", "/v1/uploads/parts", a(UploadView), json=about, repeatable=True)
        begun = yield from ask(wanted)
        note.write(begun.key)
    if begun.parts is None:
        told.of(medium.size)
        return begun
    whole = yield from _send_parts(medium, told, begun, begun.parts, direct=direct)
    path = f"{path_of_upload(begun)}/complete"
    end = call("POST", path, a(UploadView), json={"sha256": whole}, repeatable=True)
    return (yield from ask(end))


def get(upload: str | UploadView) -> Call[UploadView]:
    """How far an upload has come."""
    return call("GET", path_of_upload(upload), a(UploadView))


def delete(upload: str | UploadView) -> Call[None]:
    """Removes a file that was sent; tasks that named it keep theirs."""
    return call("DELETE", path_of_upload(upload), nothing, had=NO_LONGER)


def forget(files: list[Path]) -> Steps[None]:
    """A task has them now: the next time they are sent anew."""
    url = yield Whereto()
    for file in files:
        with suppress(OSError):
            Note.of(url, Medium.of(file, None)).forget()


# ── in one go ────────────────────────────────────────────────────────────────────────────────


def _in_one_go(medium: Medium, told: _Told) -> Call[UploadView]:
    def chunks() -> Iterator[bytes]:
        told.of(0)
        with medium.open() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
                told.more(len(chunk))

    headers = {"Content-Type": _RAW, "Content-Length": str(medium.size)}
    query = {"name": medium.name}
    request = Request("POST", "/v1/uploads", query, headers, content=chunks)
    return Call(request, a(UploadView), repeatable=True)  # what comes twice is removed after a day


# ── in parts ─────────────────────────────────────────────────────────────────────────────────


def _begun_before(note: Note) -> Steps[UploadView | None]:
    key = note.read()
    if key is None:
        return None
    try:
        return (yield from ask(get(key)))
    except ClientError as error:
        if error.status not in {403, 404, 410}:
            raise
    return None


def _send_parts(
    medium: Medium, told: _Told, upload: UploadView, parts: PartsView, *, direct: bool
) -> Steps[str]:
    """The sha256 of the whole file, in hex."""
    whole = sha256()
    received = {part.number: part.etag.lower() for part in parts.received}
    way = _Way(path_of_upload(upload), parts.count, parts.direct and direct)
    told.of(0)
    with medium.open() as stream:

        def read() -> tuple[_Piece, set[str]]:
            data = stream.read(parts.part_bytes)
            whole.update(data)
            return _Piece(data), _names(data)

        for number in range(1, parts.count + 1):
            piece, names = yield from do(read)
            size = len(piece.data)
            if received.get(number) not in names:
                yield from way.send(number, piece)
            piece.data = b""
            told.more(size)
    return whole.hexdigest()


@dataclass(slots=True)
class _Piece:
    """The bytes of a part, as long as they are needed: a request that was sent lies in a cycle of
    references until Python looks for those, and would keep what it was given."""

    data: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Length": str(len(self.data))}

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), _CHUNK):
            yield self.data[start : start + _CHUNK]


@dataclass(slots=True)
class _Way:
    """How parts travel: straight to the bucket where there is one that can be reached, else
    through the server."""

    path: str
    count: int
    direct: bool
    _urls: dict[int, str] = field(default_factory=dict)

    def send(self, number: int, piece: _Piece) -> Steps[None]:
        if self.direct:
            self.direct = yield from self._sent_to_bucket(number, piece)
            if self.direct:
                return
        for tries in range(1, _TRIES + 1):
            try:
                return (yield from ask(self._part(number, piece)))
            except ClientError as error:
                if error.code != "wrong_checksum" or tries == _TRIES:
                    raise

    def _part(self, number: int, piece: _Piece) -> Call[None]:
        digest = base64.b64encode(sha256(piece.data).digest()).decode()
        told = {"Content-Type": _RAW, "Content-Digest": f"sha-256=:{digest}:"}
        headers = {**piece.headers, **told}
        path = f"{self.path}/parts/{number}"
        return Call(
            Request("PUT", path, {}, headers, content=piece.chunks), nothing, repeatable=True
        )

    def _sent_to_bucket(self, number: int, piece: _Piece) -> Steps[bool]:
        """False where it was not taken; from then on the server is the way."""
        url = yield from self._url(number)
        try:
            request = Request(
                "PUT", url, headers=piece.headers, content=piece.chunks, elsewhere=True
            )
            sent = yield from send(request)
        except ClientError:
            return False
        return sent.is_success

    def _url(self, number: int) -> Steps[str]:
        if number not in self._urls:
            end = min(number + _URLS_AT_ONCE, self.count + 1)
            wanted = {"numbers": list(range(number, end))}
            path = f"{self.path}/urls"
            self._urls = yield from ask(call("POST", path, _urls, json=wanted, repeatable=True))
        return self._urls[number]


def _urls(answer: Any) -> dict[int, str]:
    return {each["number"]: each["url"] for each in answer.json()["urls"]}


def _names(piece: bytes) -> set[str]:
    """What a store may call these bytes."""
    return {sha256(piece).hexdigest(), md5(piece, usedforsecurity=False).hexdigest()}


# ── what the caller is told ──────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Told:
    medium: Medium
    tell: Tell | None
    _sent: int = 0

    def more(self, count: int) -> None:
        self.of(self._sent + count)

    def of(self, count: int) -> None:
        self._sent = count
        if self.tell is not None:
            self.tell(UploadProgress(self.medium.name, count, self.medium.size))
