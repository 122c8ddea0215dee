"""The pulse of a worker's children, as their parent sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.model.errors import FailureClass
from services.model.messages import Failure, Finish, Grant, Held, Report
from services.model.stages import DetectResult, PrepareResult
from services.model.transcript import Body
from services.worker.children import Children
from services.worker.gauges import readings
from services.worker.pulse import Holding, Pulse, Tally, close, tally_of
from services.worker.serving import lost
from services.worker.spool import Spool

FAILED = Failure(failure=FailureClass.PERMANENT, code="bad_media", message="no")


class Clock:
    """The parent's monotonic clock, turned by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watched(tmp_path: Path, clock: Clock) -> Children:
    return Children(tmp_path, fresh_s=12.0, frozen_s=60.0, now=clock)


@pytest.fixture
def other_process() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield child
    child.kill()
    child.wait()


def beats(folder: Path, pid: int, number: int, tally: Tally | None = None) -> None:
    path = folder / f"{pid}.pulse"
    path.write_text((tally or Tally()).model_dump_json())
    os.utime(path, (number, number))


def pass_time(watched: Children, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.seconds += 1
        watched.look()


def test_a_child_lives_while_its_pulse_changes(
    tmp_path: Path, watched: Children, clock: Clock
) -> None:
    watched.look()
    assert (watched.alive, watched.none_since_s) == (0, 0.0)
    clock.seconds += 5
    assert watched.none_since_s == 5.0
    beats(tmp_path, os.getpid(), 1)
    watched.look()
    assert (watched.alive, watched.none_since_s) == (1, 0.0)
    pass_time(watched, clock, 13)
    assert (watched.alive, watched.none_since_s) == (0, 1.0)
    beats(tmp_path, os.getpid(), 0)  # whatever its clock says
    watched.look()
    assert watched.alive == 1


def test_what_a_dead_child_did_stays_counted(
    tmp_path: Path, watched: Children, other_process: subprocess.Popen[bytes]
) -> None:
    beats(tmp_path, other_process.pid, 1, Tally(attempts={"detect succeeded ": 2}))
    beats(tmp_path, os.getpid(), 1, Tally(attempts={"detect succeeded ": 1}))
    watched.look()
    assert watched.alive == 2
    beats(tmp_path, other_process.pid, 2, Tally(attempts={"detect succeeded ": 3}))
    other_process.kill()
    other_process.wait()
    watched.look()
    assert watched.alive == 1
    assert watched.tally().attempts == {"detect succeeded ": 4}
    watched.look()
    assert watched.tally().attempts == {"detect succeeded ": 4}


def test_what_a_child_holds_when_it_dies_is_told_once(
    tmp_path: Path, other_process: subprocess.Popen[bytes]
) -> None:
    mourned: list[Holding] = []
    watched = Children(tmp_path, mourn=mourned.append)
    last = Holding(
        token="t" * 16, working=[Held(job="j1", attempt=1)], others=[Held(job="j2", attempt=2)]
    )
    beats(tmp_path, other_process.pid, 1)
    (tmp_path / f"{other_process.pid}.held").write_text(last.model_dump_json())
    watched.look()
    assert mourned == []
    other_process.kill()
    other_process.wait()
    watched.look()
    watched.look()
    assert mourned == [last]
    assert list(tmp_path.iterdir()) == []


def test_only_the_jobs_that_a_dead_child_was_at_are_lost_and_the_rest_goes_back_unharmed() -> None:
    at, beside, *others = (Held(job=job, attempt=3) for job in ("a", "b", "c", "d"))
    last = Holding(token="t", working=[at, beside], others=others)

    *dead, third, fourth = lost(last, said=[])

    assert [each.failed and each.failed.failure for each in dead] == [FailureClass.WORKER_LOST] * 2
    assert [("a", 3), ("b", 3)] == [(each.job, each.attempt) for each in dead]
    assert [("c", True), ("d", True)] == [(each.job, each.released) for each in (third, fourth)]


def test_what_a_dead_child_had_said_is_not_called_lost(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    report = Report(job="a", attempt=3, result=DetectResult(language="en", probability=1.0))
    spool.write(Finish(token="t", node="n", reports=[report])).let_go()
    a, b = (Held(job=job, attempt=3) for job in ("a", "b"))
    last = Holding(token="t", working=[a], others=[b])

    assert spool.said("other") == set()
    assert [Report(job="b", attempt=3, released=True)] == lost(last, spool.said("t"))


def test_nobody_mourns_a_child_that_held_nothing(
    tmp_path: Path, other_process: subprocess.Popen[bytes]
) -> None:
    mourned: list[Holding] = []
    watched = Children(tmp_path, mourn=mourned.append)
    beats(tmp_path, other_process.pid, 1)
    watched.look()
    other_process.kill()
    other_process.wait()
    watched.look()
    assert (watched.alive, mourned) == (0, [])


def test_a_child_that_stands_still_is_killed(
    tmp_path: Path, watched: Children, clock: Clock, other_process: subprocess.Popen[bytes]
) -> None:
    beats(tmp_path, other_process.pid, 1)
    watched.look()
    pass_time(watched, clock, 60)
    assert other_process.poll() is None
    pass_time(watched, clock, 1)
    assert other_process.wait(30) == -signal.SIGKILL


def test_a_parent_that_stood_still_itself_kills_nobody(
    tmp_path: Path, watched: Children, clock: Clock, other_process: subprocess.Popen[bytes]
) -> None:
    beats(tmp_path, other_process.pid, 1)
    watched.look()
    clock.seconds += 3600.0
    watched.look()
    assert (watched.alive, other_process.poll()) == (1, None)


def test_a_pulse_beats_counts_and_hears_that_the_worker_closes(
    tmp_path: Path, transcribe_grant: Callable[..., Grant]
) -> None:
    pulse = Pulse(tmp_path)
    pulse.start()
    assert not pulse.closing()
    report = Report(
        job="j", attempt=1, seconds=2.0, result=DetectResult(language="en", probability=1.0)
    )
    pulse.count(transcribe_grant(0), report)
    pulse.count(transcribe_grant(0), Report(job="j", attempt=2, failed=FAILED))
    watched = Children(tmp_path)
    watched.look()
    assert watched.alive == 1
    assert watched.tally() == Tally(
        attempts={"transcribe succeeded ": 1, "transcribe failed permanent": 1},
        work_s={"transcribe": 2.0},
        audio_s={"transcribe": 8.0},
    )
    close(tmp_path)
    assert pulse.closing()


def test_a_pulse_that_cannot_be_written_stops_no_work(
    tmp_path: Path, transcribe_grant: Callable[..., Grant]
) -> None:
    pulse = Pulse(tmp_path / "gone")
    pulse.count(transcribe_grant(0), Report(job="j", attempt=1, released=True))
    assert not pulse.closing()


def test_attempts_are_counted_by_how_they_ended(transcribe_grant: Callable[..., Grant]) -> None:
    grant = transcribe_grant(0)
    assert tally_of(grant, Report(job="j", attempt=1, released=True)) == Tally(
        attempts={"transcribe released ": 1}
    )
    prepared = PrepareResult(pcm=Body(key="k", size=1, sha256=""), seconds=30.0, parts=[])
    assert tally_of(grant, Report(job="j", attempt=1, seconds=3.0, result=prepared)) == Tally(
        attempts={"transcribe succeeded ": 1},
        work_s={"transcribe": 3.0},
        audio_s={"transcribe": 30.0},
    )


def test_what_children_did_is_readings_for_prometheus() -> None:
    tally = Tally(attempts={"detect failed permanent": 1, "detect succeeded ": 2})
    attempts = next(readings(tally))
    assert attempts.rows == [
        (("detect", "failed", "permanent"), 1),
        (("detect", "succeeded", ""), 2),
    ]
