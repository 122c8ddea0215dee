"""What a call may raise: the server's refusals by what there is to do about them.

ClientError                     `code` is stable, `status` that of HTTP
├── Unreachable                 nobody answered
├── Refused                     the request has to be another one
│   ├── Unauthenticated 401 · Forbidden 403 · NotFound 404 · Conflict 409 · Gone 410
│   └── TooLarge 413 · Invalid 422
├── NotNow                      the same request may go through later
│   └── TooMany 429 · OutOfSpace 507
├── ServerFailed                a mistake of the server
├── WaitedTooLong               the caller's own deadline passed
└── BadWebhook                  not from who it says, or not from now
"""

from __future__ import annotations

from services.model.errors import FanscribeError
from services.outbound import Response, retry_after


class ClientError(FanscribeError):
    """The root of all that the client raises. The message says what to do.

    `status` is 0 where nobody answered, `field` names the part of the request that is meant, and
    `request_id` is what the server, or a proxy before it, calls this request in its log.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 0,
        field: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message if field is None else f"{message} [{field}]")
        self.message = message
        self.code = code
        self.status = status
        self.field = field
        self.retry_after_s = retry_after_s
        self.request_id = request_id


class Unreachable(ClientError):
    """Nobody answered. `arrived`: the request may have reached the server and been carried out;
    `met`: somebody has answered at this address before."""

    def __init__(self, message: str, *, arrived: bool, met: bool) -> None:
        super().__init__(message, code="unreachable")
        self.arrived = arrived
        self.met = met


class Refused(ClientError):
    """The request has to be another one: `code` and `field` say what is wrong with it."""


class Unauthenticated(Refused):
    """No key, or one that does not count: pass `key`, or set FANSCRIBE_API_KEY."""


class Forbidden(Refused):
    """The key lacks a scope: `fanscribe keys create` makes one that has it."""


class NotFound(Refused):
    """There is no such thing, or it is somebody else's."""


class Conflict(Refused):
    """The state is not the one that this needs, such as `not_finished` for a result."""


class Gone(Refused):
    """It was deleted."""


class TooLarge(Refused):
    """More than this server takes; the message states the limit."""


class Invalid(Refused):
    """The server understood the request and it is wrong."""


class NotNow(ClientError):
    """The server had no room or was away for longer than the client waited: ask again later."""


class TooMany(NotNow):
    """Too fast, or too much at once for this key."""


class OutOfSpace(NotNow):
    """The disk, or the owner's share of it, is full: delete tasks."""


class ServerFailed(ClientError):
    """A mistake of the server, whose log says more."""


class WaitedTooLong(ClientError, TimeoutError):
    """The task goes on, and can be waited for again."""


class BadWebhook(ClientError):
    """The request is not from who knows the secret, or not from now: answer 401."""


_BY_STATUS: dict[int, type[ClientError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Invalid,
    429: TooMany,
    502: NotNow,
    503: NotNow,
    504: NotNow,
    507: OutOfSpace,
}


def checked(response: Response) -> Response:
    """The answer if it is one; else raises what the server says."""
    if response.is_success:
        return response
    status = response.status_code
    try:
        about = response.json()["error"]
        message, code, field = str(about["message"]), str(about["code"]), about.get("field")
    except (ValueError, KeyError, AttributeError, TypeError):
        message, code, field = f"HTTP {status}", "http_error", None
    kind = _BY_STATUS.get(status, ServerFailed if status >= 500 else Refused)
    raise kind(
        message,
        code=code,
        status=status,
        field=field,
        retry_after_s=retry_after(response),
        request_id=response.headers.get("x-request-id"),
    )
