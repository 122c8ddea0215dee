"""A worker that is too old for a job: it goes back uncharged, to another node first."""

from __future__ import annotations

import pytest

from services.model import retry
from services.model.errors import FailureClass
from services.model.states import JobState
from task_manager.store.protocol import JobChange

TRANSLATE = "translate.stub-nmt"
UNKNOWN = ["spec.translate.politely"]


def change(store, job, **fields):
    """As somebody else writes it meanwhile."""
    assert store.move_job(
        job.id, state=job.state, attempt=job.attempt, change=JobChange(fields, None)
    )


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


@pytest.fixture
def text_task(accept, a_text):
    return accept([a_text], ["zh"])


def test_nobody_is_charged_and_its_history_says_why(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)

    assert hand.finish(grant, released=True, unknown=UNKNOWN) == 200

    job = store.job(grant.job)
    assert (job.state, job.retries, job.losses) == (JobState.WAITING, {}, 0)
    (line,) = job.history
    assert (line.code, line.failure) == ("worker_too_old", FailureClass.SERVICE_UNAVAILABLE)
    assert (line.node, UNKNOWN[0] in line.message) == ("node-1", True)
    assert line.next_attempt_at == job.due <= store.now()


def test_another_node_has_it_at_once(hand, other_hand, text_task, store, settled):
    (grant,) = hand.claim(TRANSLATE)
    hand.finish(grant, released=True, unknown=UNKNOWN)

    assert hand.claim(TRANSLATE) == []
    (again,) = other_hand.claim(TRANSLATE)
    other_hand.finish(again)

    assert settled(text_task).state == "succeeded"


def test_where_no_node_knows_it_the_job_waits_and_is_never_given_up(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)
    hand.finish(grant, released=True, unknown=UNKNOWN)
    for _ in range(5):
        (grant,) = hand.claim(TRANSLATE)
        hand.finish(grant, released=True, unknown=UNKNOWN)

        job = store.job(grant.job)
        assert (job.state, job.retries, job.losses) == (JobState.WAITING, {}, 0)
        assert 0 < job.due - store.now() <= retry.UNKNOWN_AGAIN_S
        assert hand.claim(TRANSLATE) == []
        change(store, job, due=store.now())


def test_a_result_with_facts_of_a_newer_release_is_taken_as_it_is(
    hand, accept, an_audio, store, settled
):
    """Two managers share the store: the newer one took the report, the older one goes on."""
    task = accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant)
    done = store.job(grant.job)
    parts = [{**part, "mood": "good"} for part in done.result["parts"]]
    change(store, done, result={**done.result, "parts": parts, "mood": "good"})

    hand.work()

    assert settled(task).state == "succeeded"
