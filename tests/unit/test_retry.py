"""The retry tiers, one row a case: class, retries done, and what follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import FailureClass as F
from services.model.retry import JITTER, TIERS, Decision, decide

NO = Decision(again=False)

ROWS = [
    # A short hiccup of the network: once more after half a minute.
    (F.NETWORK_TIMEOUT, 0, Decision(again=True, delay_s=30)),
    (F.NETWORK_TIMEOUT, 1, NO),
    # A service that is down or busy: twice, five minutes apart.
    (F.SERVICE_UNAVAILABLE, 0, Decision(again=True, delay_s=300)),
    (F.SERVICE_UNAVAILABLE, 1, Decision(again=True, delay_s=300)),
    (F.SERVICE_UNAVAILABLE, 2, NO),
    # No memory, no disk, no GPU: three times, half an hour apart, rather elsewhere.
    (F.RESOURCE_EXHAUSTED, 0, Decision(again=True, delay_s=1800, other_node=True)),
    (F.RESOURCE_EXHAUSTED, 1, Decision(again=True, delay_s=1800, other_node=True)),
    (F.RESOURCE_EXHAUSTED, 2, Decision(again=True, delay_s=1800, other_node=True)),
    (F.RESOURCE_EXHAUSTED, 3, NO),
    # The worker died: at once, and the third loss is the end.
    (F.WORKER_LOST, 0, Decision(again=True, delay_s=0, other_node=True)),
    (F.WORKER_LOST, 1, Decision(again=True, delay_s=0, other_node=True)),
    (F.WORKER_LOST, 2, NO),
    # Too slow or stuck: once more with safer options.
    (F.TIME_LIMIT, 0, Decision(again=True, delay_s=0, safer=True)),
    (F.TIME_LIMIT, 1, NO),
    # The input is at fault: never.
    (F.PERMANENT, 0, NO),
    # Anything we did not foresee: once.
    (F.INTERNAL, 0, Decision(again=True, delay_s=30)),
    (F.INTERNAL, 1, NO),
]


@pytest.mark.parametrize(("failure", "done", "expected"), ROWS)
def test_each_tier_is_kept(failure, done, expected):
    assert expected == decide(failure, {failure: done}, draw=0.0)


def test_every_class_has_a_tier():
    assert set(F) == set(TIERS)


def test_retries_of_one_class_do_not_use_up_those_of_another():
    decision = decide(F.NETWORK_TIMEOUT, {F.SERVICE_UNAVAILABLE: 2, F.INTERNAL: 1}, draw=0.0)

    assert decision.again


def test_a_longer_retry_after_wins():
    decision = decide(F.SERVICE_UNAVAILABLE, {}, draw=0.0, retry_after_s=900.0)

    assert decision.delay_s == 900.0


def test_a_shorter_retry_after_does_not():
    decision = decide(F.SERVICE_UNAVAILABLE, {}, draw=0.0, retry_after_s=1.0)

    assert decision.delay_s == 300.0


def test_only_a_busy_service_may_name_its_own_time():
    decision = decide(F.NETWORK_TIMEOUT, {}, draw=0.0, retry_after_s=900.0)

    assert decision.delay_s == 30.0


def test_tests_may_shrink_the_waits():
    assert decide(F.NETWORK_TIMEOUT, {}, draw=0.0, scale=0.01).delay_s == pytest.approx(0.3)


@given(st.sampled_from(list(F)), st.integers(0, 5), st.floats(0, 1, exclude_max=True))
def test_jitter_adds_at_most_a_tenth_and_never_takes_away(failure, done, draw):
    plain = decide(failure, {failure: done}, draw=0.0)
    drawn = decide(failure, {failure: done}, draw=draw)

    assert plain.again == drawn.again
    assert plain.delay_s <= drawn.delay_s <= plain.delay_s * (1 + JITTER)
