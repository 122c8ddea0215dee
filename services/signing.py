"""Signatures by the Standard Webhooks scheme, checked against the manager's clock.

The scheme is the library's; the tolerance is ours, because a worker's clock may be hours off: it
learns the manager's time when it registers, and again from every refusal.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from standardwebhooks.webhooks import Webhook

from services.model.webhook import raw_secret

TOLERANCE_S = 300.0


class BadSignature(Exception):
    """The signature is missing, wrong, or of another time."""


def _webhook(secret: str) -> Webhook:
    return Webhook(base64.b64encode(sha256(secret.encode()).digest()).decode())


def sign(secret: str, *, message_id: str, at: float, body: str) -> dict[str, str]:
    """The three headers for this body, signed as of `at` (seconds since 1970)."""
    moment = datetime.fromtimestamp(int(at), tz=UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": _webhook(secret).sign(message_id, moment, body),
    }


def verify(secret: str, headers: Mapping[str, str], body: str, *, now: float) -> None:
    """Raises BadSignature unless the headers sign this body within five minutes of `now`."""
    message_id, at, given = _read(headers, now, TOLERANCE_S)
    expected = sign(secret, message_id=message_id, at=at, body=body)["webhook-signature"]
    _refuse_all_but([expected], given)


def _read(headers: Mapping[str, str], now: float, tolerance_s: float) -> tuple[str, int, list[str]]:
    """The id, the time, and the signatures. Raises BadSignature."""
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not (message_id and given and stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature("signature headers are missing")
    if abs(now - int(stamp)) > tolerance_s:
        raise BadSignature(f"the timestamp is more than {tolerance_s / 60:g} minutes off")
    return message_id, int(stamp), given.split(" ")


def _refuse_all_but(expected: Sequence[str], given: Sequence[str]) -> None:
    fitting = [hmac.compare_digest(one.encode(), two.encode()) for one in expected for two in given]
    if not any(fitting):
        raise BadSignature("the signature does not fit the body")


def verify_any(
    accepted: Sequence[str], headers: Mapping[str, str], body: str, *, now: float
) -> None:
    """The same by any of several secrets, as there are while one takes the place of another."""
    for place, secret in enumerate(accepted, start=1):
        try:
            return verify(secret, headers, body, now=now)
        except BadSignature:
            if place == len(accepted):
                raise
    return None


def verify_url(
    accepted: Sequence[str], signature: str, *, method: str, key: str, expires: int
) -> None:
    """Raises BadSignature unless one of the secrets signed this URL."""
    given = signature.encode()
    for secret in accepted:
        expected = sign_url(secret, method=method, key=key, expires=expires)
        if hmac.compare_digest(expected.encode(), given):
            return
    raise BadSignature("the signature does not fit the URL")


def sign_for_user(
    secrets: Sequence[str], *, message_id: str, at: float, body: str
) -> dict[str, str]:
    """The three headers of a webhook, with one signature for each `whsec_…` that holds just now:
    so a secret can be replaced without a delivery that its receiver refuses."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(_of_user(secrets, message_id, int(at), body.encode())),
    }


def verify_for_user(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    tolerance_s: float = TOLERANCE_S,
) -> None:
    """What the receiver of a webhook asks: raises BadSignature unless one of the secrets signed
    this body not longer ago, and ValueError for what is no secret."""
    message_id, at, given = _read(headers, now, tolerance_s)
    _refuse_all_but(_of_user(secrets, message_id, at, body), given)


def _of_user(secrets: Sequence[str], message_id: str, at: int, body: bytes) -> list[str]:
    message = f"{message_id}.{at}.".encode() + body
    digests = [hmac.new(raw_secret(secret), message, sha256).digest() for secret in secrets]
    return [f"v1,{base64.b64encode(each).decode()}" for each in digests]


def sign_url(secret: str, *, method: str, key: str, expires: int) -> str:
    """The signature of a local object's URL: who holds it may do this one thing until then."""
    message = f"{method}\n{key}\n{expires}".encode()
    return hmac.new(secret.encode(), message, sha256).hexdigest()
