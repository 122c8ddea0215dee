"""What the settle loop does with many tasks whose time has come."""

from __future__ import annotations

import pytest

from services.model.job import Stage, queue_name
from services.model.task import TaskState
from task_manager.pipeline.settle import LOOK_AGAIN_S, look_over, pause_s, settle
from task_manager.store.children import Children, Expanded, write_one_by_one

TRANSLATE = queue_name(Stage.TRANSLATE, "stub-nmt")


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


def test_tasks_that_wait_for_their_jobs_are_put_off(pipeline, store, accept, a_text) -> None:
    waiting = [accept([a_text], ["zh"]) for _ in range(3)]
    now = store.now()
    assert store.tasks_to_look_at(now, 10) == []
    for task in waiting:
        store.note_task(task.id, {"look_at": now})

    due = store.tasks_to_look_at(now, 10)

    assert {task.id for task in due} == {task.id for task in waiting}
    assert look_over(pipeline.ports, due) == []
    assert store.tasks_to_look_at(now + LOOK_AGAIN_S - 1, 10) == []
    assert len(store.tasks_to_look_at(now + LOOK_AGAIN_S + 1, 10)) == 3


def test_a_task_whose_jobs_end_while_it_is_put_off_is_looked_at_at_once(
    pipeline, store, hand, accept, a_text, monkeypatch
) -> None:
    def in_parts(children: Children, expanded: Expanded | None = None) -> bool:
        """As on MongoDB, and the workers are quick: they are done before the flag is cleared."""
        write_one_by_one(store, children, None)
        monkeypatch.undo()
        hand.finish(hand.claim(TRANSLATE)[0])
        return write_one_by_one(store, Children(), expanded)

    monkeypatch.setattr(store, "write_children", in_parts)
    task = accept([a_text], ["zh"])

    assert [task.id] == [each.id for each in store.tasks_to_look_at(store.now(), 10)]
    settle(pipeline.ports, task.id)
    assert store.task(task.id).state is TaskState.SUCCEEDED


def test_what_can_be_ended_swept_or_purged_is_not_put_off(
    pipeline, store, hand, accept, a_text, settled
) -> None:
    done, cancelled, deleted = (accept([a_text], ["zh"]) for _ in range(3))
    hand.finish(hand.claim(TRANSLATE)[0])
    store.move_task(cancelled.id, store.task(cancelled.id).revision, {"cancel": True})
    gone = {"deleted_at": store.now(), "cancel": True}
    store.move_task(deleted.id, store.task(deleted.id).revision, gone)

    due = [store.task(task.id) for task in (done, cancelled, deleted)]

    assert look_over(pipeline.ports, due) == [done.id, cancelled.id, deleted.id]
    assert settled(done).state is TaskState.SUCCEEDED


def test_of_two_who_tell_of_the_end_at_once_only_one_does(
    pipeline, store, hand, accept, a_text, monkeypatch
) -> None:
    task = accept([a_text], ["zh"])
    hand.finish(hand.claim(TRANSLATE)[0])
    read = store.events

    def other_is_quicker(*about, **limits):
        found = read(*about, **limits)
        monkeypatch.setattr(store, "events", read)
        settle(pipeline.ports, task.id)
        return found

    monkeypatch.setattr(store, "events", other_is_quicker)
    settle(pipeline.ports, task.id)

    ends = [e for e in store.events(task.id, limit=99) if e.data.get("state") == "succeeded"]
    assert 1 == len(ends)
    assert store.task(task.id).look_at is None


@pytest.mark.parametrize(
    ("waiting", "pause"), [(0, 30), (600, 30), (10_000, 500), (1_000_000, 1800)]
)
def test_in_a_long_queue_what_waits_is_looked_at_seldom(pipeline, waiting, pause) -> None:
    ports = pipeline.ports
    ports.waiting.due, ports.waiting.seen_at = {"translate.stub-nmt": waiting}, ports.store.now()

    assert pause_s(ports) == pause
