"""One call to the REST API: who is asked, with which key, and what its refusals mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services.model.errors import FanscribeError
from services.outbound import HttpError, Response, open_client

_CHUNK = 1024 * 1024
_BUSY = {429, 503}
_PATIENCE_S = 30.0
_WAIT_S = 1.0


class ClientError(FanscribeError):
    """The server said no, or is not there. `code` is stable and `status` its HTTP status; 0
    means that nobody answered."""

    def __init__(
        self, message: str, *, code: str, status: int = 0, field: str | None = None
    ) -> None:
        super().__init__(message if field is None else f"{message} [{field}]")
        self.message = message
        self.code = code
        self.status = status
        self.field = field


class Transport:
    """Calls with retries where they are harmless: a server that is busy or starting."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = open_client(self.url, headers, read_s=120.0)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        return self.raw("GET", path, query=query).json()

    def get_now(self, path: str) -> Any:
        """As `get`, but a server that is busy is not asked twice."""
        return self._once("GET", path).json()

    def text(self, path: str, **query: Any) -> str:
        return self.raw("GET", path, query=query).text

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's JSON, None where it has none."""
        response = self.raw(method, path, body=body, headers=headers)
        return response.json() if response.content else None

    def raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Raises ClientError for everything but 2xx; a busy server is asked again for a while."""
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        sent = {"json": body} if content is None else {"content": content}
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._once(method, path, params=wanted, headers=headers, **sent)
            except ClientError as error:
                if error.status not in _BUSY or time.monotonic() > end:
                    raise
                time.sleep(_WAIT_S)

    def _once(self, method: str, path: str, **parts: Any) -> Response:
        try:
            response = self._client.request(method, path, **parts)
        except HttpError as error:
            raise self._unreachable(error) from error
        return _checked(response)

    def send_file(self, path: str, file: Path, tell: Callable[[int], None], **query: Any) -> Any:
        """Streams a file from disk; `tell` hears how many bytes went out with each chunk."""

        def chunks() -> Iterator[bytes]:
            with file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
                    tell(len(chunk))

        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
        }
        sent = self._once("POST", path, params=query, content=chunks(), headers=headers)
        return sent.json()

    def _unreachable(self, error: Exception) -> ClientError:
        return ClientError(
            f"No Fanscribe answers at {self.url} ({type(error).__name__}): start it with "
            "`fanscribe up`, or set FANSCRIBE_URL to where it runs.",
            code="unreachable",
        )


def _checked(response: Response) -> Response:
    if response.is_success or response.status_code == 304:
        return response
    try:
        envelope = response.json()
        about = envelope.get("error", envelope)
        message, code = str(about["message"]), str(about["code"])
        field = about.get("field")
    except (ValueError, KeyError, AttributeError, TypeError):
        message, code, field = f"HTTP {response.status_code}", "http_error", None
    raise ClientError(message, code=code, status=response.status_code, field=field)
