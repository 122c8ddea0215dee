"""A stage that works on several jobs of a claim at once, and what their manager hears of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from in_test_manager import InTestManager

from services.model.errors import FailureClass, JobFailed
from services.model.messages import Announcement, Grant, Limits
from services.model.stages import DetectResult, DetectSpec, Place
from services.worker.bundle import Bundle, BundleStage, Outcome
from services.worker.leases import Lease
from services.worker.pulse import Holding, Pulse
from services.worker.run import Runner

ANNOUNCED = Announcement(queue="transcribe.stub-whisper", job="j0")
DONE = DetectResult(language="en", probability=1.0)
BROKEN_GPU = "CUDA failed with error an illegal memory access was encountered"
MakeRunner = Callable[..., Runner]


@pytest.fixture
def grants(manager: InTestManager, make_grant: Callable[..., Grant]) -> list[Grant]:
    """Three jobs of one claim."""
    spec = DetectSpec(pcm=Place(key="k", url="file:///nowhere"), model="m", windows=[])
    manager.grants = [make_grant(spec, job=f"j{n}") for n in range(3)]
    return list(manager.grants)


def at_once(work_on: Callable[[], None] = lambda: None) -> BundleStage:
    """A stage that does all in one turn, the first job having half of it."""

    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        first, *others = bundle.works
        rest = dict.fromkeys(others, 0.5 / len(others))
        with bundle.turn({first: 0.5, **rest}):
            work_on()
        yield [Outcome(work, DONE) for work in bundle.works]

    return stage


def test_what_ended_at_once_is_told_in_one_call(
    manager: InTestManager, make_runner: MakeRunner, grants: list[Grant]
) -> None:
    make_runner({}, bundles={"detect": at_once()}).run(ANNOUNCED)
    assert [(report.job, report.result) for report in manager.reports] == [
        (grant.job, DONE) for grant in grants
    ]
    assert manager.calls.count("finish") == 1


def test_what_is_remembered_for_all_of_them_is_asked_for_in_one_call(
    manager: InTestManager, make_runner: MakeRunner, grants: list[Grant]
) -> None:
    manager.memory = {"1" * 64: "eins"}
    known: dict[str, dict[str, str]] = {}

    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        wanted = {work: [f"{n}" * 64] for n, work in enumerate(bundle.works)}
        known.update({work.grant.job: told for work, told in bundle.recall(wanted).items()})
        yield [Outcome(work, DONE) for work in bundle.works]

    make_runner({}, bundles={"detect": stage}).run(ANNOUNCED)
    assert manager.calls.count("translations/lookup") == 1
    assert known == {"j0": {}, "j1": {"1" * 64: "eins"}, "j2": {}}
    assert {each.job for each in manager.lookups[0].wanted} == {grant.job for grant in grants}


@pytest.mark.usefixtures("grants")
def test_each_is_charged_its_share_of_the_time(
    manager: InTestManager, make_runner: MakeRunner
) -> None:
    pause = threading.Event()
    make_runner({}, bundles={"detect": at_once(lambda: pause.wait(0.4))}).run(ANNOUNCED)
    half, *quarters = [report.seconds or 0.0 for report in manager.reports]
    assert quarters == pytest.approx([half / 2] * 2, rel=0.01)
    assert half >= 0.2


@pytest.mark.usefixtures("grants")
def test_a_claim_asks_for_as_much_as_the_worker_takes_at_once(
    manager: InTestManager, make_runner: MakeRunner
) -> None:
    make_runner({}, slots=2, bundles={"detect": at_once()}, most_size=60.0).run(ANNOUNCED)
    assert [(claim.slots, claim.most_size) for claim in manager.claims] == [(2, 60.0)]


def test_the_parent_knows_whom_a_death_would_take(
    manager: InTestManager, make_runner: MakeRunner, grants: list[Grant], tmp_path: Path
) -> None:
    seen: list[tuple[list[str], list[str]]] = []

    def look() -> None:
        [path] = tmp_path.glob("*.held")
        last = Holding.model_validate_json(path.read_bytes())
        seen.append(([each.job for each in last.working], [each.job for each in last.others]))

    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        first, second, third = bundle.works
        with bundle.turn({first: 0.5, second: 0.5}):
            look()
        yield [Outcome(first, DONE)]
        with bundle.turn({second: 0.5, third: 0.5}):
            look()
        yield [Outcome(second, DONE), Outcome(third, DONE)]

    make_runner({}, bundles={"detect": stage}, pulse=Pulse(tmp_path)).run(ANNOUNCED)
    one, two, three = (grant.job for grant in grants)
    assert seen == [([one, two], [three]), ([two, three], [])]
    assert list(tmp_path.glob("*.held")) == []


def test_a_failure_of_one_is_told_with_the_results_of_the_others(
    manager: InTestManager, make_runner: MakeRunner, grants: list[Grant]
) -> None:
    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        first, second, third = bundle.works
        bad = JobFailed(FailureClass.PERMANENT, "bad_media", "no")
        yield [Outcome(first, DONE), Outcome(second, bad), Outcome(third, DONE)]

    make_runner({}, bundles={"detect": stage}).run(ANNOUNCED)
    codes = {report.job: report.failed and report.failed.code for report in manager.reports}
    assert codes == {"j0": None, "j1": "bad_media", "j2": None}


@pytest.mark.usefixtures("grants")
def test_after_an_error_that_spends_the_process_the_others_go_back(
    manager: InTestManager, make_runner: MakeRunner
) -> None:
    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        broken = RuntimeError(BROKEN_GPU)
        yield [Outcome(work, broken) for work in bundle.works[:2]]
        pytest.fail("nothing is done in a process that is spent")

    def end() -> None:
        raise SystemExit

    runner = make_runner({}, bundles={"detect": stage})
    runner.end_process = end
    with pytest.raises(SystemExit):
        runner.run(ANNOUNCED)
    *dead, released = manager.reports
    assert [report.failed and report.failed.failure for report in dead] == [
        FailureClass.WORKER_LOST
    ] * 2
    assert (released.job, released.released) == ("j2", True)


@pytest.mark.usefixtures("grants")
def test_an_engine_that_does_not_come_back_is_charged_to_those_in_it(
    manager: InTestManager, make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.worker.leases.GRACE_S", 0.1)
    manager.beat_every_s = 0.02
    over = threading.Event()
    tight = Limits(soft_s=0.01, hard_s=0.01, stuck_s=60.0)
    manager.grants = [grant.model_copy(update={"limits": tight}) for grant in manager.grants]

    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        with bundle.turn(dict.fromkeys(bundle.works[:2], 0.5)):
            assert over.wait(60)
        yield []

    runner = make_runner({}, bundles={"detect": stage})
    runner.end_process = over.set
    runner.run(ANNOUNCED)
    told = [(report.job, report.failed and report.failed.code) for report in manager.reports]
    assert told == [("j0", "time_limit"), ("j1", "time_limit"), ("j2", None)]
    assert manager.reports[2].released


@pytest.mark.usefixtures("grants")
def test_a_stage_that_fails_itself_fails_what_it_had_not_told(
    manager: InTestManager, make_runner: MakeRunner
) -> None:
    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        yield [Outcome(bundle.works[0], DONE)]
        raise MemoryError

    make_runner({}, bundles={"detect": stage}).run(ANNOUNCED)
    told = [(report.job, report.failed and report.failed.code) for report in manager.reports]
    assert told == [("j0", None), ("j1", "out_of_memory"), ("j2", "out_of_memory")]


@pytest.mark.usefixtures("told_to_leave", "grants")
def test_a_worker_that_leaves_hands_back_what_it_has_not_done(
    manager: InTestManager, make_runner: MakeRunner
) -> None:
    def stage(bundle: Bundle) -> Iterator[list[Outcome]]:
        for work in bundle.works:
            try:
                work.check()
            except Exception as error:  # noqa: BLE001 - as a stage does
                yield [Outcome(work, error)]

    make_runner({}, bundles={"detect": stage}).run(ANNOUNCED)
    assert all(report.released for report in manager.reports)


def test_the_clock_of_a_lease_stands_still_while_others_have_their_turn(
    make_grant: Callable[..., Grant], pass_time: Callable[[float], None]
) -> None:
    spec = DetectSpec(pcm=Place(key="k", url="file:///nowhere"), model="m", windows=[])
    lease = Lease(make_grant(spec, soft_s=60.0, hard_s=90.0, stuck_s=60.0))
    for _ in range(3):
        lease.begin(0.25)
        pass_time(19.0)
        lease.check()
        lease.pause()
        pass_time(1000.0)
        lease.check()
    assert 14.25 <= lease.seconds < 15.0
    lease.begin(0.25)
    pass_time(19.0)
    with pytest.raises(JobFailed, match="soft limit"):
        lease.check()
