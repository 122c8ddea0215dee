from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from in_test_manager import CALLS, InTestManager

from services.model.errors import FailureClass, JobFailed
from services.model.messages import Announcement, Grant
from services.model.stages import DetectResult, DetectSpec, Place, Result, Spec
from services.model.transcript import Segment
from services.worker.run import Runner
from services.worker.work import Work

ANNOUNCED = Announcement(queue="transcribe.stub-whisper", job="task1/detect/0/-/-/0/0")
DONE = DetectResult(language="en", probability=1.0)
MakeRunner = Callable[..., Runner]
MakeGrant = Callable[..., Grant]


@pytest.fixture
def spec() -> DetectSpec:
    return DetectSpec(pcm=Place(key="k", url="file:///nowhere"), model="m", windows=[])


@pytest.fixture
def ended() -> list[str]:
    """How often the process would have ended."""
    return []


def watching(runner: Runner, ended: list[str]) -> Runner:
    runner.end_process = lambda: ended.append("ended")
    return runner


def until(work: Work) -> Result:
    """An engine that only stops where it is asked to."""
    pause = threading.Event()
    while not pause.wait(0.01):
        work.check()
    return DONE


def endless(spec: Spec, work: Work) -> Result:
    return until(work)


def test_a_stage_runs_and_its_result_is_reported(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    folders: list[Path] = []

    def stage(spec: Spec, work: Work) -> Result:
        (work.folder / "scratch").write_text("x")
        folders.append(work.folder)
        return DONE

    manager.grants = [make_grant(spec, attempt=3)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    [report] = manager.reports
    assert (report.job, report.attempt, report.result) == ("task1/transcribe/0/-/-/0/0", 3, DONE)
    assert not folders[0].exists()


def test_the_manager_hears_a_beat_before_the_input_is_touched(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    seen: list[list[str]] = []

    def stage(spec: Spec, work: Work) -> Result:
        seen.append(list(manager.calls))
        return DONE

    manager.grants = [make_grant(spec)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    assert seen == [["claim", "beat"]]


def test_an_announcement_of_old_news_does_nothing(
    manager: InTestManager, make_runner: MakeRunner
) -> None:
    make_runner({}).run(ANNOUNCED)
    assert manager.calls == ["claim"]


def test_beats_go_on_while_the_engine_works(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    manager.beat_every_s = 0.02
    enough = threading.Event()

    def stage(spec: Spec, work: Work) -> Result:
        manager.wait_for(lambda: len(manager.beats) >= 4, "four beats")
        enough.set()
        return DONE

    manager.grants = [make_grant(spec)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    assert enough.is_set()
    assert {beat.token for beat in manager.beats} == {manager.claims[0].token}


def test_a_report_that_was_not_taken_is_offered_again_once_a_beat_gets_through(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    manager.beat_every_s = 0.02

    def stage(spec: Spec, work: Work) -> Result:
        manager.change(lambda: manager.away.update({"beat", "finish"}))
        return DONE

    manager.grants = [make_grant(spec)]
    runner = make_runner({"detect": stage}, waits=3600.0)
    running = threading.Thread(target=runner.run, args=(ANNOUNCED,), daemon=True)
    running.start()
    manager.wait_for(
        lambda: "beat" in manager.calls[-1:] and "finish" in manager.calls,
        "a beat after a report, both in vain",
    )
    manager.change(manager.away.clear)
    running.join(60.0)
    assert [report.result for report in manager.reports] == [DONE]


@pytest.mark.parametrize("state", ["cancelled", "stale"])
def test_a_lost_lease_stops_the_work_and_nothing_is_reported(
    manager: InTestManager,
    make_runner: MakeRunner,
    make_grant: MakeGrant,
    spec: Spec,
    ended: list[str],
    state: str,
) -> None:
    manager.beat_every_s = 0.02
    grant = make_grant(spec)

    def stage(spec: Spec, work: Work) -> Result:
        manager.change(lambda: manager.states.update({grant.job: state}))
        return until(work)

    manager.grants = [grant]
    watching(make_runner({"detect": stage}), ended).run(ANNOUNCED)
    assert manager.reports == []
    assert ended == []


def test_cancelling_one_of_a_bundle_leaves_the_others(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    manager.beat_every_s = 0.02
    jobs = [f"task1/detect/{n}/-/-/0/0" for n in range(3)]

    def stage(spec: Spec, work: Work) -> Result:
        if work.grant.job != jobs[1]:
            return DONE
        manager.change(lambda: manager.states.update({jobs[1]: "cancelled"}))
        return until(work)

    manager.grants = [make_grant(spec, job=job) for job in jobs]
    make_runner({"detect": stage}).run(ANNOUNCED)
    assert [report.job for report in manager.reports] == [jobs[0], jobs[2]]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (JobFailed(FailureClass.PERMANENT, "bad_media", "no"), FailureClass.PERMANENT),
        (MemoryError(), FailureClass.RESOURCE_EXHAUSTED),
        (RuntimeError("CUDA failed with error out of memory"), FailureClass.RESOURCE_EXHAUSTED),
        (KeyError("a bug"), FailureClass.INTERNAL),
    ],
)
def test_whatever_a_stage_raises_becomes_a_report(
    manager: InTestManager,
    make_runner: MakeRunner,
    make_grant: MakeGrant,
    spec: Spec,
    error: Exception,
    failure: FailureClass,
) -> None:
    def stage(spec: Spec, work: Work) -> Result:
        raise error

    manager.grants = [make_grant(spec)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    [report] = manager.reports
    assert report.failed is not None
    assert report.failed.failure is failure


def test_a_broken_gpu_ends_the_process_and_releases_the_rest(
    manager: InTestManager,
    make_runner: MakeRunner,
    make_grant: MakeGrant,
    spec: Spec,
    ended: list[str],
) -> None:
    def stage(spec: Spec, work: Work) -> Result:
        raise RuntimeError("CUDA failed with error an illegal memory access was encountered")

    def end() -> None:
        ended.append("ended")
        raise SystemExit

    manager.grants = [make_grant(spec, job=f"task1/detect/{n}/-/-/0/0") for n in range(2)]
    runner = make_runner({"detect": stage})
    runner.end_process = end
    with pytest.raises(SystemExit):
        runner.run(ANNOUNCED)
    first, second = manager.reports
    assert first.failed is not None
    assert first.failed.failure is FailureClass.WORKER_LOST
    assert second.released
    assert ended == ["ended"]


def test_over_the_soft_limit_the_work_stops_at_its_next_check(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    manager.grants = [make_grant(spec, soft_s=0.05)]
    make_runner({"detect": endless}).run(ANNOUNCED)
    [report] = manager.reports
    assert report.failed is not None
    assert report.failed.failure is FailureClass.TIME_LIMIT


def test_without_a_sign_of_progress_it_is_stuck(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    def stage(spec: Spec, work: Work) -> Result:
        work.progress(0.5)
        return until(work)

    manager.grants = [make_grant(spec, stuck_s=0.05)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    [report] = manager.reports
    assert report.failed is not None
    assert report.failed.message.startswith("Nothing came out")


def test_an_engine_that_does_not_come_back_is_reported_for_and_ended(
    manager: InTestManager,
    make_runner: MakeRunner,
    make_grant: MakeGrant,
    spec: Spec,
    ended: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.worker.leases.GRACE_S", 0.1)
    manager.beat_every_s = 0.02
    jobs = [f"task1/detect/{n}/-/-/0/0" for n in range(2)]

    def deaf(spec: Spec, work: Work) -> Result:
        manager.wait_for(lambda: len(manager.reports) >= 2, "the heart speaks for the engine")
        return DONE

    manager.grants = [make_grant(spec, job=job, soft_s=0.01, hard_s=0.01) for job in jobs]
    runner = watching(make_runner({"detect": deaf}), ended)
    runner.run(ANNOUNCED)
    guilty, released = manager.reports[:2]
    assert guilty.job == jobs[0]
    assert guilty.failed is not None
    assert guilty.failed.failure is FailureClass.TIME_LIMIT
    assert (released.job, released.released) == (jobs[1], True)
    assert ended == ["ended"]


def test_a_cancelled_engine_that_does_not_listen_ends_its_process(
    manager: InTestManager,
    make_runner: MakeRunner,
    make_grant: MakeGrant,
    spec: Spec,
    ended: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.worker.leases.DEAF_S", 0.1)
    manager.beat_every_s = 0.02
    grant = make_grant(spec)
    over = threading.Event()

    def deaf(spec: Spec, work: Work) -> Result:
        manager.change(lambda: manager.states.update({grant.job: "cancelled"}))
        assert over.wait(60)
        return DONE

    runner = make_runner({"detect": deaf})
    runner.end_process = lambda: (ended.append("ended"), over.set())
    manager.grants = [grant]
    runner.run(ANNOUNCED)
    assert "ended" in ended


def test_segments_go_out_with_their_language_and_rising_numbers(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    def stage(spec: Spec, work: Work) -> Result:
        for n in range(5):
            segment = Segment(id=n, start=n, end=n + 1, text=f"s{n}")
            work.progress((n + 1) / 5, segments=[segment], language="en")
        work.keep(Place(key="k", url="file:///nowhere"), "text")
        return DONE

    manager.grants = [make_grant(spec)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    numbers = [told.number for told in manager.told]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) < 5
    assert [s.id for told in manager.told for s in told.segments] == [0, 1, 2, 3, 4]
    assert manager.told[0].language == "en"


def test_the_first_whole_sentence_goes_out_at_once_and_later_ones_in_their_turn(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    def said(n: int) -> Segment:
        return Segment(id=n, start=n, end=n + 1, text=f"s{n}")

    def stage(spec: Spec, work: Work) -> Result:
        for n in range(5):
            sentences = [said(n - 1)] if n else []
            work.progress((n + 1) / 5, segments=[said(n)], sentences=sentences, language="en")
        return DONE

    manager.grants = [make_grant(spec)]
    make_runner({"detect": stage}).run(ANNOUNCED)
    assert [[s.id for s in told.segments] for told in manager.told[:2]] == [[0], [1]]
    assert [[s.id for s in told.sentences] for told in manager.told[:2]] == [[], [0]]
    assert len(manager.told) < 5


def test_a_manager_that_is_away_for_a_while_gets_the_result_in_the_end(
    manager: InTestManager, make_runner: MakeRunner, make_grant: MakeGrant, spec: Spec
) -> None:
    def stage(spec: Spec, work: Work) -> Result:
        manager.away = set(CALLS)
        return DONE

    manager.grants = [make_grant(spec)]
    run = threading.Thread(target=make_runner({"detect": stage}).run, args=(ANNOUNCED,))
    run.start()
    manager.wait_for(lambda: manager.calls.count("finish") >= 3, "three vain offers")
    manager.change(lambda: setattr(manager, "away", set()))
    run.join(60)
    assert [report.result for report in manager.reports] == [DONE]


def test_a_cancel_ends_the_offering(
    manager: InTestManager,
    make_runner: MakeRunner,
    make_grant: MakeGrant,
    spec: Spec,
    tmp_path: Path,
) -> None:
    manager.beat_every_s = 0.02
    grant = make_grant(spec)

    def stage(spec: Spec, work: Work) -> Result:
        manager.away = set(CALLS)
        return DONE

    manager.grants = [grant]
    run = threading.Thread(target=make_runner({"detect": stage}).run, args=(ANNOUNCED,))
    run.start()
    manager.wait_for(lambda: manager.calls.count("finish") >= 2, "two vain offers")
    manager.change(lambda: manager.states.update({grant.job: "cancelled"}))
    manager.change(lambda: setattr(manager, "away", {"finish"}))
    run.join(60)
    assert not run.is_alive()
    assert manager.reports == []
    assert list((tmp_path / "spool").iterdir()) == []
