"""What a worker's words do to a job: once, in order, doubled, late and stale."""

from __future__ import annotations

import pytest

from services.model.errors import FailureClass
from services.model.states import JobState
from task_manager.pipeline.reports import lose

TRANSLATE = "translate.stub-nmt"


@pytest.fixture
def text_task(accept, a_text):
    return accept([a_text], ["zh"])


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


@pytest.fixture
def take_back(pipeline, store):
    """What the ticker does when a worker fell silent."""

    def take(job_id: str):
        return lose(pipeline.ports, store.job(job_id), "Nothing was heard.")[0]

    return take


def test_a_doubled_success_is_answered_200_and_changes_nothing(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)
    first = hand.finish(grant)
    before = store.job(grant.job)

    second = hand.finish(grant)

    assert (200, 200) == (first, second)
    assert before == store.job(grant.job)


def test_a_lower_attempt_is_answered_409_and_commits_nothing(hand, text_task, store, take_back):
    (old,) = hand.claim(TRANSLATE)
    old_token = hand.token
    hand.beat(old)
    take_back(old.job)
    (new,) = hand.claim(TRANSLATE)

    assert 409 == hand.finish(old, token=old_token)
    assert (JobState.RUNNING, new.attempt) == (store.job(new.job).state, old.attempt + 1)


def test_a_success_counts_although_the_lease_was_taken_back(hand, text_task, store, take_back):
    (grant,) = hand.claim(TRANSLATE)
    hand.beat(grant)
    take_back(grant.job)

    assert 200 == hand.finish(grant)
    assert JobState.SUCCEEDED is store.job(grant.job).state


def test_a_beat_takes_the_lease_back_and_uncharges_the_loss(hand, text_task, store, take_back):
    (grant,) = hand.claim(TRANSLATE)
    hand.beat(grant)
    assert 1 == take_back(grant.job).losses

    assert "held" == hand.beat(grant)
    assert (JobState.RUNNING, 0) == (store.job(grant.job).state, store.job(grant.job).losses)


def test_a_lease_that_never_beat_is_not_charged(hand, text_task, take_back):
    (grant,) = hand.claim(TRANSLATE)

    lost = take_back(grant.job)

    assert (JobState.WAITING, 0) == (lost.state, lost.losses)


def test_the_third_loss_is_the_end(hand, text_task, store, take_back):
    for _ in range(3):
        (grant,) = hand.claim(TRANSLATE)
        hand.beat(grant)
        take_back(grant.job)

    job = store.job(grant.job)
    assert (JobState.DEAD, 3) == (job.state, job.losses)
    assert ["worker_lost"] * 3 == [line.code for line in job.history]


def test_a_late_report_on_a_dead_job_is_stale(hand, text_task, take_back):
    for _ in range(3):
        (grant,) = hand.claim(TRANSLATE)
        hand.beat(grant)
        take_back(grant.job)

    assert 409 == hand.finish(grant)


def test_a_failure_waits_as_long_as_its_class_says(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.NETWORK_TIMEOUT)

    job = store.job(grant.job)
    assert JobState.WAITING is job.state
    assert job.history[0].next_attempt_at == pytest.approx(job.history[0].at + 30.0)
    assert job.due == job.history[0].next_attempt_at
    assert [] == hand.claim(TRANSLATE)


def test_a_doubled_failure_is_charged_once(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.SERVICE_UNAVAILABLE)

    assert 200 == hand.fail(grant, FailureClass.SERVICE_UNAVAILABLE)
    job = store.job(grant.job)
    assert ({FailureClass.SERVICE_UNAVAILABLE: 1}, 1) == (job.retries, len(job.history))


def test_a_beat_after_its_own_failure_report_holds_nothing(hand, text_task):
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.NETWORK_TIMEOUT)

    assert "stale" == hand.beat(grant)


def test_a_permanent_failure_is_final_and_keeps_its_reason(hand, text_task, store, settled):
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.PERMANENT, "bad_media")

    assert (JobState.DEAD, "bad_media") == (
        store.job(grant.job).state,
        store.job(grant.job).history[0].code,
    )
    assert "failed" == settled(text_task).state


def test_a_retry_of_a_resource_failure_prefers_another_node(
    hand, other_hand, text_task, store, settings
):
    settings.retry_scale = 1e-9
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.RESOURCE_EXHAUSTED)

    assert [] == hand.claim(TRANSLATE)
    assert 1 == len(other_hand.claim(TRANSLATE))


def test_an_avoided_node_serves_when_no_other_can(hand, text_task, settings):
    settings.retry_scale = 1e-9
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.RESOURCE_EXHAUSTED)

    assert 1 == len(hand.claim(TRANSLATE))


def test_a_released_job_waits_again_uncharged(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)
    hand.finish(grant, released=True)

    job = store.job(grant.job)
    assert (JobState.WAITING, [], 0) == (job.state, job.history, job.losses)
    assert 1 == len(hand.claim(TRANSLATE))


def test_the_same_token_gets_the_same_leases_again(hand, text_task):
    first = hand.claim(TRANSLATE)

    assert first == hand.claim_again(TRANSLATE)


def test_a_report_of_another_stage_is_refused(hand, accept, an_audio, a_text, store):
    accept([an_audio, a_text], ["zh"])
    (translation,) = hand.claim(TRANSLATE)
    token = hand.token
    (preparation,) = hand.claim("prepare")

    assert 422 == hand.finish(translation, token=token, result=hand.result(preparation))
    assert JobState.RUNNING is store.job(translation.job).state


def test_a_foreign_token_commits_nothing(hand, text_task, store):
    (grant,) = hand.claim(TRANSLATE)

    assert 409 == hand.finish(grant, token="somebody-elses-token")
    assert JobState.RUNNING is store.job(grant.job).state
