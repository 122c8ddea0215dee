"""What a receiver of webhooks makes of a request: a typed event, or a refusal."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from fanscribe import (
    BadWebhook,
    ItemHeard,
    JobDied,
    LanguageCompleted,
    Pinged,
    TaskEnded,
    TaskState,
    WebhookEvent,
    verify_webhook,
)
from services.signing import sign_for_user

NEW, OLD = "whsec_" + "bm4" * 12, "whsec_" + "b2x" * 12
PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
PING = '{"type":"webhook.ping","timestamp":"2026-11-21T08:30:00Z","data":{"webhook_id":"wh_1"}}'


def signed(body: str, *secrets: str, age_s: float = 0.0) -> dict[str, str]:
    return sign_for_user(secrets or [NEW], message_id="msg_1", at=time.time() - age_s, body=body)


def test_every_event_of_the_page_becomes_one_of_its_type() -> None:
    shown = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    bodies = [text for text in shown if '"type"' in text]
    events = [verify_webhook(NEW, signed(body), body.encode()) for body in bodies]
    assert list(map(type, events)) == [TaskEnded, ItemHeard, LanguageCompleted, JobDied, Pinged]
    for body, event in zip(bodies, events, strict=True):
        assert (event.id, event.data) == ("msg_1", json.loads(body)["data"])
    ended = events[0]
    assert isinstance(ended, TaskEnded)
    assert (ended.state, ended.metadata) == (TaskState.SUCCEEDED, {"order": "A-17"})


def test_a_type_that_is_not_known_is_an_event_still() -> None:
    body = PING.replace("webhook.ping", "task.sung")
    event = verify_webhook(NEW, signed(body), body)
    assert (type(event), event.type) == (WebhookEvent, "task.sung")


def test_names_of_headers_may_be_written_in_any_way() -> None:
    headers = {name.title(): value for name, value in signed(PING).items()}
    assert isinstance(verify_webhook(NEW, headers, PING), Pinged)


@pytest.mark.parametrize("known", [NEW, OLD, [NEW, OLD]])
def test_either_secret_fits_while_one_takes_the_place_of_the_other(known: Any) -> None:
    assert verify_webhook(known, signed(PING, NEW, OLD), PING)


def test_what_the_library_of_the_specification_signs_is_taken() -> None:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(NEW).sign("msg_1", now, PING),
    }
    assert verify_webhook(NEW, headers, PING)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": OLD},
        {"age_s": 310.0},
        {"age_s": -310.0},
        {"signs": PING + " "},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "0"},
        {"webhook-signature": "v1,é v2,x"},
        {"webhook-signature": ""},
    ],
)
def test_what_is_not_from_us_or_not_from_now_is_refused(wrong: dict[str, Any]) -> None:
    headers = signed(
        wrong.get("signs", PING), wrong.get("secret", NEW), age_s=wrong.get("age_s", 0.0)
    )
    with pytest.raises(BadWebhook) as told:
        verify_webhook(NEW, headers | {k: v for k, v in wrong.items() if k in headers}, PING)
    assert told.value.code == "bad_signature"


def test_without_headers_nothing_is_believed() -> None:
    with pytest.raises(BadWebhook, match="headers are missing"):
        verify_webhook(NEW, {}, PING)


def test_an_older_request_is_taken_where_the_receiver_allows_it() -> None:
    assert verify_webhook(NEW, signed(PING, age_s=400), PING, tolerance_s=600)


@pytest.mark.parametrize("body", ["{}", "[1]", "no json", '{"type":"webhook.ping","data":{}}'])
def test_a_signed_body_that_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(BadWebhook) as told:
        verify_webhook(NEW, signed(body), body)
    assert told.value.code == "bad_body"


def test_what_is_no_secret_is_a_mistake_of_the_receiver() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook("secret", signed(PING), PING)
