"""Whether a call is made again, and when: what the server did not begin always, all else only where
it does no harm."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from itertools import count
from typing import Any

from services.client.errors import ClientError, Unreachable, checked
from services.client.steps import Call, Pause, Request, T
from services.outbound import Response

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_NOT_BEGUN = frozenset({"queue_full", "low_memory", "too_busy"})  # codes of 503


def asked(call: Call[T], patience_s: float) -> Generator[Request | Pause, Any, T]:
    """Asks until there is an answer, a refusal, or no time left to hope for either."""
    end = time.monotonic() + (patience_s if call.patient else 0.0)
    for tries in count(1):
        response: Response | None = None
        try:
            response = yield call.request
            return call.read(checked(response))
        except ClientError as error:
            if response is not None and tries > 1 and error.status in call.had:
                return call.read(response)
            wait_s = error.retry_after_s or _wait_s(tries)
            if not may_pass(call, error) or time.monotonic() + wait_s > end:
                raise
        yield Pause(wait_s)
    raise AssertionError("it counts without end")


def may_pass(call: Call[Any], error: ClientError) -> bool:
    """Whether the same request may meet with more luck, and does nothing twice."""
    if isinstance(error, Unreachable):  # an address where nobody ever answered may be wrong
        return call.repeatable if error.arrived else error.met
    if error.status == 429 or (error.status == 503 and error.code in _NOT_BEGUN):
        return True
    return call.repeatable and error.status in {502, 503, 504}


def _wait_s(tries: int) -> float:
    """Doubled at each try, and a little different for each client."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (tries - 1))
    return longest * random.uniform(0.75, 1.0)  # noqa: S311  no secret
