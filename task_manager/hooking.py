"""Webhooks from the wire and back: URLs and secrets are checked before anything is stored."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from services.guarded import HostUnknown, NotAllowed, look_up, read_url
from services.model.addresses import to_networks
from services.model.errors import Invalid
from services.model.export import EXPORT
from services.model.webhook import (
    OF_TASK,
    SECRET_BYTES,
    TOPICS,
    Delivery,
    Endpoint,
    Happening,
    TaskWebhook,
    check_secret,
    secret_of,
)
from services.settings import Settings
from task_manager.clock import moment
from task_manager.schemas.webhook import (
    DeliveryView,
    NewTaskWebhook,
    TryView,
    WebhookView,
    WebhookWithSecret,
)


def check_url(url: str, settings: Settings, field: str, *, asking: bool) -> str:
    """Raises Invalid. With `asking` the host is looked up as well; that nobody knows it just now
    is no reason to refuse it, for it is looked up again at each try."""
    named = to_networks(settings.private_networks)
    try:
        target = read_url(url, named)
        if asking:
            look_up(target, named)
    except NotAllowed as refused:
        raise Invalid(str(refused), code="url_not_allowed", field=field) from refused
    except HostUnknown:
        pass
    return url


def new_secret() -> str:
    return secret_of(secrets.token_bytes(SECRET_BYTES))


def secret_given(given: str | None, field: str) -> str:
    """The caller's, if it is one; else a new one."""
    return new_secret() if given is None else check_secret(given, field)


def to_events(names: Iterable[str] | None) -> list[Happening]:
    """Each once, in our order."""
    wanted = set(names or ())
    return [event for event in Happening if event in wanted]


def to_task_webhook(new: NewTaskWebhook | None, settings: Settings) -> TaskWebhook | None:
    """As far as the text of its URL tells: whoever sends to it looks the host up. Raises
    Invalid."""
    if new is None:
        return None
    return TaskWebhook(
        url=check_url(new.url, settings, "webhook.url", asking=False),
        events=to_events(new.events),
        payload=new.payload,
        secret=secret_given(new.secret, "webhook.secret"),
        made=new.secret is None,
    )


def view(endpoint: Endpoint) -> WebhookView:
    return WebhookView(**_shown(endpoint))


def view_with_secret(endpoint: Endpoint) -> WebhookWithSecret:
    return WebhookWithSecret(**_shown(endpoint), secret=endpoint.secrets[0].value)


def _shown(endpoint: Endpoint) -> dict[str, object]:
    until = max((each.until for each in endpoint.secrets if each.until is not None), default=None)
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events or list(Happening),
        "payload": endpoint.payload,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": moment(endpoint.disabled_at),
        "created_at": moment(endpoint.created_at),
        "old_secret_until": moment(until),
    }


def is_users(delivery: Delivery) -> bool:
    """What goes to a topic is the operator's."""
    return delivery.endpoint not in TOPICS


def delivery_view(delivery: Delivery) -> DeliveryView:
    of_task = delivery.endpoint in {OF_TASK, EXPORT}
    return DeliveryView(
        id=delivery.id,
        event=delivery.event,
        task=delivery.task_id or None,
        webhook=None if of_task else delivery.endpoint,
        url=delivery.url if of_task else None,
        state=delivery.state,
        created_at=moment(delivery.created_at),
        next_attempt_at=moment(delivery.due) if delivery.open else None,
        ended_at=moment(delivery.ended_at),
        attempts=[
            TryView(at=moment(each.at), seconds=each.seconds, status=each.status, error=each.error)
            for each in delivery.tries
        ],
    )
