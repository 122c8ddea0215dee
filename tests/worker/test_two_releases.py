"""A worker whose manager is of another release: nothing is lost, charged or done by halves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from in_test_manager import InTestManager
from started_worker import QUEUE, Redis, started_worker

from services.model.messages import Announcement, Beat, Finish, Grant, Held, NodeBeat, Report
from services.model.stages import DetectResult, DetectSpec, Place, Result, Spec
from services.queue import Announcer
from services.worker.callbacks import Manager
from services.worker.offering import Offering
from services.worker.run import Runner
from services.worker.spool import Spool
from services.worker.work import Work

ANNOUNCED = Announcement(queue="transcribe.stub-whisper", job="j1")
DONE = DetectResult(language="en", probability=1.0)
MakeGrant = Callable[..., Grant]


@pytest.fixture
def spec() -> DetectSpec:
    return DetectSpec(pcm=Place(key="k", url="file:///nowhere"), model="m", windows=[])


@pytest.fixture
def runner(make_runner: Callable[..., Runner]) -> Runner:
    def stage(spec: Spec, work: Work) -> Result:
        work.progress(0.5)
        return DONE

    return make_runner({"detect": stage})


def asks_more(grant: int) -> Callable[[Any], None]:
    def change(granted: Any) -> None:
        granted["grants"][grant]["spec"]["whispered"] = True
        granted["grants"][grant]["spec"]["pcm"]["codec"] = "opus"

    return change


def test_a_grant_that_asks_for_something_unknown_goes_back_and_the_others_are_worked_on(
    manager: InTestManager, runner: Runner, make_grant: MakeGrant, spec: DetectSpec
) -> None:
    manager.grants = [make_grant(spec, job="j0"), make_grant(spec, job="j1", attempt=2)]
    manager.newer["claim"] = asks_more(1)

    runner.run(ANNOUNCED)

    back, done = manager.reports
    unknown = ["spec.detect.pcm.codec", "spec.detect.whispered"]
    assert back == Report(job="j1", attempt=2, released=True, unknown=unknown)
    assert (done.job, done.result) == ("j0", DONE)
    assert all(held.job == "j0" for beat in manager.beats for held in beat.leases)


def test_a_grant_of_an_unknown_stage_goes_back(
    manager: InTestManager, runner: Runner, make_grant: MakeGrant, spec: DetectSpec
) -> None:
    manager.grants = [make_grant(spec, job="j1")]
    manager.newer["claim"] = lambda granted: granted["grants"][0]["spec"].update(stage="sing")

    runner.run(ANNOUNCED)

    assert manager.reports == [Report(job="j1", attempt=1, released=True, unknown=["spec"])]


def test_what_a_newer_manager_adds_to_other_answers_is_read_over(
    manager: InTestManager, callbacks: Manager
) -> None:
    manager.newer["beat"] = lambda answer: answer["leases"][0].update(mood="good")
    manager.newer["node-beat"] = lambda answer: answer.update(mood="good")

    said = callbacks.beat(Beat(token="t" * 16, leases=[Held(job="j", attempt=1)]))

    assert [lease.state for lease in said.leases] == ["held"]
    assert callbacks.node_beat(NodeBeat(node="n")) is not None


def test_what_stands_at_its_default_is_not_sent(
    manager: InTestManager, runner: Runner, make_grant: MakeGrant, spec: DetectSpec
) -> None:
    manager.grants = [make_grant(spec, job="j1")]

    runner.run(ANNOUNCED)

    sent = dict(manager.bodies)
    assert sent["progress"].keys() == {"token", "job", "attempt", "number", "fraction"}
    result = {"stage": "detect", "language": "en", "probability": 1.0}
    assert sent["finish"]["reports"][0]["result"] == result


def test_a_result_that_an_older_manager_does_not_understand_waits_for_a_newer_one(
    manager: InTestManager, runner: Runner, make_grant: MakeGrant, spec: DetectSpec, tmp_path: Path
) -> None:
    manager.grants = [make_grant(spec, job="j1")]
    manager.behind = 7

    runner.run(ANNOUNCED)

    [report] = manager.reports
    assert (report.result, manager.behind) == (DONE, 0)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_result_that_a_newer_worker_left_on_the_disk_is_offered_all_the_same(
    manager: InTestManager, callbacks: Manager, spool: Spool, tmp_path: Path
) -> None:
    report = Report(job="j1", attempt=1, result=DONE)
    spool.write(Finish(token="t" * 16, node="n", reports=[report])).let_go()
    [path] = (tmp_path / "spool").iterdir()
    written = json.loads(path.read_bytes())
    written["reports"][0]["result"]["mood"] = "good"
    path.write_text(json.dumps(written))

    Offering(callbacks, spool).adopted()

    assert manager.reports == [report]


def test_a_worker_process_hands_back_what_it_does_not_know_and_goes_on(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    transcribe_grant: Callable[..., Grant],
) -> None:
    announcer = Announcer(local_redis.url)
    strange, plain = transcribe_grant(0), transcribe_grant(1)
    manager.newer["claim"] = asks_more(0)
    with started_worker(local_redis.url, manager.url, tmp_path):
        manager.wait_for(lambda: bool(manager.registered), "the node registers")
        manager.change(lambda: manager.grants.append(strange))
        announcer.announce(QUEUE, strange.job)
        manager.wait_for(lambda: bool(manager.reports), "it goes back")
        assert (manager.reports[0].job, manager.reports[0].released) == (strange.job, True)
        assert "spec.transcribe.whispered" in manager.reports[0].unknown

        manager.change(manager.newer.clear)
        manager.change(lambda: manager.grants.append(plain))
        announcer.announce(QUEUE, plain.job)
        manager.wait_for(lambda: len(manager.reports) == 2, "the next job is done")
        assert manager.reports[1].result is not None
    announcer.close()
