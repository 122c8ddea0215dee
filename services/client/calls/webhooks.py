"""Webhooks of an owner, their secrets, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Sequence

from services.client.calls.reading import Task, a, many, nothing, page, pages, path_of, quoted
from services.client.steps import NO_LONGER, Call, Finds, Steps, ask, call
from services.client.webhook_views import (
    DeliveryView,
    ReplayedView,
    WebhookView,
    WebhookWithSecret,
)
from services.model.webhook import DeliveryState, Happening, Payload

_PAGE = 100


def create(
    url: str,
    *,
    events: Sequence[Happening | str] | None = None,
    payload: Payload | None = None,
    description: str | None = None,
    secret: str | None = None,
) -> Call[WebhookWithSecret]:
    """Tells this URL of all your tasks from now on. The secret is shown this once."""
    return call(
        "POST",
        "/v1/webhooks",
        a(WebhookWithSecret),
        json=_said(
            url=url,
            events=None if events is None else list(events),
            payload=payload,
            description=description,
            secret=secret,
        ),
    )


def listed() -> Call[list[WebhookView]]:
    """All your webhooks."""
    return call("GET", "/v1/webhooks", many(WebhookView, "webhooks"))


def get(webhook_id: str) -> Call[WebhookView]:
    """How a webhook is set, and whether it is enabled."""
    return call("GET", _path(webhook_id), a(WebhookView))


def change(
    webhook_id: str,
    *,
    url: str | None = None,
    events: Sequence[Happening | str] | None = None,
    payload: Payload | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> Call[WebhookView]:
    """Changes what is given; no events at all means all of them."""
    return call(
        "PATCH",
        _path(webhook_id),
        a(WebhookView),
        json=_said(
            url=url,
            events=None if events is None else list(events),
            payload=payload,
            description=description,
            enabled=enabled,
        ),
    )


def delete(webhook_id: str) -> Call[None]:
    """Nothing more is sent to it, what is pending neither."""
    return call("DELETE", _path(webhook_id), nothing, had=NO_LONGER)


def rotate(
    webhook_id: str, *, secret: str | None = None, keep_old_s: int | None = None
) -> Call[WebhookWithSecret]:
    """Makes a new secret, shown this once; the old one signs as well for a day, or so long."""
    body = _said(secret=secret, keep_old_s=keep_old_s)
    return call("POST", f"{_path(webhook_id)}/rotate", a(WebhookWithSecret), json=body)


def ping(webhook_id: str) -> Call[DeliveryView]:
    """Sends a test; the deliveries say what became of it."""
    return call("POST", f"{_path(webhook_id)}/ping", a(DeliveryView))


def deliveries(
    webhook_id: str, *, state: DeliveryState | None = None, limit: int | None = None
) -> Finds[DeliveryView]:
    """What was sent to it with what success, newest first."""
    return _deliveries(_path(webhook_id), state, limit)


def replay(webhook_id: str, delivery_id: str) -> Call[DeliveryView]:
    """Sends a delivery again: the same body under the same id."""
    return _replay(_path(webhook_id), delivery_id)


def replay_dead(webhook_id: str) -> Steps[int]:
    """Sends again all that was given up; how many that were."""
    count = 0
    while True:
        path = f"{_path(webhook_id)}/replay"
        part = yield from ask(call("POST", path, a(ReplayedView), repeatable=True))
        count += part.replayed
        if not part.more or not part.replayed:
            return count


def task_deliveries(
    task: Task, *, state: DeliveryState | None = None, limit: int | None = None
) -> Finds[DeliveryView]:
    """Who was told of a task, with what success."""
    return _deliveries(path_of(task), state, limit)


def replay_task_delivery(task: Task, delivery_id: str) -> Call[DeliveryView]:
    """Sends a delivery of a task again."""
    return _replay(path_of(task), delivery_id)


def _deliveries(path: str, state: DeliveryState | None, limit: int | None) -> Finds[DeliveryView]:
    def turn(cursor: str | None) -> Call[tuple[list[DeliveryView], str | None]]:
        query = {"state": state, "cursor": cursor, "limit": min(limit or _PAGE, _PAGE)}
        return call("GET", f"{path}/deliveries", page(DeliveryView, "deliveries"), query=query)

    return pages(turn, limit)


def _replay(path: str, delivery_id: str) -> Call[DeliveryView]:
    return call("POST", f"{path}/deliveries/{quoted(delivery_id)}/replay", a(DeliveryView))


def _path(webhook_id: str) -> str:
    return f"/v1/webhooks/{quoted(webhook_id)}"


def _said(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
