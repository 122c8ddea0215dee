"""A hub on this machine: its two routes, a second host for large files, and all that goes wrong."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34
LARGE = 1000  # bytes; larger files lie on the other host


@dataclass
class Seen:
    """A request as it came; `host` is which of the two servers it came to."""

    host: str
    path: str
    headers: dict[str, str]


@dataclass
class Revision:
    """`told` are names that the listing has beside the files; some mirrors tell no sizes."""

    files: dict[str, bytes]
    licence: str = "mit"
    told: list[str] = field(default_factory=list)
    tells_sizes: bool = True


class HubServer:
    """`revisions` by (id, revision name). What is put into `answers` is given instead of the next
    files; `cuts` are the bytes of a file after which its next connections break."""

    def __init__(self) -> None:
        self.revisions: dict[tuple[str, str], Revision] = {}
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.cuts: dict[str, list[int]] = {}
        self.spoilt: set[str] = set()
        self.takes_ranges = True
        self.says_commit = COMMIT
        self.seen: list[Seen] = []
        self.hub = self._open("hub")
        self.store = self._open("store")

    def _open(self, host: str) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler.of(self, host))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.hub.server_port}"

    @property
    def store_address(self) -> str:
        return f"http://localhost:{self.store.server_port}"

    def close(self) -> None:
        for server in (self.hub, self.store):
            server.shutdown()
            server.server_close()

    def fetched(self, name: str) -> list[str | None]:
        """The ranges that were asked of a file, at the host that gave it."""
        paths = [each for each in self.seen if each.path.endswith(name)]
        last = "store" if any(each.host == "store" for each in paths) else "hub"
        return [each.headers.get("range") for each in paths if each.host == last]


def listing(hub_id: str, revision: Revision) -> dict[str, Any]:
    return {
        "id": hub_id,
        "sha": COMMIT,
        "cardData": {"license": revision.licence},
        "tags": ["license:something-else"],
        "siblings": [
            *(_told(name, data, revision) for name, data in revision.files.items()),
            *({"rfilename": name, "size": 3} for name in revision.told),
        ],
    }


def _told(name: str, data: bytes, revision: Revision) -> dict[str, Any]:
    if not revision.tells_sizes:
        return {"rfilename": name}
    told = {"rfilename": name, "size": len(data), "blobId": _blob(data)}
    if len(data) > LARGE:
        told["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return told


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """One of the two hosts; `of` makes a class that knows which."""

    protocol_version = "HTTP/1.1"
    known: HubServer
    host: str

    @classmethod
    def of(cls, known: HubServer, host: str) -> type[_Handler]:
        return type("Handler", (cls,), {"known": known, "host": host})

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.known.seen.append(Seen(self.host, path, headers))
        if self.known.answers and "/resolve/" in path:
            status, more = self.known.answers.pop(0)
            self._say(status, b"", more)
        elif found := re.fullmatch(r"/api/models/(.+/.+)/revision/(.+)", path):
            self._list(found[1], found[2])
        elif found := re.fullmatch(r"/(.+/.+)/resolve/(\w+)/(.+)", path):
            self._resolve(found[1], found[3])
        elif found := re.fullmatch(r"/stored/(.+/.+)/([^/]+)", path):
            self._send(found[2], self._file(found[1], found[2]), {})
        else:
            self._say(404, b"")

    def _file(self, hub_id: str, name: str) -> bytes:
        revisions = self.known.revisions
        return next(each.files[name] for key, each in revisions.items() if key[0] == hub_id)

    def _list(self, hub_id: str, revision: str) -> None:
        found = self.known.revisions.get((hub_id, revision))
        if found is None:
            self._say(404, b"", {"X-Error-Code": "RepoNotFound"})
        else:
            self._say(200, json.dumps(listing(hub_id, found)).encode())

    def _resolve(self, hub_id: str, name: str) -> None:
        data = self._file(hub_id, name)
        more = {"X-Repo-Commit": self.known.says_commit, "ETag": f'"{_blob(data)}"'}
        if len(data) <= LARGE:
            self._send(name, data, more)
            return
        digest = hashlib.sha256(data).hexdigest()
        more |= {"X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        place = f"{self.known.store_address}/stored/{hub_id}/{name}?signature=s"
        self._say(302, b"", {**more, "Location": place})

    def _send(self, name: str, data: bytes, more: dict[str, str]) -> None:
        data = bytes(len(data)) if name in self.known.spoilt else data
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.known.takes_ranges else 0
        if start and start >= len(data):
            self._say(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        cuts = self.known.cuts.get(name)
        end = cuts.pop(0) if cuts else len(data)
        self._say(206 if start else 200, data[start:end], more | span, length=len(data) - start)
        self.close_connection = end < len(data)

    def _say(
        self, status: int, body: bytes, more: dict[str, str] | None = None, *, length: int = -1
    ) -> None:
        self.send_response(status)
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        self.wfile.write(body)
