"""Webhooks as a caller names them and sees them, and what was delivered to them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.guarded import MAX_URL
from services.model.webhook import DeliveryState, Happening, Payload
from task_manager.schemas.request import AnswerModel, Line, RequestModel

HappeningName = Literal[
    "task.succeeded",
    "task.partial",
    "task.failed",
    "task.cancelled",
    "item.transcribed",
    "language.completed",
    "job.dead",
]

_URL = "A public http or https URL; redirects are not followed."
_EVENTS = "Only these; without it all."
_PAYLOAD = "`full` bodies hold the texts too, where these have up to 128 KB."
_SECRET = "`whsec_` and 24 to 64 random bytes in base64; without it one is made."  # noqa: S105
_EXAMPLE = "https://hooks.example.com/fanscribe"


class NewTaskWebhook(RequestModel):
    """Where to tell of this task alone."""

    url: str = Field(max_length=MAX_URL, description=_URL, examples=[_EXAMPLE])
    events: list[HappeningName] | None = Field(default=None, description=_EVENTS)
    payload: Payload = Field(default="thin", description=_PAYLOAD)
    secret: str | None = Field(default=None, max_length=200, description=_SECRET)


class NewWebhook(NewTaskWebhook):
    """Where to tell of all tasks of the caller."""

    description: Line = Field(default="", max_length=200)


class ChangedWebhook(RequestModel):
    """What is left out stays as it is."""

    url: str | None = Field(default=None, max_length=MAX_URL, description=_URL)
    events: list[HappeningName] | None = Field(
        default=None, description="Only these; an empty list means all."
    )
    payload: Payload | None = Field(default=None, description=_PAYLOAD)
    description: Line | None = Field(default=None, max_length=200)
    enabled: bool | None = None


class Rotation(RequestModel):
    """A new secret; deliveries are signed with the old one as well for a while."""

    secret: str | None = Field(default=None, max_length=200, description=_SECRET)
    keep_old_s: int = Field(
        default=24 * 3600,
        ge=0,
        le=7 * 24 * 3600,
        description="So long the old secret signs too (seconds).",
    )


class WebhookView(AnswerModel):
    id: str
    url: str
    description: str
    events: list[Happening]
    payload: Payload
    enabled: bool
    disabled_reason: str
    disabled_at: datetime | None
    created_at: datetime
    old_secret_until: datetime | None = Field(
        description="Until then deliveries are signed with the secret before, too."
    )


class WebhookWithSecret(WebhookView):
    secret: str = Field(description="It is not shown again.")


class Webhooks(AnswerModel):
    webhooks: list[WebhookView]


class TryView(AnswerModel):
    """One try to deliver."""

    at: datetime
    seconds: float
    status: int | None = Field(description="None where no answer came.")
    error: str


class DeliveryView(AnswerModel):
    """One event for one URL; `task.outputs` is the writing under a task's output prefix."""

    id: str = Field(description="The `webhook-id` that it carries, the same at each try.")
    event: str
    task: str | None
    webhook: str | None = Field(
        description="None for a URL or an output prefix that the task itself brought."
    )
    url: str | None = Field(description="Of the task, if it brought one; or its output prefix.")
    state: DeliveryState
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    attempts: list[TryView] = Field(description="The newest 20, the newest last.")


class Deliveries(AnswerModel):
    """Newest first; `next` is the cursor of the page that follows, None on the last."""

    deliveries: list[DeliveryView]
    next: str | None


class Replayed(AnswerModel):
    """How many were put back; `more` are left for another call."""

    replayed: int
    more: bool
