"""Webhooks: where an owner is told of his tasks, what was delivered, and what is sent again."""

# ruff: noqa: FAST003  the path's webhook_id and task_id are read by dependencies

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.model.access import Scope
from services.model.errors import Conflict, NotFound, Unavailable
from services.model.webhook import Delivery, DeliveryState, Endpoint, Secret
from task_manager import cursors, hooking
from task_manager.auth import may
from task_manager.dependencies import OwnedTask, Owner, TheClerk, ThePipeline, TheSettings, TheStore
from task_manager.pipeline import outbox
from task_manager.pipeline.listeners import MOST
from task_manager.problems import responses
from task_manager.routes.bodies import require_json
from task_manager.schemas.request import WHOLE
from task_manager.schemas.webhook import (
    ChangedWebhook,
    Deliveries,
    DeliveryView,
    NewWebhook,
    Replayed,
    Rotation,
    Webhooks,
    WebhookView,
    WebhookWithSecret,
)
from task_manager.store.protocol import Store

router = APIRouter(tags=["webhooks"])

_READ, _SUBMIT = may(Scope.READ), may(Scope.SUBMIT)

_REPLAYED = 200  # deliveries of one call
_TRIES = 20  # compare-and-set rounds
_READS = responses(401, 403, 404, 422, 503)
_WRITES = responses(400, 401, 403, 404, 409, 415, 422, 503, 507)
_ACTS = responses(401, 403, 404, 409, 422, 503, 507)
_REMOVES = responses(401, 403, 404, 422, 503, 507)


@dataclass(frozen=True, slots=True)
class _Page:
    """Which deliveries a caller wants to see."""

    state: DeliveryState | None
    limit: int
    cursor: str | None


def _page(
    state: Annotated[DeliveryState | None, Query(description="Only these.")] = None,
    limit: Annotated[int, Query(ge=1, le=200), WHOLE] = 50,
    cursor: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> _Page:
    return _Page(state, limit, cursor)


Page = Annotated[_Page, Depends(_page)]


def _endpoint(webhook_id: str, store: TheStore, owner: Owner) -> Endpoint:
    endpoint = store.endpoint(webhook_id)
    if endpoint is None or endpoint.owner != owner:
        raise NotFound(f"There is no webhook {webhook_id!r}.")
    return endpoint


OwnedEndpoint = Annotated[Endpoint, Depends(_endpoint)]


@router.post(
    "/v1/webhooks",
    status_code=201,
    responses=_WRITES,
    dependencies=[_SUBMIT, Depends(require_json)],
)
def create_webhook(
    new: NewWebhook, pipeline: ThePipeline, settings: TheSettings, owner: Owner, clerk: TheClerk
) -> WebhookWithSecret:
    """Tells this URL of all tasks of the caller from now on. The secret is shown this once."""
    store = pipeline.ports.store
    if len(store.endpoints(owner, MOST)) >= MOST:
        raise Conflict(
            f"There are {MOST} webhooks, and no more are kept: delete one.",
            code="too_many_webhooks",
        )
    endpoint = Endpoint(
        id=f"wh_{secrets.token_hex(12)}",
        owner=owner,
        url=hooking.check_url(new.url, settings, "url", asking=True),
        description=new.description,
        events=hooking.to_events(new.events),
        payload=new.payload,
        secrets=[Secret(value=hooking.secret_given(new.secret, "secret"))],
        created_at=store.now(),
    )
    with clerk.noting("webhook.create", endpoint.id):
        store.insert_endpoint(endpoint)
    pipeline.ports.listeners.forget(owner)
    return hooking.view_with_secret(endpoint)


@router.get("/v1/webhooks", responses=responses(401, 403, 503), dependencies=[_READ])
def list_webhooks(store: TheStore, owner: Owner) -> Webhooks:
    """All of the caller's, of which there are up to 50."""
    return Webhooks(webhooks=[hooking.view(each) for each in store.endpoints(owner, MOST)])


@router.get("/v1/webhooks/{webhook_id}", responses=_READS, dependencies=[_READ])
def get_webhook(endpoint: OwnedEndpoint) -> WebhookView:
    """How it is set, and whether it is enabled."""
    return hooking.view(endpoint)


@router.patch(
    "/v1/webhooks/{webhook_id}", responses=_WRITES, dependencies=[_SUBMIT, Depends(require_json)]
)
def change_webhook(
    endpoint: OwnedEndpoint,
    wanted: ChangedWebhook,
    pipeline: ThePipeline,
    settings: TheSettings,
    clerk: TheClerk,
) -> WebhookView:
    """Deliveries that are pending go to the new URL. One that was disabled may be enabled again;
    what was not delivered in the meantime can be replayed."""
    fields = wanted.model_dump(exclude_none=True)
    if wanted.url is not None:
        hooking.check_url(wanted.url, settings, "url", asking=True)
    if wanted.events is not None:
        fields["events"] = hooking.to_events(wanted.events)
    if wanted.enabled is True:
        fields |= {"disabled_reason": "", "disabled_at": None}
    elif wanted.enabled is False and endpoint.enabled:
        now = pipeline.ports.store.now()
        fields |= {"disabled_reason": "You disabled it.", "disabled_at": now}
    with clerk.noting("webhook.change", endpoint.id):
        return hooking.view(_change(pipeline, endpoint, fields))


@router.delete(
    "/v1/webhooks/{webhook_id}", status_code=204, responses=_REMOVES, dependencies=[_SUBMIT]
)
def delete_webhook(endpoint: OwnedEndpoint, pipeline: ThePipeline, clerk: TheClerk) -> None:
    """Nothing more is sent to it, what is pending neither."""
    with clerk.noting("webhook.delete", endpoint.id):
        pipeline.ports.store.delete_endpoint(endpoint.id)
    pipeline.ports.listeners.forget(endpoint.owner)


@router.post(
    "/v1/webhooks/{webhook_id}/rotate",
    responses=_WRITES,
    dependencies=[_SUBMIT, Depends(require_json)],
)
def rotate_secret(
    endpoint: OwnedEndpoint, wanted: Rotation, pipeline: ThePipeline, clerk: TheClerk
) -> WebhookWithSecret:
    """A new secret, shown this once. The old one signs as well for a while, so that the receiver
    can take over the new one at any time in between."""
    until = pipeline.ports.store.now() + wanted.keep_old_s
    new = Secret(value=hooking.secret_given(wanted.secret, "secret"))
    old = Secret(value=endpoint.secrets[0].value, until=until)
    kept = [new, old] if wanted.keep_old_s else [new]
    with clerk.noting("webhook.rotate", endpoint.id):
        changed = pipeline.ports.store.change_endpoint(
            endpoint.id, endpoint.revision, {"secrets": kept}
        )
    if changed is None:
        raise Conflict("The webhook is being changed by somebody else: look at it and try again.")
    return hooking.view_with_secret(changed)


@router.post(
    "/v1/webhooks/{webhook_id}/ping", status_code=202, responses=_ACTS, dependencies=[_SUBMIT]
)
def ping_webhook(endpoint: OwnedEndpoint, pipeline: ThePipeline) -> DeliveryView:
    """Sends a `webhook.ping`; the log says what became of it."""
    if not endpoint.enabled:
        raise Conflict("The webhook is disabled: enable it first.", code="webhook_disabled")
    return hooking.delivery_view(outbox.ping(pipeline.ports, endpoint))


@router.get("/v1/webhooks/{webhook_id}/deliveries", responses=_READS, dependencies=[_READ])
def list_deliveries(endpoint: OwnedEndpoint, store: TheStore, page: Page) -> Deliveries:
    """What was sent to it, and with what success; kept for 30 days."""
    return _listed(store, page, endpoint=endpoint.id)


@router.post(
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    responses=_ACTS,
    dependencies=[_SUBMIT],
)
def replay_delivery(
    delivery_id: str, endpoint: OwnedEndpoint, pipeline: ThePipeline
) -> DeliveryView:
    """Sends it again: the same body, the same `webhook-id`."""
    return _replayed(pipeline, delivery_id, lambda each: each.endpoint == endpoint.id)


@router.post(
    "/v1/webhooks/{webhook_id}/replay", status_code=202, responses=_ACTS, dependencies=[_SUBMIT]
)
def replay_dead_deliveries(endpoint: OwnedEndpoint, pipeline: ThePipeline) -> Replayed:
    """Sends again what was given up, up to 200 a call."""
    dead = pipeline.ports.store.deliveries(endpoint=endpoint.id, state="dead", limit=_REPLAYED + 1)
    count = 0
    for delivery in dead[:_REPLAYED]:
        try:
            outbox.replay(pipeline.ports, delivery)
        except Conflict:  # somebody else was first
            continue
        count += 1
    return Replayed(replayed=count, more=len(dead) > _REPLAYED)


@router.get(
    "/v1/tasks/{task_id}/deliveries",
    responses=responses(401, 403, 404, 410, 422, 503),
    dependencies=[_READ],
)
def list_task_deliveries(task: OwnedTask, store: TheStore, page: Page) -> Deliveries:
    """Who was told of this task, and with what success."""
    return _listed(store, page, task_id=task.id)


@router.post(
    "/v1/tasks/{task_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    responses=responses(401, 403, 404, 409, 410, 422, 503, 507),
    dependencies=[_SUBMIT],
)
def replay_task_delivery(delivery_id: str, task: OwnedTask, pipeline: ThePipeline) -> DeliveryView:
    """Sends it again: the same body, the same `webhook-id`."""
    return _replayed(
        pipeline,
        delivery_id,
        lambda each: each.task_id == task.id and hooking.is_users(each),
    )


def _listed(
    store: Store, page: _Page, *, endpoint: str | None = None, task_id: str | None = None
) -> Deliveries:
    """Those to one webhook, or of one task."""
    before = cursors.read(page.cursor) if page.cursor is not None else None
    found = store.deliveries(
        endpoint=endpoint, task_id=task_id, state=page.state, before=before, limit=page.limit + 1
    )
    shown = found[: page.limit]
    more = cursors.write(shown[-1].created_at, shown[-1].id) if len(found) > len(shown) else None
    return Deliveries(
        deliveries=[hooking.delivery_view(each) for each in shown if hooking.is_users(each)],
        next=more,
    )


def _replayed(
    pipeline: ThePipeline, delivery_id: str, is_theirs: Callable[[Delivery], bool]
) -> DeliveryView:
    delivery = pipeline.ports.store.delivery(delivery_id)
    if delivery is None or not is_theirs(delivery):
        raise NotFound(f"There is no delivery {delivery_id!r} here.")
    return hooking.delivery_view(outbox.replay(pipeline.ports, delivery))


def _change(pipeline: ThePipeline, endpoint: Endpoint, fields: dict[str, object]) -> Endpoint:
    """Whoever else changed it in between, these fields are written last."""
    store = pipeline.ports.store
    for _ in range(_TRIES):
        current = store.endpoint(endpoint.id)
        if current is None:
            raise NotFound(f"There is no webhook {endpoint.id!r}.")
        changed = store.change_endpoint(endpoint.id, current.revision, fields)
        if changed is not None:
            pipeline.ports.listeners.forget(endpoint.owner)
            return changed
    raise Unavailable("The webhook is being changed by many at once: try again.")
