"""A child's slot: what it says as it claims, when it stays empty, how its work is ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from in_test_manager import CALLS, InTestManager

from services.model.errors import JobFailed
from services.model.messages import Announcement, Grant
from services.model.stages import DetectResult, DetectSpec, Place, Result, Spec
from services.worker.leases import Lease, leaving
from services.worker.model_cache import ModelCache, loaded_models
from services.worker.pulse import Holding, Pulse, Tally, close
from services.worker.run import Runner
from services.worker.work import Work

ANNOUNCED = Announcement(queue="transcribe.stub-whisper", job="task1/detect/0/-/-/0/0")
DONE = DetectResult(language="en", probability=1.0)


@pytest.fixture
def grant(make_grant: Callable[..., Grant]) -> Grant:
    spec = DetectSpec(pcm=Place(key="k", url="file:///nowhere"), model="m", windows=[])
    return make_grant(spec, soft_s=60.0, hard_s=90.0, stuck_s=30.0)


@pytest.fixture
def lease(grant: Grant, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """One whose work has begun; `pass_time` turns its clock."""
    lease = Lease(grant)
    lease.begin()
    return lease


def done(spec: Spec, work: Work) -> Result:
    return DONE


def test_a_claim_states_the_free_memory_and_the_models_that_are_loaded(
    manager: InTestManager, make_runner: Callable[..., Runner]
) -> None:
    before = loaded_models()  # another test's engine may still hold one in this process
    runner = make_runner({"detect": done}, free_mb=lambda: 700)
    cache: ModelCache[str] = ModelCache()
    cache.get("tiny", lambda: "a model")
    cache.get("base", lambda: "the next model")
    runner.run(ANNOUNCED)
    cache.clear()
    make_runner({"detect": done}).run(ANNOUNCED)
    assert [(claim.free_mb, claim.loaded) for claim in manager.claims] == [
        (700, sorted([*before, "base"])),
        (None, before),
    ]
    assert loaded_models() == before


def test_a_child_whose_worker_ends_claims_nothing(
    manager: InTestManager, make_runner: Callable[..., Runner], grant: Grant, tmp_path: Path
) -> None:
    manager.grants = [grant]
    runner = make_runner({"detect": done}, pulse=Pulse(tmp_path))
    close(tmp_path)
    runner.run(ANNOUNCED)
    assert manager.calls == []


def test_a_rest_ends_when_the_process_is_to_leave(
    manager: InTestManager, make_runner: Callable[..., Runner]
) -> None:
    manager.rest_s = 3600.0
    run = threading.Thread(target=make_runner({"detect": done}).run, args=(ANNOUNCED,))
    run.start()
    manager.wait_for(lambda: bool(manager.claims), "the claim")
    assert run.is_alive()
    leaving.set()
    run.join(60)
    leaving.clear()
    assert not run.is_alive()


def test_a_report_says_how_long_the_work_took(
    manager: InTestManager,
    make_runner: Callable[..., Runner],
    grant: Grant,
    pass_time: Callable[[float], None],
    tmp_path: Path,
) -> None:
    def stage(spec: Spec, work: Work) -> Result:
        pass_time(20.0)
        return DONE

    manager.grants = [grant]
    pulse = Pulse(tmp_path)
    make_runner({"detect": stage}, pulse=pulse).run(ANNOUNCED)
    [report] = manager.reports
    assert report.seconds is not None
    assert 20.0 <= report.seconds < 30.0
    [told] = tmp_path.glob("*.pulse")
    assert Tally.model_validate_json(told.read_bytes()).work_s == {"detect": report.seconds}


def test_a_child_tells_its_parent_what_it_holds_until_it_has_said_its_last_word(
    manager: InTestManager, make_runner: Callable[..., Runner], grant: Grant, tmp_path: Path
) -> None:
    held: list[tuple[list[str], list[str]]] = []

    def stage(spec: Spec, work: Work) -> Result:
        [path] = tmp_path.glob("*.held")
        last = Holding.model_validate_json(path.read_bytes())
        assert last.token == manager.claims[0].token
        held.append(([each.job for each in last.working], [each.job for each in last.others]))
        return DONE

    other = grant.model_copy(update={"job": "task1/detect/1/-/-/0/0"})
    manager.grants = [grant, other]
    make_runner({"detect": stage}, slots=2, pulse=Pulse(tmp_path)).run(ANNOUNCED)
    assert held == [([grant.job], [other.job]), ([other.job], [])]
    assert list(tmp_path.glob("*.held")) == []


def test_a_child_names_the_token_of_its_claim_before_it_asks(
    manager: InTestManager, make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    seen: list[Holding] = []

    def look() -> None:
        [path] = tmp_path.glob("*.held")
        seen.append(Holding.model_validate_json(path.read_bytes()))

    manager.strike = look
    make_runner({}, pulse=Pulse(tmp_path)).run(ANNOUNCED)
    assert seen == [Holding(token=manager.claims[0].token)]
    assert list(tmp_path.glob("*.held")) == []


@pytest.mark.parametrize(
    ("passes_s", "moves", "says"),
    [(61.0, True, "soft limit of 60 s"), (31.0, False, "longer than 30 s: it was stuck")],
)
def test_work_that_takes_too_long_is_told_at_its_next_check_which_limit_it_is_over(
    lease: Lease, pass_time: Callable[[float], None], passes_s: float, moves: bool, says: str
) -> None:
    lease.check()
    pass_time(passes_s)
    if moves:
        lease.moved()
    with pytest.raises(JobFailed, match=says):
        lease.check()
    assert lease.overdue() == "", "it has five seconds to come to a check"


@pytest.mark.parametrize(
    ("passes_s", "moves", "says"),
    [(96.0, True, "hard limit of 90 s"), (36.0, False, "longer than 30 s: it was stuck")],
)
def test_work_that_comes_to_no_check_is_ended_and_told_which_limit_it_is_over(
    lease: Lease, pass_time: Callable[[float], None], passes_s: float, moves: bool, says: str
) -> None:
    pass_time(passes_s)
    if moves:
        lease.moved()
    assert says in lease.overdue()


def test_nothing_is_computed_again_however_long_the_manager_is_away(
    manager: InTestManager, make_runner: Callable[..., Runner], grant: Grant, tmp_path: Path
) -> None:
    ran: list[str] = []

    def stage(spec: Spec, work: Work) -> Result:
        ran.append("once")
        manager.change(lambda: setattr(manager, "away", set(CALLS)))
        return DONE

    manager.grants = [grant]
    run = threading.Thread(target=make_runner({"detect": stage}).run, args=(ANNOUNCED,))
    run.start()
    manager.wait_for(lambda: manager.calls.count("finish") >= 20, "vain offers")
    assert len(list((tmp_path / "spool").glob("*.finish.json"))) == 1
    manager.change(lambda: setattr(manager, "away", set()))
    run.join(60)
    assert ([report.result for report in manager.reports], ran) == ([DONE], ["once"])
    assert list((tmp_path / "spool").iterdir()) == []
