"""`fanscribe webhooks` against a running manager."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest

URL = "https://example.com/hook"


@pytest.fixture
def webhooks(fanscribe: Callable[..., str]) -> Callable[..., str]:
    return partial(fanscribe, "webhooks")


def test_a_webhook_is_added_listed_changed_and_removed(webhooks) -> None:
    webhook, secret = webhooks("add", URL, "--events", "task.failed, job.dead", "--full").split()
    assert secret.startswith("whsec_")
    head, line = webhooks("list").splitlines()
    assert head.split() == ["webhook", "state", "url", "events", "payload"]
    assert line.split() == [webhook, "enabled", URL, "task.failed,", "job.dead", "full"]
    assert secret not in webhooks("list", "--json")

    webhooks("change", webhook, "--disable", "--events", "")
    (shown,) = json.loads(webhooks("list", "--json"))
    assert not shown["enabled"]
    assert "task.succeeded" in shown["events"]
    assert "disabled" in webhooks("list")

    assert webhooks("remove", webhook) == ""
    assert json.loads(webhooks("list", "--json")) == []


def test_a_secret_is_exchanged(webhooks) -> None:
    webhook, secret = webhooks("add", URL).split()
    made = json.loads(webhooks("rotate", webhook, "--keep-old", "60", "--json"))
    assert made["secret"] != secret
    assert made["old_secret_until"]


def test_what_was_sent_is_listed_and_sent_again(webhooks, manager) -> None:
    webhook, _ = webhooks("add", URL).split()
    (sent,) = json.loads(webhooks("ping", webhook, "--json"))
    assert (sent["event"], sent["webhook"]) == ("webhook.ping", webhook)
    head, line, *_ = webhooks("deliveries", webhook).splitlines()
    assert head.split()[:3] == ["delivery", "event", "task"]
    assert line.split()[:2] == [sent["id"], "webhook.ping"]
    assert json.loads(webhooks("deliveries", webhook, "--state", "dead", "--json")) == []
    assert webhooks("replay", webhook) == "0 deliveries are sent again\n"


def test_what_the_server_refuses_is_said(webhooks) -> None:
    webhooks("add", "http://127.0.0.1/hook", code=1)
    webhooks("replay", "wh_1", "msg_1", code=1)
