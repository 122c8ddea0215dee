"""What becomes of a delivery: it was sent or not, it is sent anew, it is only a test."""

from __future__ import annotations

import secrets

from services import logs
from services.model import export
from services.model.errors import Conflict
from services.model.webhook import (
    OF_TASK,
    PING,
    TRIES_KEPT,
    WAITS_S,
    Delivery,
    Endpoint,
    Try,
    next_wait,
)
from services.posting import Posted
from task_manager.pipeline.listeners import lane_of
from task_manager.pipeline.notices import body
from task_manager.pipeline.ports import Ports

log = logs.get(__name__)

_TRIES = 20  # compare-and-set rounds

GONE = 410


def sent(ports: Ports, delivery: Delivery, posted: Posted, *, at: float, seconds: float) -> None:
    """Writes down what came of a try, and when the next one is. A try that somebody else took
    over in the meantime leaves nothing."""
    now = ports.store.now()
    line = Try(at=at, seconds=round(seconds, 3), status=posted.status, error=posted.error[:500])
    failures = delivery.failures + (0 if posted.taken else 1)
    wait = next_wait(
        failures or 1,
        draw=ports.draw(),
        retry_after_s=posted.retry_after_s,
        scale=ports.settings.retry_scale,
        waits=export.WAITS_S if delivery.endpoint == export.EXPORT else WAITS_S,
    )
    fields = {"tries": [*delivery.tries, line][-TRIES_KEPT:], "failures": failures}
    if posted.taken:
        fields |= {"state": "delivered", "open": False, "ended_at": now}
    elif posted.final or posted.status == GONE or wait is None:
        fields |= {"state": "dead", "open": False, "ended_at": now}
    else:
        fields |= {"due": now + wait}
    if _move(ports, delivery, fields) is not None:
        ports.meter.delivered(str(fields.get("state", "failed")))
    if posted.status == GONE:
        _disable(ports, delivery.endpoint, now)


def drop(ports: Ports, delivery: Delivery, reason: str) -> None:
    """Its receiver is not there any more."""
    now = ports.store.now()
    line = Try(at=now, seconds=0.0, error=reason)
    tries = [*delivery.tries, line][-TRIES_KEPT:]
    _move(ports, delivery, {"tries": tries, "state": "dead", "open": False, "ended_at": now})


def hold(ports: Ports, delivery: Delivery, due: float) -> Delivery | None:
    """Nobody else takes it over before then; None if somebody has."""
    return _move(ports, delivery, {"due": due})


def go_on(ports: Ports, delivery: Delivery, body: str, due: float) -> Delivery | None:
    """Writes down how far it is; None if somebody else took it over in the meantime."""
    return _move(ports, delivery, {"body": body, "due": due, "failures": 0})


def replay(ports: Ports, delivery: Delivery) -> Delivery:
    """The same body under the same id, from the first step of the schedule on; or all objects once
    more. Raises Conflict while it is pending."""
    fields: dict[str, object] = {
        "state": "pending",
        "open": True,
        "due": ports.store.now(),
        "failures": 0,
        "ended_at": None,
    }
    if delivery.endpoint == export.EXPORT:
        fields["body"] = export.from_start(delivery.body)
    again = None if delivery.open else _move(ports, delivery, fields)
    if again is None:
        raise Conflict(
            "This delivery is pending: it is sent without being asked for.", code="still_pending"
        )
    ports.post()
    return again


def ping(ports: Ports, endpoint: Endpoint) -> Delivery:
    """A delivery that tells nothing; it is tried like any other."""
    now = ports.store.now()
    made = Delivery(
        id=f"msg_{secrets.token_hex(16)}",
        owner=endpoint.owner,
        event=PING,
        endpoint=endpoint.id,
        lane=lane_of(endpoint.owner, endpoint.url),
        body=body(PING, now, {"webhook_id": endpoint.id}),
        created_at=now,
        due=now,
    )
    ports.store.insert_deliveries([made])
    ports.post()
    return made


def _move(ports: Ports, delivery: Delivery, fields: dict[str, object]) -> Delivery | None:
    return ports.store.move_delivery(
        delivery.id, state=delivery.state, attempt=delivery.attempt, fields=fields
    )


def _disable(ports: Ports, endpoint_id: str, now: float) -> None:
    """410: the receiver wants no more of them."""
    if endpoint_id == OF_TASK:
        return
    for _ in range(_TRIES):
        endpoint = ports.store.endpoint(endpoint_id)
        if endpoint is None or not endpoint.enabled:
            return
        fields = {
            "enabled": False,
            "disabled_at": now,
            "disabled_reason": "The receiver answered 410 Gone.",
        }
        if ports.store.change_endpoint(endpoint_id, endpoint.revision, fields) is not None:
            log.warning("webhook_disabled", webhook=endpoint_id)
            ports.listeners.forget(endpoint.owner)
            return
