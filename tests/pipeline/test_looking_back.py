"""Earlier results behind the callback: whose they are, and until when they answer."""

from __future__ import annotations

import pytest

from services.model.messages import LookBack
from services.model.transcript import Body

TRANSCRIBE = "transcribe.stub-whisper"
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def hearing(accept, hand, an_audio):
    """A transcription under way, for this owner."""

    def begin(owner: str = "local"):
        accept([an_audio], ["zh"], owner=owner)
        hand.work("prepare")
        (grant,) = hand.claim(TRANSCRIBE)
        return grant

    return begin


@pytest.fixture
def heard(hearing, hand):
    """One that has ended, and left this digest."""

    def end(digest: str | None = ONE, owner: str = "local", **more):
        grant = hearing(owner)
        result = hand.result(grant).model_copy(update={"digest": digest, **more})
        assert hand.finish(grant, result=result) == 200
        return grant, result

    return end


@pytest.fixture
def ask(pipeline, hand):
    def look_back(grant, digest: str = ONE, *, token: str = "", attempt: int = 0):
        asked = LookBack(
            token=token or hand.token,
            job=grant.job,
            attempt=attempt or grant.attempt,
            digest=digest,
        )
        return pipeline.look_back(asked)

    return look_back


def test_what_was_heard_earlier_answers_for_the_same(heard, hearing, ask):
    _, result = heard()
    grant = hearing()

    assert (ask(grant).result, ask(grant).url) == (result, None)
    assert ask(grant, TWO).result is None


def test_what_was_heard_of_no_known_sound_answers_for_nothing(heard, hearing, ask):
    heard(None)

    assert ask(hearing()).result is None


def test_nobody_gets_what_another_owner_had_heard(heard, hearing, ask):
    heard(owner="a")

    assert ask(hearing("b")).result is None
    assert ask(hearing("a")).result is not None


def test_only_who_holds_the_lease_is_told(heard, hearing, ask, hand):
    heard()
    grant = hearing()

    assert ask(grant, token="x" * 32).result is None
    assert ask(grant, attempt=2).result is None
    assert ask(grant.model_copy(update={"job": "no/such/job"})).result is None
    assert ask(grant).result is not None
    hand.finish(grant)
    assert ask(grant).result is None


def test_a_transcript_in_storage_comes_with_its_url(pipeline, heard, hearing, ask):
    info = pipeline.ports.objects.put("tasks/x/transcript.json", [b"{}"])
    body = Body(key=info.key, size=info.size, sha256=info.sha256)
    heard(transcript=body)

    url = ask(hearing()).url

    assert url is not None
    assert url == pipeline.ports.objects.url_to_get(info.key, 60)


def test_a_task_that_is_deleted_takes_what_was_heard_along(pipeline, heard, hearing, ask):
    earlier, _ = heard()
    grant = hearing()
    assert ask(grant).result is not None

    pipeline.delete(earlier.task)

    assert ask(grant).result is None


def test_a_job_asks_for_results_of_its_own_stage_only(accept, hand, an_audio, heard, ask):
    heard()
    accept([an_audio], ["zh"])
    (prepare,) = hand.claim("prepare")

    assert ask(prepare).result is None


def test_it_is_counted_how_many_parts_were_known(pipeline, heard, hearing, ask):
    heard()
    grant = hearing()
    for digest in (ONE, ONE, TWO):
        ask(grant, digest)

    name, registry = "fanscribe_parts_looked_back_total", pipeline.ports.meter.registry
    assert registry.get_sample_value(name, {"outcome": "known"}) == 2
    assert registry.get_sample_value(name, {"outcome": "unknown"}) == 1


def test_words_that_were_taken_over_say_nothing_of_a_nodes_speed(pipeline, hearing, hand):
    for reused in (True, False):
        grant = hearing()
        result = hand.result(grant).model_copy(update={"reused": reused})
        hand.finish(grant, result=result, seconds=1.0)
        speed = pipeline.ports.speeds.of(pipeline.ports.store, "node-1", TRANSCRIBE)
        assert (speed is None) == reused


def test_an_item_says_that_its_words_were_taken_over(pipeline, heard):
    grant, _ = heard(reused=True)
    other, _ = heard()

    facts = [
        output.facts.get("reused")
        for each in (grant, other)
        for output in pipeline.ports.store.output_lines(each.task, 0, 0)
        if output.kind == "transcript"
    ]
    assert facts == [True, None]
