"""What the receiver of a webhook gets: verified, and as a typed event."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from services.client.errors import BadWebhook
from services.client.views import Result
from services.model.task import Counts, TaskState
from services.model.values import Stored
from services.model.webhook import PING, Happening
from services.signing import TOLERANCE_S, BadSignature, verify_for_user


class WebhookEvent(Stored):
    """Any of them; of a type that this client does not know it is one of these itself.

    `id` is the same however often the event comes: keep those that you have seen. `data` is all
    that was sent.
    """

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any] = Field(repr=False)


class OfTask(WebhookEvent):
    """What happened to a task, with the metadata that it was given."""

    task_id: str
    metadata: dict[str, Any]


class TaskEnded(OfTask):
    """A task has ended as `state` says. With the payload `full` its result is there as well, unless
    `truncated` says that it is too long."""

    state: TaskState
    revision: int
    items: int
    targets: list[str]
    counts: Counts
    result: Result | None = None
    truncated: bool = False


class ItemHeard(OfTask):
    """What is heard in an item is written down; `text` with the payload `full`."""

    text_id: str
    ordinal: int
    language: str
    seconds: float | None
    no_speech: bool
    version: int = 0  # above 0 somebody corrected it
    text: str | None = None
    truncated: bool = False


class LanguageCompleted(OfTask):
    """All cells of a language are there; `result` with the payload `full`."""

    language: str
    cells: int
    result: Result | None = None
    truncated: bool = False


class JobDied(OfTask):
    """A job has failed for good."""

    job: str
    stage: str
    text_id: str
    language: str | None
    source: str | None
    attempts: int
    failure: str | None
    code: str
    message: str


class Pinged(WebhookEvent):
    """Somebody asked for a test."""

    webhook_id: str


_TYPES: dict[str, type[WebhookEvent]] = {
    Happening.TASK_SUCCEEDED: TaskEnded,
    Happening.TASK_PARTIAL: TaskEnded,
    Happening.TASK_FAILED: TaskEnded,
    Happening.TASK_CANCELLED: TaskEnded,
    Happening.ITEM_TRANSCRIBED: ItemHeard,
    Happening.LANGUAGE_COMPLETED: LanguageCompleted,
    Happening.JOB_DEAD: JobDied,
    PING: Pinged,
}


def verify_webhook(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    tolerance_s: float = TOLERANCE_S,
) -> WebhookEvent:
    """The event in a request to your URL, if who sent it knows the secret, and sent it just now.

    Pass the body as it came, before anything reads it. Several secrets may be given, of which one
    has to fit. Raises BadWebhook, and ValueError for what is no secret.
    """
    secrets = [secret] if isinstance(secret, str) else secret
    given = {name.lower(): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else body.encode()
    try:
        verify_for_user(secrets, given, raw, now=time.time(), tolerance_s=tolerance_s)
    except BadSignature as error:
        raise BadWebhook(f"Answer 401: {error}.", code="bad_signature") from error
    try:
        return _event(given["webhook-id"], json.loads(raw))
    except (ValueError, KeyError, TypeError) as error:
        raise BadWebhook("The body is no event of a webhook.", code="bad_body") from error


def _event(message_id: str, body: dict[str, Any]) -> WebhookEvent:
    """The fields of `data` stand beside the others."""
    kind = _TYPES.get(body["type"], WebhookEvent)
    return kind.model_validate({**body["data"], **body, "id": message_id})
