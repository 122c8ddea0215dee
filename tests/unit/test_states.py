"""Every (state, event) pair has one arrow, and the odd ones are the ones we meant."""

from __future__ import annotations

import itertools

import pytest

from services.model.states import TABLE, Answer, Event, JobState, arrow

W, R, S, D, C = JobState
OK, STALE, CANCELLED = Answer

EXPECTED = {
    # state: {event: (to, answer, moves)}
    W: {
        Event.CLAIM: (R, OK, True),
        Event.BEAT: (R, OK, True),
        Event.SUCCEED: (S, OK, True),
        Event.FAIL_AGAIN: (W, OK, False),
        Event.FAIL_FOR_GOOD: (D, OK, True),
        Event.RELEASE: (W, OK, False),
        Event.LOSE: (W, OK, False),
        Event.LOSE_FOR_GOOD: (W, OK, False),
        Event.CANCEL: (C, OK, True),
        Event.REVIVE: (W, OK, False),
    },
    R: {
        Event.CLAIM: (R, STALE, False),
        Event.BEAT: (R, OK, True),
        Event.SUCCEED: (S, OK, True),
        Event.FAIL_AGAIN: (W, OK, True),
        Event.FAIL_FOR_GOOD: (D, OK, True),
        Event.RELEASE: (W, OK, True),
        Event.LOSE: (W, OK, True),
        Event.LOSE_FOR_GOOD: (D, OK, True),
        Event.CANCEL: (C, OK, True),
        Event.REVIVE: (R, OK, False),
    },
    S: {
        Event.CLAIM: (S, STALE, False),
        Event.BEAT: (S, STALE, False),
        Event.SUCCEED: (S, OK, False),
        Event.FAIL_AGAIN: (S, STALE, False),
        Event.FAIL_FOR_GOOD: (S, STALE, False),
        Event.RELEASE: (S, STALE, False),
        Event.LOSE: (S, OK, False),
        Event.LOSE_FOR_GOOD: (S, OK, False),
        Event.CANCEL: (S, OK, False),
        Event.REVIVE: (S, OK, False),
    },
    D: {
        Event.CLAIM: (D, STALE, False),
        Event.BEAT: (D, STALE, False),
        Event.SUCCEED: (D, STALE, False),
        Event.FAIL_AGAIN: (D, STALE, False),
        Event.FAIL_FOR_GOOD: (D, STALE, False),
        Event.RELEASE: (D, STALE, False),
        Event.LOSE: (D, OK, False),
        Event.LOSE_FOR_GOOD: (D, OK, False),
        Event.CANCEL: (D, OK, False),
        Event.REVIVE: (W, OK, True),
    },
    C: {
        Event.CLAIM: (C, CANCELLED, False),
        Event.BEAT: (C, CANCELLED, False),
        Event.SUCCEED: (C, CANCELLED, False),
        Event.FAIL_AGAIN: (C, CANCELLED, False),
        Event.FAIL_FOR_GOOD: (C, CANCELLED, False),
        Event.RELEASE: (C, CANCELLED, False),
        Event.LOSE: (C, OK, False),
        Event.LOSE_FOR_GOOD: (C, OK, False),
        Event.CANCEL: (C, OK, False),
        Event.REVIVE: (C, OK, False),
    },
}
PAIRS = list(itertools.product(JobState, Event))


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{s}-{e}" for s, e in PAIRS])
def test_each_pair_leads_where_it_is_meant_to(state, event):
    found = arrow(state, event)

    assert EXPECTED[state][event] == (found.to, found.answer, found.moves)


def test_the_table_holds_every_pair_and_no_other():
    assert set(PAIRS) == set(TABLE)


def test_an_arrow_that_does_not_move_stays_where_it_is():
    assert [pair for pair, way in TABLE.items() if not way.moves and way.to is not pair[0]] == []


def test_what_has_ended_is_left_only_by_reviving_the_dead():
    leaving = [pair for pair, way in TABLE.items() if pair[0].ended and way.to is not pair[0]]

    assert leaving == [(D, Event.REVIVE)]
