"""What nodes are measured at, where it is kept, and the limits that are made of it."""

from __future__ import annotations

import pytest

from services.model.errors import FailureClass
from services.model.job import Lease
from services.model.speed import Speed
from services.model.stages import PartPlan, PrepareResult
from services.model.task import AudioInput, ItemSpec
from services.queue import Announcer
from task_manager.pipeline.speeds import COLD, Speeds, line_of, outcome
from task_manager.store.protocol import StoreUnavailable
from task_manager.store.sqlite import SqliteStore
from task_manager.ticker import Ticker

TRANSCRIBE = "transcribe.stub-whisper"


@pytest.fixture
def measure(pipeline):
    """Writes down that a node took so long for a size."""

    def take(node: str, line: str, size: float, seconds: float) -> None:
        pipeline.ports.store.add_speeds(node, {line: Speed().seen(size, seconds)})

    return take


@pytest.fixture
def an_hour(pipeline):
    info = pipeline.ports.objects.put("uploads/hour", [b"mp3"])
    audio = AudioInput(key=info.key, size=57_600_000, sha256=info.sha256, name="hour.mp3")
    return ItemSpec(text_id="1", audio=audio, language="en")


def of_an_hour(hand, grant) -> PrepareResult:
    whole = PartPlan(start=0, end=3600 * 16_000, speech=[(0, 3600 * 16_000)])
    return hand.result(grant).model_copy(update={"seconds": 3600.0, "parts": [whole]})


def test_a_success_is_measured_and_written_down_by_the_ticker(pipeline, hand, accept, an_audio):
    store, speeds = pipeline.ports.store, pipeline.ports.speeds
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")

    assert hand.finish(grant, result=hand.result(grant), seconds=2.5) == 200

    assert store.node("node-1").speeds == {}
    assert speeds.of(store, "node-1", "prepare").expect(1.0) == 2.5
    speeds.flush(store)
    assert store.node("node-1").speeds["prepare"].expect(1.0) == 2.5
    assert speeds.of(store, "node-1", "prepare").expect(1.0) == 2.5
    assert speeds.of(store, "node-2", "prepare") is None


def test_a_doubled_report_is_measured_once(pipeline, hand, accept, an_audio):
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    for _ in range(3):
        hand.finish(grant, result=hand.result(grant), seconds=2.0)

    assert pipeline.ports.speeds.of(pipeline.ports.store, "node-1", "prepare").count == COLD


def test_the_first_jobs_of_a_node_load_its_model_and_hardly_count(pipeline, hand, accept, an_audio):
    accept([an_audio.model_copy(update={"text_id": str(n)}) for n in range(6)], ["zh"])
    pipeline.ports.speeds.nodes(pipeline.ports.store)
    for seconds in (30.0, 30.0, 1.0, 1.0, 1.0, 1.0):  # two slots, two cold starts
        (grant,) = hand.claim("prepare")
        hand.finish(grant, result=hand.result(grant), seconds=seconds)

    speed = pipeline.ports.speeds.of(pipeline.ports.store, "node-1", "prepare")
    assert 1.0 < speed.expect(1.0) < 3.0


def test_a_worker_that_measures_nothing_is_measured_by_the_manager(
    pipeline, hand, accept, an_audio
):
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant)

    took = pipeline.ports.speeds.of(pipeline.ports.store, "node-1", "prepare").expect(1.0)
    job = pipeline.ports.store.job(grant.job)
    assert took == pytest.approx(job.finished_at - job.claimed_at)


def test_a_failure_is_not_measured(pipeline, hand, accept, an_audio):
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.fail(grant, FailureClass.PERMANENT)

    assert pipeline.ports.speeds.of(pipeline.ports.store, "node-1", "prepare") is None


def test_what_a_file_turned_out_to_hold_is_measured_too(pipeline, hand, accept, an_hour):
    accept([an_hour], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=of_an_hour(hand, grant), seconds=30.0)

    known = pipeline.ports.speeds.anywhere(pipeline.ports.store, outcome("prepare"))
    assert known.expect(3600.0) == pytest.approx(3600.0)


def test_measurements_outlive_a_store_that_is_away(pipeline, hand, accept, an_audio, tmp_path):
    speeds = pipeline.ports.speeds
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=hand.result(grant), seconds=2.0)
    away = SqliteStore(tmp_path / "away.sqlite")
    away.close()

    with pytest.raises(StoreUnavailable):
        speeds.flush(away)
    speeds.flush(pipeline.ports.store)

    assert pipeline.ports.store.node("node-1").speeds["prepare"].expect(1.0) == 2.0


def test_a_manager_that_ends_writes_down_what_it_measured(pipeline, hand, accept, an_audio):
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=hand.result(grant), seconds=2.0)

    Ticker(pipeline, Announcer("redis://127.0.0.1:1/0")).stop()

    assert pipeline.ports.store.node("node-1").speeds["prepare"].expect(1.0) == 2.0


def test_the_speeds_of_nodes_that_left_are_better_than_none(pipeline, hand, measure):
    measure("node-1", "prepare", 10.0, 1.0)
    store = pipeline.ports.store
    store.beat_node("node-1", store.now(), 0, gone=True)

    assert Speeds().anywhere(store, "prepare").expect(10.0) == 1.0


def test_limits_come_from_the_node_that_claims(
    pipeline, hand, other_hand, accept, an_hour, measure
):
    measure("node-1", TRANSCRIBE, 600.0, 60.0)
    measure("node-2", TRANSCRIBE, 600.0, 600.0)
    accept([an_hour], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=of_an_hour(hand, grant))

    (grant,) = other_hand.claim(TRANSCRIBE)

    assert (grant.limits.soft_s, grant.limits.hard_s) == (7200.0, 10_800.0)
    assert grant.limits.stuck_s == 600.0
    kept = pipeline.ports.store.job(grant.job).limits
    assert (kept.hard_s, kept.expected_s) == (10_800.0, 3600.0)


def test_a_node_that_was_never_measured_is_held_to_what_others_take(
    hand, other_hand, accept, an_hour, measure
):
    measure("node-1", TRANSCRIBE, 600.0, 300.0)
    accept([an_hour], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=of_an_hour(hand, grant))

    (grant,) = other_hand.claim(TRANSCRIBE)

    assert grant.limits.hard_s == 5400.0


def test_nobody_measured_means_four_times_real_time(hand, accept, an_hour):
    accept([an_hour], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=of_an_hour(hand, grant))

    (grant,) = hand.claim(TRANSCRIBE)

    assert grant.limits.hard_s == 3 * 4 * 3600.0


def test_a_short_job_keeps_the_least_limits_without_a_write(
    pipeline, hand, accept, an_audio, measure
):
    measure("node-1", "prepare", 10.0, 1.0)
    accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")

    job = pipeline.ports.store.job(grant.job)
    assert (grant.limits.hard_s, job.limits) == (300.0, None)
    assert job.lease == Lease(node="node-1", token=hand.token)


def test_taking_too_long_is_explained_in_the_history(pipeline, hand, accept, an_hour, measure):
    measure("node-1", TRANSCRIBE, 600.0, 60.0)
    accept([an_hour], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.finish(grant, result=of_an_hour(hand, grant))
    (grant,) = hand.claim(TRANSCRIBE)
    began = pipeline.ports.store.job(grant.job).claimed_at

    hand.fail(grant, FailureClass.TIME_LIMIT, "time_limit")

    (line,) = pipeline.ports.store.job(grant.job).history
    assert "soft 720 s, hard 1080 s, stuck 120 s; expected 360 s" in line.message
    assert (line.started_at, line.node) == (began, "node-1")


def test_a_label_makes_no_other_line(pipeline, accept, an_audio):
    job = pipeline.ports.store.job(f"{accept([an_audio], ['zh']).id}/prepare/0/-/-/0/0")

    assert line_of(job.model_copy(update={"queue": "prepare@room=lab"})) == "prepare"
