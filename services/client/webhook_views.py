"""What the client reads of webhooks and of what was delivered to them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from services.model.values import Stored


class WebhookView(Stored):
    """A URL that is told of all tasks of its owner."""

    id: str
    url: str
    description: str
    events: list[str]
    payload: str
    enabled: bool
    disabled_reason: str = ""
    disabled_at: datetime | None = None
    created_at: datetime
    old_secret_until: datetime | None = None


class WebhookWithSecret(WebhookView):
    """The one answer that holds the secret."""

    secret: str = Field(repr=False)


class TryView(Stored):
    """One try to deliver; `status` is None where no answer came."""

    at: datetime
    seconds: float
    status: int | None
    error: str


class DeliveryView(Stored):
    """One event for one URL, which is `pending`, `delivered` or `dead`."""

    id: str
    event: str
    task: str | None
    webhook: str | None
    url: str | None
    state: str
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    attempts: list[TryView]


class ReplayedView(Stored):
    """How many deliveries are sent again; `more` are left for another call."""

    replayed: int
    more: bool
