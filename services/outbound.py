"""The one HTTP client: everything that leaves a process over HTTP leaves it here.

Its errors become ours: what the network did is told apart from what the other side said.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import httpx

from services.guarded import HostUnknown, NotAllowed, pin
from services.model.addresses import Network
from services.model.errors import FailureClass, JobFailed

HttpError = httpx.HTTPError  # for those who build on `open_client`
Response = httpx.Response
Client = httpx.Client
AsyncClient = httpx.AsyncClient

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_CHUNK = 1024 * 1024
_CONNECT_S = 5.0
_CONNECT_FAR_S = 15.0
_FETCH_WITHIN_S = 2 * 3600.0  # a user's file; 5 GB at 0.7 MB/s
_BUSY = frozenset({429, 502, 503, 504})


def open_client(
    base_url: str = "", headers: Mapping[str, str] | None = None, *, read_s: float = 30.0
) -> httpx.Client:
    """A client with our timeouts. It follows no redirects and heeds no proxy of the
    environment, since all it talks to are our own services and storage."""
    timeout = httpx.Timeout(read_s, connect=_CONNECT_S)
    return httpx.Client(base_url=base_url, headers=headers, timeout=timeout, trust_env=False)


def open_async_client(
    base_url: str = "", headers: Mapping[str, str] | None = None, *, read_s: float = 30.0
) -> httpx.AsyncClient:
    """The same for an event loop."""
    timeout = httpx.Timeout(read_s, connect=_CONNECT_S)
    return httpx.AsyncClient(base_url=base_url, headers=headers, timeout=timeout, trust_env=False)


def open_far_client(*, read_s: float = 60.0) -> httpx.Client:
    """One for servers of others: a proxy of the environment is heeded. It follows no redirects, so
    that its user says who may see a token."""
    return httpx.Client(timeout=httpx.Timeout(read_s, connect=_CONNECT_FAR_S))


def never_sent(error: httpx.HTTPError) -> bool:
    """Whether there was no connection, or nothing that could be sent over one."""
    return isinstance(error, _NEVER_SENT)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns a failure of the network into JobFailed(network_timeout)."""
    try:
        yield
    except httpx.HTTPError as error:
        reason = f"{what}: {type(error).__name__}: {error}"
        raise JobFailed(FailureClass.NETWORK_TIMEOUT, "network", reason) from error


@contextmanager
def stream_of_user(
    client: httpx.Client, method: str, url: str, named: Sequence[Network], **more: Any
) -> Iterator[httpx.Response]:
    """The answer of a user's URL, by the address that was checked; a redirect is an answer. The
    body comes as it was sent, so that nothing small unpacks into something large.

    Raises NotAllowed, HostUnknown and HttpError.
    """
    pinned = pin(url, named)
    headers = {
        **more.pop("headers", {}),
        "Host": pinned.host,
        "Accept-Encoding": "identity",
        # Kept open by its address it would serve another host there, whose certificate nobody saw.
        "Connection": "close",
    }
    extensions = {**more.pop("extensions", {}), "sni_hostname": pinned.server}
    with client.stream(
        method, pinned.url, headers=headers, extensions=extensions, **more
    ) as response:
        yield response


def refuse_busy(response: httpx.Response, what: str) -> None:
    """Raises JobFailed(service_unavailable) if the other side is too busy or not there."""
    if response.status_code in _BUSY or response.status_code >= 500:
        raise JobFailed(
            FailureClass.SERVICE_UNAVAILABLE,
            "service_unavailable",
            f"{what}: HTTP {response.status_code}",
            retry_after_s=retry_after(response),
        )


def retry_after(response: httpx.Response) -> float | None:
    """The seconds that a Retry-After header asks for; a date is not read."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


class Objects:
    """Gets and puts whole objects by the URLs of a claim; `file:` URLs are plain paths. `named`
    are the networks that users' URLs may lead to beside the public ones."""

    def __init__(self, named: Sequence[Network] = ()) -> None:
        self._client = open_client()
        self._named = named

    def download(self, url: str, path: Path, each: Callable[[], None]) -> str:
        """Writes the object to `path` and calls `each` for every piece; its sha256 in hex.

        Raises JobFailed: `input_gone` (permanent), network_timeout or service_unavailable.
        """
        digest = sha256()
        with path.open("wb") as file, self._opened(url, None) as chunks:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
                each()
        return digest.hexdigest()

    def download_of_user(
        self, url: str, path: Path, each: Callable[[], None], max_bytes: int
    ) -> None:
        """Writes what a user's URL gives to `path`, and calls `each` for every piece; `max_bytes` 0
        is no limit.

        Raises JobFailed, permanent but for what may pass: `url_not_allowed`, `url_refused`,
        `input_gone`, `too_large`, `empty_file`; network_timeout, service_unavailable.
        """
        what = "cannot fetch the URL"
        give_up = time.monotonic() + _FETCH_WITHIN_S
        try:
            with (
                translated(what),
                stream_of_user(self._client, "GET", url, self._named) as response,
                path.open("wb") as file,
            ):
                _check_users(response, what)
                for chunk in response.iter_raw(_CHUNK):
                    file.write(chunk)
                    each()
                    if 0 < max_bytes < file.tell():
                        raise _unusable("too_large", f"A file has up to {max_bytes} bytes.")
                    if time.monotonic() > give_up:
                        raise _too_slow()
        except NotAllowed as refused:
            raise _unusable("url_not_allowed", str(refused)) from refused
        except HostUnknown as unknown:
            raise JobFailed(FailureClass.NETWORK_TIMEOUT, "host_unknown", str(unknown)) from unknown
        if path.stat().st_size == 0:
            raise _unusable("empty_file", "The URL gave an empty file.")

    def read(self, url: str, start: int = 0, end: int | None = None) -> bytes:
        """The bytes [start, end). Raises as `download` does."""
        with self._opened(url, (start, end)) as chunks:
            return b"".join(chunks)

    def upload(self, url: str, source: BinaryIO) -> None:
        """Raises JobFailed: network_timeout, service_unavailable, or internal if refused."""
        path = local_path(url)
        if path is not None:
            _write(path, source)
            return
        with translated("cannot store a result"):
            headers = {"Content-Length": str(source.seek(0, os.SEEK_END))}
            source.seek(0)
            chunks = iter(lambda: source.read(_CHUNK), b"")
            response = self._client.put(url, content=chunks, headers=headers)
        refuse_busy(response, "cannot store a result")
        if not response.is_success:
            raise JobFailed(
                FailureClass.INTERNAL,
                "result_refused",
                f"The storage refused a result with HTTP {response.status_code}.",
            )

    @contextmanager
    def _opened(self, url: str, span: tuple[int, int | None] | None) -> Iterator[Iterator[bytes]]:
        path = local_path(url)
        if path is not None:
            with _open_input(path) as file:
                yield _span_of(file, span)
            return
        headers = {} if span is None else {"Range": _range(*span)}
        with (
            translated("cannot read an input"),
            self._client.stream("GET", url, headers=headers) as response,
        ):
            _check_input(response)
            start, end = span or (0, None)
            whole = response.status_code == 200
            chunks = response.iter_bytes(_CHUNK)
            yield _cut(chunks, start, end) if span and whole else chunks

    def close(self) -> None:
        self._client.close()


def local_path(url: str) -> Path | None:
    """The path of a `file:` URL, None for all others."""
    address = urlsplit(url)
    return Path(unquote(address.path)) if address.scheme == "file" else None


def _range(start: int, end: int | None) -> str:
    return f"bytes={start}-" if end is None else f"bytes={start}-{end - 1}"


def _gone() -> JobFailed:
    return JobFailed(FailureClass.PERMANENT, "input_gone", "An input is gone from storage.")


def _unusable(code: str, message: str) -> JobFailed:
    return JobFailed(FailureClass.PERMANENT, code, message)


def _too_slow() -> JobFailed:
    hours = _FETCH_WITHIN_S / 3600
    message = f"The URL's file did not come within {hours:.0f} hours."
    return JobFailed(FailureClass.NETWORK_TIMEOUT, "url_too_slow", message)


def _check_users(response: httpx.Response, what: str) -> None:
    refuse_busy(response, what)
    status = response.status_code
    if status in {404, 410}:
        raise _unusable("input_gone", f"The URL's server has no such file (HTTP {status}).")
    if response.is_redirect:
        raise _unusable("url_refused", "The URL leads on to another one: give that one instead.")
    if status != 200:
        raise _unusable("url_refused", f"The URL's server refused with HTTP {status}.")


def _check_input(response: httpx.Response) -> None:
    refuse_busy(response, "cannot read an input")
    if response.status_code in {404, 410}:
        raise _gone()
    if response.status_code not in {200, 206}:
        # A signed URL that ran out answers 403; the next attempt gets a new one.
        raise JobFailed(
            FailureClass.SERVICE_UNAVAILABLE,
            "input_refused",
            f"The storage refused an input with HTTP {response.status_code}.",
        )


def _open_input(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise _gone() from error


def _span_of(file: BinaryIO, span: tuple[int, int | None] | None) -> Iterator[bytes]:
    start, end = span or (0, None)
    file.seek(start)
    left = None if end is None else end - start
    while left is None or left > 0:
        chunk = file.read(_CHUNK if left is None else min(_CHUNK, left))
        if not chunk:
            return
        left = None if left is None else left - len(chunk)
        yield chunk


def _cut(chunks: Iterator[bytes], start: int, end: int | None) -> Iterator[bytes]:
    """The bytes [start, end) of a server that answers a range with the whole object."""
    position = 0
    for chunk in chunks:
        last = len(chunk) if end is None else min(len(chunk), end - position)
        yield chunk[max(0, start - position) : max(0, last)]
        position += len(chunk)
        if end is not None and position >= end:
            return


def _write(path: Path, source: BinaryIO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    with temporary.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
