"""One try to deliver, against receivers of every kind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest

from benchmarks.faults.receiver import Answer, Receiver, drip, raw, receiving, status
from services.outbound import open_client
from services.posting import Posted, post

OURS = [ip_network("127.0.0.1/32")]
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set at the end, so that no answer goes on dripping."""
    event = threading.Event()
    yield event
    event.set()


def posted(receiver: Receiver, answer: Answer, *, within_s: float = 10.0) -> Posted:
    receiver.script = [answer]
    with open_client() as client:
        return post(
            client, receiver.url, body='{"a":"é"}', headers={"webhook-id": "msg_1"},
            named=OURS, within_s=within_s,
        )  # fmt: skip


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(receiver: Receiver, code: int) -> None:
    assert posted(receiver, status(code)) == Posted(code)
    assert receiver.received[0].body == '{"a":"é"}'.encode()
    assert receiver.received[0].headers["content-type"] == "application/json"
    assert receiver.received[0].headers["connection"] == "close"


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, code: int) -> None:
    said = posted(receiver, status(code, Location=receiver.url))

    assert (said.status, said.taken, len(receiver.received)) == (code, False, 1)


@pytest.mark.parametrize("code", [400, 404, 410, 429, 500, 503])
def test_everything_else_is_a_failure(receiver: Receiver, code: int) -> None:
    said = posted(receiver, status(code))

    assert (said.status, said.taken, said.error) == (code, False, f"HTTP {code}.")


def test_a_receiver_may_say_when_it_wants_to_be_asked_again(receiver: Receiver) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    assert posted(receiver, status(429, Retry_After="120")).retry_after_s == 120.0
    assert 3000 < (posted(receiver, status(503, Retry_After=date)).retry_after_s or 0) <= 3600
    assert posted(receiver, status(503, Retry_After="soon")).retry_after_s is None


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_head_that_takes_too_long_is_a_failure(
    receiver: Receiver, over: threading.Event, head: bytes
) -> None:
    """Each of its bytes comes in time; all of them never do."""
    said = posted(receiver, drip(head, until=over), within_s=0.3)

    assert (said.status, said.error) == (None, "No answer within 0.3 s.")


def test_what_was_acknowledged_is_a_success_however_slow_its_body_is(
    receiver: Receiver, over: threading.Event
) -> None:
    endless = drip(HEAD + b"Content-Length: 99999\r\n\r\n", until=over)

    assert posted(receiver, endless, within_s=0.3) == Posted(200)


def test_of_a_huge_body_only_the_beginning_is_read(receiver: Receiver) -> None:
    wrote: list[int] = []

    def huge(handler) -> None:
        handler.wfile.write(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            handler.wfile.write(b"x" * 1_000_000)
            wrote.append(1_000_000)

    assert posted(receiver, huge) == Posted(200)
    assert sum(wrote) < 100_000_000


def test_a_receiver_that_dies_before_it_has_answered_has_not_taken_it(receiver: Receiver) -> None:
    for pieces in ([], [b"HTTP/1.1 200"], [HEAD + b"Content-"]):
        said = posted(receiver, raw(*pieces))
        assert (said.status, said.taken) == (None, False)
        assert said.error


def test_a_receiver_that_dies_after_the_head_has_taken_it(receiver: Receiver) -> None:
    assert posted(receiver, raw(HEAD + b"Content-Length: 9\r\n\r\nx")) == Posted(200)


def test_a_url_that_may_not_be_used_is_not_connected_to(receiver: Receiver) -> None:
    with open_client() as client:
        said = post(client, receiver.url, body="{}", headers={}, named=())

    assert "not a public address" in said.error
    assert receiver.received == []


def test_a_receiver_that_is_not_there_is_a_failure() -> None:
    with receiving() as receiver:
        url = receiver.url
    with open_client() as client:
        said = post(client, url, body="{}", headers={}, named=OURS)

    assert (said.status, "ConnectError" in said.error) == (None, True)
