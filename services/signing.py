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
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not (message_id and given and stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature("signature headers are missing")
    if abs(now - int(stamp)) > TOLERANCE_S:
        raise BadSignature("the timestamp is more than five minutes off")
    expected = sign(secret, message_id=message_id, at=int(stamp), body=body)["webhook-signature"]
    if not any(hmac.compare_digest(expected, part) for part in given.split(" ")):
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
    message = f"{message_id}.{int(at)}.{body}".encode()
    digests = [hmac.new(raw_secret(secret), message, sha256).digest() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in digests),
    }


def sign_url(secret: str, *, method: str, key: str, expires: int) -> str:
    """The signature of a local object's URL: who holds it may do this one thing until then."""
    message = f"{method}\n{key}\n{expires}".encode()
    return hmac.new(secret.encode(), message, sha256).hexdigest()
