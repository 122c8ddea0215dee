"""Each finding of the checker has a ledger, made by hand, that must raise it; and none else."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.faults.checker import check
from benchmarks.faults.ledger import Entry
from benchmarks.faults.timeline import (
    Interrupted,
    Recovery,
    granted_again,
    interrupted,
    recoveries,
    went_on,
)
from translator_worker.batches import HOLD_S

PACK = {"zh": {"a": {"T": "[zh] Hello."}}}
JOB = "task1/translate/0/zh/T/0/0"
WAITING: dict[str, Any] = {"state": "running", "pack": None, "cells": {"waiting": 1}}


class Story:
    """A ledger told line by line; time passes by a second a line unless `t` says otherwise."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def tell(self, kind: str, t: float | None = None, **data: Any) -> Story:
        self.entries.append(Entry(len(self.entries) + 1.0 if t is None else t, kind, data))
        return self

    def sent(self, *allowed: str, order: str = "o1") -> Story:
        return self.tell("sent", order=order, allowed=list(allowed or ["succeeded"]), expected=PACK)

    def acked(self, task: str = "task1", order: str = "o1") -> Story:
        return self.tell("acked", order=order, task=task, seconds=0.1, tries=1)

    def granted(
        self, attempt: int, token: str = "", *, asked: float | None = None, node: str = "n1"
    ) -> Story:
        return self.tell(
            "granted",
            job=JOB,
            task="task1",
            attempt=attempt,
            token=token or f"token{attempt}",
            node=node,
            asked=len(self.entries) + 0.9 if asked is None else asked,
            delivered=True,
        )

    def finished(
        self,
        attempt: int,
        verdict: int | None = 200,
        outcome: str = "succeeded",
        *,
        asked: float | None = None,
    ) -> Story:
        return self.tell(
            "finished",
            job=JOB,
            attempt=attempt,
            token=f"token{attempt}",
            node="n1",
            outcome=outcome,
            failure=None,
            verdict=verdict,
            asked=len(self.entries) + 0.9 if asked is None else asked,
            delivered=True,
        )

    def final(self, **other: Any) -> Story:
        good = {"state": "succeeded", "pack": PACK, "cells": {"done": 1}, "attempts": []}
        return self.tell("final", task="task1", **{**good, **other})

    def findings(self) -> list[tuple[str, str]]:
        return [(each.kind, each.about) for each in check(self.entries)]


def begun() -> Story:
    return Story().sent().acked()


def test_a_good_run_has_no_findings() -> None:
    story = begun().granted(1).finished(1, outcome="failed").granted(2).finished(2).final()
    assert story.findings() == []


# ── tasks ────────────────────────────────────────────────────────────────────────────────────


def test_a_task_that_nobody_asked_for_at_the_end_is_lost() -> None:
    assert begun().findings() == [("lost", "task1")]


def test_an_acknowledged_task_that_is_gone_is_lost() -> None:
    assert begun().final(state="gone").findings() == [("lost", "task1")]


def test_a_task_that_was_to_be_deleted_may_be_gone() -> None:
    assert Story().sent("gone").acked().final(state="gone").findings() == []


def test_a_task_that_never_ends_is_stuck() -> None:
    assert begun().final(**WAITING).findings() == [("stuck", "task1")]


def test_a_task_that_ends_as_it_may_not_is_wrong() -> None:
    assert begun().final(state="failed").findings() == [("wrong", "task1")]
    assert Story().sent("failed").acked().final(state="failed").findings() == []


def test_a_pack_with_other_words_is_wrong() -> None:
    other = {"zh": {"a": {"T": "[zh] Bye."}}}
    assert begun().final(pack=other).findings() == [("wrong", "task1")]
    assert begun().final(pack=None).findings() == [("wrong", "task1")]


@pytest.mark.parametrize("cells", [{"done": 2}, {}, {"failed": 1}, {"done": 1, "failed": 1}])
def test_cells_that_are_not_the_packs_are_wrong(cells: dict[str, int]) -> None:
    assert begun().final(cells=cells).findings() == [("wrong", "task1")]


def test_a_cell_that_runs_after_the_end_is_wrong() -> None:
    story = Story().sent("failed").acked().final(state="failed", cells={"running": 1})
    assert story.findings() == [("wrong", "task1")]


def test_an_end_that_changes_is_wrong_unless_it_was_retried() -> None:
    changed = begun().tell("terminal", task="task1", state="failed")
    assert changed.final().findings() == [("wrong", "task1")]
    retried = begun().tell("terminal", task="task1", state="failed")
    retried.tell("order", task="task1", verb="retry", status=200)
    assert retried.final().findings() == []


def test_an_order_that_became_two_tasks_is_doubled() -> None:
    story = begun().acked(task="task2").final()
    story.tell("final", task="task2", state="succeeded", pack=PACK, cells={"done": 1})
    assert story.findings() == [("doubled", "o1")]


def test_an_order_that_nobody_acknowledged_is_wrong() -> None:
    assert Story().sent().tell("unanswered", order="o1", why="HTTP 500").findings() == [
        ("wrong", "o1")
    ]


# ── attempts ─────────────────────────────────────────────────────────────────────────────────


def test_an_attempt_that_falls_is_wrong() -> None:
    assert ("wrong", JOB) in begun().granted(2).granted(1).final().findings()


def test_an_attempt_with_two_holders_is_doubled() -> None:
    story = begun().granted(1, "left").granted(1, "right").final()
    assert ("doubled", JOB) in story.findings()


def test_the_same_token_may_get_the_same_attempt_again() -> None:
    assert begun().granted(1).granted(1).finished(1).final().findings() == []


def test_answers_that_overtook_each_other_are_no_falling_attempt() -> None:
    story = begun().granted(2, asked=2.5)
    story.granted(1, asked=2.1)  # it was asked for before the other one was answered
    assert story.final().findings() == []


def test_a_commit_under_an_old_attempt_is_wrong() -> None:
    assert begun().granted(1).granted(2).finished(1).final().findings() == [("wrong", JOB)]


def test_a_refusal_under_an_old_attempt_is_right() -> None:
    story = begun().granted(1).granted(2).finished(1, 409).finished(2).final()
    assert story.findings() == []


def test_a_failure_told_before_and_acknowledged_late_is_right() -> None:
    story = begun().granted(1).finished(1, None, "failed").granted(2)
    assert story.finished(1, 200, "failed").finished(2).final().findings() == []


def test_two_successes_of_one_job_are_doubled() -> None:
    story = begun().granted(1).finished(1).granted(2).finished(2).final()
    assert story.findings() == [("doubled", JOB)]


def test_a_success_told_twice_under_one_attempt_is_one() -> None:
    assert begun().granted(1).finished(1).finished(1).final().findings() == []


# ── what scenarios say ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_what_never_ended_is_inside_no_figure(seconds: float) -> None:
    story = begun().final()
    story.tell("measured", name="again", seconds=seconds, limit=45.0, about="")
    assert story.findings() == [("slow", "again")]


def test_a_time_over_its_figure_is_slow() -> None:
    story = begun().final()
    story.tell("measured", name="again", seconds=45.1, limit=45.0, about="")
    story.tell("measured", name="again", seconds=44.9, limit=45.0, about="")
    story.tell("measured", name="seen", seconds=99.0, limit=None, about="")
    assert story.findings() == [("slow", "again")]


def test_what_a_scenario_found_broken_is_wrong() -> None:
    assert begun().final().tell("broken", told="it ran four times").findings() == [
        ("wrong", "the scenario")
    ]


# ── the timeline ─────────────────────────────────────────────────────────────────────────────


def test_a_kill_interrupts_what_its_node_holds_and_has_not_finished() -> None:
    story = begun().granted(1)
    assert interrupted(story.entries, "n1", 9.0) == [Interrupted(JOB, 1, 9.0)]
    assert interrupted(story.entries, "n2", 9.0) == []
    assert interrupted(story.finished(1).entries, "n1", 9.0) == []


def test_a_recovery_lasts_from_the_kill_to_the_next_grant() -> None:
    story = begun().granted(1).tell("fault", t=10.0, name="kill", part="whisper-1", node="n1")
    story.tell("granted", t=40.0, job=JOB, attempt=2, node="n2", token="token2", asked=39.0)
    assert recoveries(story.entries) == [Recovery(30.0, struck_again=False)]


def test_a_second_kill_may_take_the_bell_of_what_waits_to_run_again() -> None:
    story = begun().granted(1).tell("fault", t=10.0, name="kill", part="whisper-1", node="n1")
    story.tell("fault", t=38.0, name="kill", part="translator-1", node="n3")
    story.tell("granted", t=40.0, job=JOB, attempt=2, node="n2", token="token2", asked=39.0)
    assert not recoveries(story.entries)[0].struck_again

    story.tell("fault", t=39.0, name="kill", part="whisper-2", node="n4")
    story.entries.sort(key=lambda entry: entry.t)
    assert recoveries(story.entries)[0].struck_again


def test_a_report_adopted_after_the_kill_ends_the_wait_as_well() -> None:
    story = begun().granted(1).tell("fault", t=10.0, name="kill", part="whisper-1", node="n1")
    story.tell("finished", t=12.0, job=JOB, attempt=1, verdict=200)
    assert went_on(story.entries, Interrupted(JOB, 1, 10.0)) == 2.0
    assert went_on(story.entries, Interrupted("another", 1, 10.0)) is None


@pytest.mark.parametrize(
    "said",
    [{"outcome": "failed", "failure": "worker_lost"}, {"outcome": "released", "failure": None}],
)
def test_what_a_parent_says_for_its_dead_child_does_not_end_the_wait(said: dict[str, Any]) -> None:
    story = begun().granted(1).tell("fault", t=10.0, name="kill_child", part="w-1", node="n1")
    story.tell("finished", t=11.0, job=JOB, attempt=1, verdict=200, **said)
    assert went_on(story.entries, Interrupted(JOB, 1, 10.0)) is None
    story.tell("granted", t=15.0, job=JOB, attempt=2, node="n2", token="token2", asked=14.9)
    assert went_on(story.entries, Interrupted(JOB, 1, 10.0)) == 5.0


def test_what_an_operator_retried_did_not_go_on_by_itself() -> None:
    story = begun().granted(3).tell("fault", t=10.0, name="kill", part="whisper-1", node="n1")
    story.tell("order", t=50.0, task="task1", verb="retry", status=200, asked=49.0)
    story.tell("granted", t=49.9, job=JOB, attempt=4, node="n2", token="token4", asked=49.5)
    assert recoveries(story.entries) == []


def test_a_job_that_is_granted_to_two_or_anew_is_named() -> None:
    twice = Story().granted(1).granted(2)
    failed = Story().granted(1).finished(1, outcome="failed").granted(2)
    for story in (twice, failed):
        assert [each["attempt"] for each in granted_again(story.entries)] == [2]


def test_a_job_that_waited_in_its_claim_and_went_back_was_not_run_twice() -> None:
    story = Story().granted(1)
    for _ in range(int(HOLD_S)):
        story.tell("begun", job=JOB)
    story.finished(1, outcome="released").granted(2)
    assert granted_again(story.entries) == []
    story.granted(3)
    assert [each["attempt"] for each in granted_again(story.entries)] == [3]


def test_a_job_that_went_back_at_once_was_granted_again() -> None:
    story = Story().granted(1).finished(1, outcome="released").granted(2)
    assert [each["attempt"] for each in granted_again(story.entries)] == [2]
