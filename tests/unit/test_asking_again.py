"""When the client asks again: what was not begun always, what may have been done only where that
does no harm."""

from __future__ import annotations

import pytest

from services.client.asking import asked, may_pass
from services.client.errors import ClientError, NotNow, Refused, ServerFailed, TooMany, Unreachable
from services.client.steps import Pause, call


def read(_: object) -> None:
    raise AssertionError("nothing is answered here")


READ = call("GET", "/", read)
KEYED = call("POST", "/", read, repeatable=True)
ONCE = call("POST", "/", read)


def refused(kind: type[ClientError], status: int, code: str = "x") -> ClientError:
    return kind("No.", code=code, status=status)


GONE_SILENT = Unreachable("?", arrived=True, met=True)
AWAY = Unreachable("?", arrived=False, met=True)
NEVER_THERE = Unreachable("?", arrived=False, met=False)


@pytest.mark.parametrize(
    ("error", "harmless", "once"),
    [
        (GONE_SILENT, True, False),
        (AWAY, True, True),
        (NEVER_THERE, False, False),
        (refused(TooMany, 429), True, True),
        (refused(NotNow, 503, "too_busy"), True, True),
        (refused(NotNow, 503, "store_unavailable"), True, False),
        (refused(NotNow, 502), True, False),
        (refused(ServerFailed, 500), False, False),
        (refused(Refused, 422), False, False),
    ],
)
def test_who_may_ask_again(error: ClientError, harmless: bool, once: bool) -> None:
    assert may_pass(READ, error) == may_pass(KEYED, error) == harmless
    assert may_pass(ONCE, error) == once


def test_the_pause_is_the_one_that_the_server_asked_for() -> None:
    error = TooMany("Slow down.", code="rate_limited", status=429, retry_after_s=7.0)
    steps = asked(READ, patience_s=30.0)
    assert next(steps) is READ.request
    assert steps.throw(error) == Pause(7.0)
    assert next(steps) is READ.request


def test_without_a_word_from_the_server_pauses_grow() -> None:
    steps = asked(READ, patience_s=1e9)
    next(steps)
    pauses = []
    for _ in range(8):
        pause = steps.throw(GONE_SILENT)
        assert isinstance(pause, Pause)
        pauses.append(pause.seconds)
        next(steps)
    assert 0.3 < pauses[0] <= 0.5
    assert all(6.0 <= pause <= 8.0 for pause in pauses[5:])


def test_nobody_waits_for_longer_than_the_caller_has_patience() -> None:
    error = TooMany("Slow down.", code="rate_limited", status=429, retry_after_s=31.0)
    steps = asked(READ, patience_s=30.0)
    next(steps)
    with pytest.raises(TooMany):
        steps.throw(error)
