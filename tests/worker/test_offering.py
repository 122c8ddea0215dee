from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from in_test_manager import CALLS, InTestManager

from services.model.errors import FailureClass
from services.model.messages import Finish, Report
from services.model.stages import DetectResult
from services.worker.callbacks import Manager
from services.worker.offering import Offering
from services.worker.spool import Spool

TOKEN = "t" * 16


@pytest.fixture
def finish() -> Finish:
    result = DetectResult(language="en", probability=1.0)
    report = Report(job="t1/detect/0/-/-/0/0", attempt=1, result=result)
    return Finish(token=TOKEN, node="n", reports=[report])


@pytest.fixture
def offer(callbacks: Manager, spool: Spool) -> Callable[[Finish], None]:
    offering = Offering(callbacks, spool, waits=lambda: iter([0.0] * 5))
    return lambda finish: offering.finish(finish, wanted=lambda: True)


def left_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


@pytest.mark.parametrize("verdict", [200, 409, 410])
def test_a_verdict_ends_the_offering(
    manager: InTestManager,
    offer: Callable[[Finish], None],
    finish: Finish,
    tmp_path: Path,
    verdict: int,
) -> None:
    manager.verdict = verdict
    offer(finish)
    assert manager.reports == finish.reports
    assert left_in(tmp_path / "spool") == 0


@pytest.mark.parametrize("verdict", [413, 422])
def test_a_report_that_cannot_be_taken_becomes_an_internal_failure(
    manager: InTestManager, offer: Callable[[Finish], None], finish: Finish, verdict: int
) -> None:
    manager.verdict = verdict
    offer(finish)
    failed = manager.reports[-1].failed
    assert failed is not None
    assert (failed.failure, failed.code) == (FailureClass.INTERNAL, "report_refused")


def test_a_report_is_on_disk_before_it_is_offered(
    manager: InTestManager, callbacks: Manager, spool: Spool, finish: Finish, tmp_path: Path
) -> None:
    manager.away = set(CALLS)
    Offering(callbacks, spool).once(finish)
    [path] = (tmp_path / "spool").iterdir()
    assert Finish.model_validate_json(path.read_text()) == finish


def test_what_a_dead_process_left_is_offered_by_the_next(
    manager: InTestManager, callbacks: Manager, spool: Spool, finish: Finish, tmp_path: Path
) -> None:
    manager.away = set(CALLS)
    Offering(callbacks, spool).once(finish)
    next_one = Offering(callbacks, Spool(tmp_path / "spool"))
    next_one.adopted()
    assert left_in(tmp_path / "spool") == 1
    manager.away = set()
    next_one.adopted()
    assert manager.reports == finish.reports
    assert left_in(tmp_path / "spool") == 0


def test_a_worker_that_leaves_while_the_manager_is_away_leaves_its_words_on_disk(
    manager: InTestManager,
    callbacks: Manager,
    spool: Spool,
    finish: Finish,
    told_to_leave: None,
) -> None:
    manager.away = set(CALLS)
    hour_long = Offering(callbacks, spool, waits=lambda: iter([3600.0] * 5))
    hour_long.finish(finish, wanted=lambda: True)
    assert spool.count() == 1
    manager.away = set()
    Offering(callbacks, spool).adopted()
    assert manager.reports == finish.reports
    assert spool.count() == 0


def test_nobody_adopts_what_a_living_process_offers(
    spool: Spool, finish: Finish, tmp_path: Path
) -> None:
    held = spool.write(finish)
    assert list(Spool(tmp_path / "spool").adopt()) == []
    held.let_go()
    [adopted] = Spool(tmp_path / "spool").adopt()
    assert adopted.finish == finish
    adopted.drop()


def test_a_report_that_was_cut_short_is_thrown_away(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    (tmp_path / "spool" / f"{TOKEN}-1-1.finish.json").write_text('{"token": "tt')
    assert list(spool.adopt()) == []
    assert left_in(tmp_path / "spool") == 0


def test_a_disk_that_takes_nothing_does_not_stop_the_report(
    manager: InTestManager, callbacks: Manager, finish: Finish, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    Offering(callbacks, spool).finish(finish, wanted=lambda: True)
    assert manager.reports == finish.reports
