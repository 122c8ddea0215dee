"""When a delivery is tried again, what names it, and what signs it."""

from __future__ import annotations

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.model.errors import Invalid
from services.model.webhook import (
    LONGEST_WAIT_S,
    Secret,
    check_secret,
    delivery_id,
    next_wait,
    secret_of,
    signing,
)
from services.signing import sign_for_user

NEW, OLD = secret_of(b"n" * 24), secret_of(b"o" * 32)


def test_the_schedule_is_the_one_of_the_design() -> None:
    waits = [next_wait(failures, draw=0.0) for failures in range(1, 9)]

    assert waits == [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600, None]


def test_up_to_a_tenth_is_added_and_tests_may_shrink_it() -> None:
    assert next_wait(1, draw=0.5) == pytest.approx(5.25)
    assert next_wait(2, draw=0.0, scale=0.01) == pytest.approx(3.0)


def test_a_longer_retry_after_wins_but_not_for_ever() -> None:
    assert next_wait(1, draw=0.0, retry_after_s=60.0) == 60.0
    assert next_wait(2, draw=0.0, retry_after_s=60.0) == 300.0
    assert next_wait(1, draw=0.0, retry_after_s=60.0, scale=0.001) == 60.0
    assert next_wait(1, draw=0.0, retry_after_s=1e9) == LONGEST_WAIT_S
    assert next_wait(8, draw=0.0, retry_after_s=60.0) is None


def test_the_same_event_for_the_same_receiver_has_one_id() -> None:
    event = ("t", "job.dead", "t/translate/0", 1, "wh_1")
    others = [
        ("u", *event[1:]),
        ("t", "task.failed", *event[2:]),
        (*event[:2], "t/translate/1", *event[3:]),
        (*event[:3], 2, "wh_1"),
        (*event[:4], "wh_2"),
    ]

    assert delivery_id(*event) == delivery_id(*event)
    assert len({delivery_id(*each) for each in [event, *others]}) == 6


def test_each_secret_that_holds_signs() -> None:
    secrets = [Secret(value=NEW), Secret(value=OLD, until=1000.0)]

    assert signing(secrets, 999.0) == [NEW, OLD]
    assert signing(secrets, 1000.0) == [NEW]


def test_a_receiver_with_either_secret_believes_a_delivery_while_one_is_replaced() -> None:
    import time

    body = '{"type":"webhook.ping","文":"é"}'
    headers = sign_for_user([NEW, OLD], message_id="msg_1", at=time.time(), body=body)

    assert Webhook(NEW).verify(body, headers) == Webhook(OLD).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(b"x" * 24)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body.replace("é", "e"), headers)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_%%%", "abc", NEW.removeprefix("whsec_"), secret_of(b"short")]
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_secret(secret, "secret")

    assert (refused.value.code, refused.value.field) == ("bad_secret", "secret")
