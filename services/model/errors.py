"""Everything that can go wrong, by name, with its code, its status and what to do about it.

FanscribeError
├── RequestRefused            the caller can mend it; rendered as one JSON envelope
│   ├── Unauthenticated 401 · Forbidden 403 · NotFound 404 · Gone 410
│   ├── Conflict 409          IdempotencyMismatch · NotFinished · AlreadyFinished · NotTerminal
│   ├── TooLarge 413          DocumentTooLarge
│   ├── UnsupportedContent 415 · Invalid 422 · TooMany 429
│   ├── WorkFailed 500
│   └── Unavailable 503 · OutOfSpace 507
├── JobFailed                 an attempt of a job ended without a result; carries its failure class
│   └── (see services.model.retry for what each class means)
└── LeaseLost                 this attempt may not report any more
"""

from __future__ import annotations

from enum import StrEnum


class FailureClass(StrEnum):
    """Why an attempt failed; the class alone decides whether and when it is tried again."""

    NETWORK_TIMEOUT = "network_timeout"
    SERVICE_UNAVAILABLE = "service_unavailable"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    WORKER_LOST = "worker_lost"
    TIME_LIMIT = "time_limit"
    PERMANENT = "permanent"
    INTERNAL = "internal"


class FanscribeError(Exception):
    """The root of everything Fanscribe raises on purpose."""


class RequestRefused(FanscribeError):
    """A request that is answered with an error envelope instead of a result.

    `code` is stable and made for programs, the message says what to do, `field` names the part
    of the request that is meant, as a dotted path.
    """

    status = 400
    code = "bad_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.retry_after_s = retry_after_s


class Unauthenticated(RequestRefused):
    """No key, or one that is not known: send `Authorization: Bearer <key>`."""

    status = 401
    code = "unauthenticated"


class Forbidden(RequestRefused):
    """The key is known but lacks the scope, or the request comes from where it must not."""

    status = 403
    code = "forbidden"


class NotFound(RequestRefused):
    """There is no such thing, or it belongs to somebody else."""

    status = 404
    code = "not_found"


class Conflict(RequestRefused):
    """The request is fine but the state it meets is not the one it needs."""

    status = 409
    code = "conflict"


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used for another request: use a new key for a new request."""

    code = "idempotency_mismatch"


class NotFinished(Conflict):
    """The result is not there yet: wait until the task's state is terminal."""

    code = "not_finished"


class AlreadyFinished(Conflict):
    """The task has ended; there is nothing left to cancel."""

    code = "already_finished"


class NotTerminal(Conflict):
    """Only a task that has ended can be retried: wait for it or cancel it first."""

    code = "not_terminal"


class Gone(RequestRefused):
    """The task was deleted."""

    status = 410
    code = "gone"


class TooLarge(RequestRefused):
    """More bytes than this server takes; the message states the limit."""

    status = 413
    code = "too_large"


class DocumentTooLarge(TooLarge):
    """What belongs together is more than one document of the store holds: split the task."""

    code = "document_too_large"


class UnsupportedContent(RequestRefused):
    """The content type is not one this route reads; the message names those it does."""

    status = 415
    code = "unsupported_content_type"


class Invalid(RequestRefused):
    """The request was understood and is wrong; `code` and `field` say where."""

    status = 422
    code = "invalid"


class TooMany(RequestRefused):
    """Slow down: try again after Retry-After."""

    status = 429
    code = "too_many_requests"


class WorkFailed(RequestRefused):
    """The work that this request waited for has failed for good; its task says what was tried."""

    status = 500
    code = "work_failed"


class Unavailable(RequestRefused):
    """The server cannot answer just now: try again after Retry-After."""

    status = 503
    code = "unavailable"


class OutOfSpace(RequestRefused):
    """There is no room, on the disk or in the owner's share: nothing was taken; delete tasks."""

    status = 507
    code = "out_of_space"


class JobFailed(FanscribeError):
    """An attempt ended without a result.

    `code` is stable (`bad_media`, `input_gone`, `pair_not_served`, …), the message is shown to
    the user, `retry_after_s` is what a busy service asked for.
    """

    def __init__(
        self,
        failure_class: FailureClass,
        code: str,
        message: str,
        *,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.failure_class = failure_class
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


class LeaseLost(FanscribeError):
    """Somebody else has the job, or it was cancelled or deleted: stop, and report nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The lease is gone: {reason}.")
        self.reason = reason
