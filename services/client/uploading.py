"""A file to the server: small ones in one go, others in parts, of which none is sent twice."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

from services.client.transport import ClientError, Transport
from services.client.views import PartsView, UploadView
from services.outbound import HttpError, open_client

IN_ONE_GO = 64 * 1024**2  # bytes; what is larger goes in parts
_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # before a part is sent again
_PASSING = frozenset({0, 429, 500, 502, 503, 504})
_RAW = "application/octet-stream"
_URLS_AT_ONCE = 100

Tell = Callable[[int], None]


@dataclass(slots=True)
class Sender:
    """Sends one file. `tell` hears of the bytes that are there, sent before or just now."""

    transport: Transport
    file: Path
    tell: Tell
    in_one_go: int = IN_ONE_GO
    may_go_direct: bool = True  # past the server, where there is a bucket

    def send(self) -> UploadView:
        """The upload, complete. Broken off and called again, it goes on where it was; a part that
        changed since is sent again. Raises ClientError."""
        if self.file.stat().st_size <= self.in_one_go:
            sent = self.transport.send_file(
                "/v1/uploads", self.file, self.tell, name=self.file.name
            )
            return UploadView.model_validate(sent)
        note = _note_of(self.transport.url, self.file)
        upload = self._begun_before(note) or self._begin(note)
        if upload.parts is None:
            self.tell(upload.size)
            return upload
        whole = self._send_parts(upload, upload.parts)
        path = f"/v1/{upload.key}/complete"
        return UploadView.model_validate(self.transport.send("POST", path, {"sha256": whole}))

    def _begun_before(self, note: Path) -> UploadView | None:
        with suppress(OSError, ValueError, KeyError):
            key = json.loads(note.read_text())["key"]
            try:
                return UploadView.model_validate(self.transport.get(f"/v1/{key}"))
            except ClientError as error:
                if error.status not in {403, 404, 410}:
                    raise
        return None

    def _begin(self, note: Path) -> UploadView:
        about = {"name": self.file.name, "size": self.file.stat().st_size}
        begun = self.transport.send("POST", "/v1/uploads/parts", about)
        upload = UploadView.model_validate(begun)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"key": upload.key, "file": str(self.file)}))
        return upload

    def _send_parts(self, upload: UploadView, parts: PartsView) -> str:
        """The sha256 of the whole file, in hex."""
        whole = sha256()
        received = {part.number: part.etag.lower() for part in parts.received}
        direct = parts.direct and self.may_go_direct
        way = _Way(self.transport, upload.key, parts.count, direct=direct)
        try:
            for number, data in enumerate(_pieces(self.file, parts.part_bytes), 1):
                whole.update(data)
                if received.get(number) not in _names(data):
                    way.send(number, data)
                self.tell(len(data))
        finally:
            way.close()
        return whole.hexdigest()


def forget(url: str, files: list[Path]) -> None:
    """A task has them now: the next time they are sent anew."""
    for file in files:
        with suppress(OSError):
            _note_of(url, file).unlink()


class _Way:
    """How parts travel: straight to the bucket where there is one that can be reached, else
    through the server."""

    def __init__(self, transport: Transport, key: str, count: int, *, direct: bool) -> None:
        self._transport = transport
        self._path = f"/v1/{key}"
        self._count = count
        self._direct = direct
        self._urls: dict[int, str] = {}
        self._bucket = open_client(read_s=120.0)

    def close(self) -> None:
        self._bucket.close()

    def send(self, number: int, data: bytes) -> None:
        """Tries again what may pass. Raises ClientError."""
        for wait_s in _WAITS_S:
            try:
                return self._send(number, data)
            except ClientError as error:
                if error.status not in _PASSING and error.code != "wrong_checksum":
                    raise
            time.sleep(wait_s)
        return self._send(number, data)

    def _send(self, number: int, data: bytes) -> None:
        if self._direct and self._sent_to_bucket(number, data):
            return
        digest = base64.b64encode(sha256(data).digest()).decode()
        headers = {"Content-Type": _RAW, "Content-Digest": f"sha-256=:{digest}:"}
        path = f"{self._path}/parts/{number}"
        self._transport.raw("PUT", path, content=data, headers=headers)

    def _sent_to_bucket(self, number: int, data: bytes) -> bool:
        """False where it was not taken; from then on the server is the way."""
        try:
            self._direct = self._bucket.put(self._url(number), content=data).is_success
        except HttpError:
            self._direct = False
        return self._direct

    def _url(self, number: int) -> str:
        if number not in self._urls:
            end = min(number + _URLS_AT_ONCE, self._count + 1)
            wanted = {"numbers": list(range(number, end))}
            signed = self._transport.send("POST", f"{self._path}/urls", wanted)
            self._urls = {each["number"]: each["url"] for each in signed["urls"]}
        return self._urls[number]


def _pieces(file: Path, size: int) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(size):
            yield piece


def _names(data: bytes) -> set[str]:
    """What a store may call these bytes."""
    return {sha256(data).hexdigest(), md5(data, usedforsecurity=False).hexdigest()}


def _note_of(url: str, file: Path) -> Path:
    """Where is noted which upload a file's is, as long as neither changes."""
    about = file.stat()
    identity: list[Any] = [url, str(file.resolve()), about.st_size, about.st_mtime_ns]
    name = sha256(json.dumps(identity).encode()).hexdigest()[:32]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "fanscribe" / "uploads" / f"{name}.json"
