"""Of several secrets each opens, and the first signs; so one can take the place of another."""

from __future__ import annotations

import pytest

from services import signing
from services.settings import Settings

BODY = '{"a": "é"}'


def signed(secret: str) -> dict[str, str]:
    return signing.sign(secret, message_id="m", at=1000.0, body=BODY)


@pytest.mark.parametrize("secret", ["new", "old"])
def test_a_call_signed_by_any_accepted_secret_is_taken(secret: str) -> None:
    signing.verify_any(["new", "old"], signed(secret), BODY, now=1000.0)


@pytest.mark.parametrize("accepted", [["new", "old"], ["new"], [""]])
def test_a_call_signed_by_another_is_not(accepted: list[str]) -> None:
    with pytest.raises(signing.BadSignature):
        signing.verify_any(accepted, signed("other"), BODY, now=1000.0)


def test_a_url_signed_by_any_accepted_secret_opens() -> None:
    url = {"method": "GET", "key": "tasks/t/a", "expires": 1000}
    for secret in ("new", "old"):
        signing.verify_url(["new", "old"], signing.sign_url(secret, **url), **url)
    for wrong in (signing.sign_url("other", **url), "", "é"):
        with pytest.raises(signing.BadSignature):
            signing.verify_url(["new", "old"], wrong, **url)


@pytest.mark.parametrize(
    ("text", "secrets"),
    [("one", ["one"]), ("new, old ,", ["new", "old"]), ("", [""]), (" , ", [""])],
)
def test_secrets_are_separated_by_commas(text: str, secrets: list[str]) -> None:
    assert Settings(callback_secret=text).callback_secrets == secrets
