"""What has had its time is removed: media, tasks, tombstones, and objects that nobody knows."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from services.model.errors import Conflict, FailureClass, Gone
from services.model.job import Stage, queue_name
from services.model.retention import Retention
from services.model.task import TaskState
from services.storage import keys
from services.storage.protocol import ObjectMissing
from task_manager.pipeline.accept import made_at, new_task_id
from task_manager.pipeline.expire import AGAIN_S, expire
from task_manager.pipeline.settle import FORGET_S, PURGE_LAST_S, settle
from task_manager.ticker.orphans import OLD_S, sweep_orphans

QUEUES = ["prepare", queue_name(Stage.TRANSCRIBE, "stub-whisper"), "assemble"]
TRANSLATE = queue_name(Stage.TRANSLATE, "stub-nmt")


@pytest.fixture
def pass_time(pipeline, monkeypatch) -> Callable[[float], None]:
    """Turns the store's clock on."""
    store = pipeline.ports.store
    now, passed = store.now, 0.0
    monkeypatch.setattr(store, "now", lambda: now() + passed)

    def turn(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    return turn


def files(pipeline) -> set[str]:
    """The folders under each task in which objects lie."""
    root = pipeline.ports.objects.root
    found = (os.path.relpath(folder, root) for folder, _, names in os.walk(root) if names)
    return {"/".join(folder.split("/")[2:4]) for folder in found if folder.startswith("tasks/")}


@pytest.fixture
def done(accept, hand, an_audio, a_text, settled):
    """A finished task with this retention."""

    def make(**kept: float):
        task = accept([an_audio, a_text], ["zh"], retention=Retention(**kept))
        hand.work(*QUEUES, TRANSLATE)
        task = settled(task)
        assert task.state is TaskState.SUCCEEDED
        return task

    return make


def test_media_go_when_their_time_is_over_and_results_stay(pipeline, done, pass_time) -> None:
    task = done(media_s=60.0)
    outputs = pipeline.ports.store.outputs(task.id)
    assert "audio" in files(pipeline)
    assert expire(pipeline.ports) == 0
    pass_time(61.0)

    assert expire(pipeline.ports) == 1
    assert not {"audio", "jobs/prepare"} & files(pipeline)
    assert pipeline.task(task.id).media_gone_at is not None
    assert pipeline.ports.store.outputs(task.id) == outputs
    assert expire(pipeline.ports) == 0


def test_a_task_goes_with_everything_when_its_time_is_over(pipeline, done, pass_time) -> None:
    task = done(media_s=60.0, results_s=3600.0)
    pass_time(61.0)
    assert expire(pipeline.ports) == 1
    pass_time(3600.0)
    assert expire(pipeline.ports) == 1

    with pytest.raises(Gone):
        pipeline.task(task.id)
    assert files(pipeline) == set()


def test_without_a_wish_nothing_goes(pipeline, done, pass_time) -> None:
    task = done()
    pass_time(1e9)
    assert expire(pipeline.ports) == 0
    assert pipeline.task(task.id).state is TaskState.SUCCEEDED


def test_a_break_in_the_middle_is_made_good(pipeline, done, pass_time, monkeypatch) -> None:
    done(media_s=0.0)
    pass_time(1.0)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.ports.objects, "delete_prefix", lambda _: 1 / 0)
        expire(pipeline.ports)
    assert "audio" in files(pipeline)
    pass_time(AGAIN_S)
    assert expire(pipeline.ports) == 1
    assert "audio" not in files(pipeline)


def test_a_task_that_cannot_be_removed_holds_up_no_other(
    pipeline, done, pass_time, monkeypatch
) -> None:
    stuck, free = done(media_s=0.0), done(media_s=0.0)
    pass_time(1.0)
    delete = pipeline.ports.objects.delete_prefix

    def unless_stuck(prefix: str) -> int:
        return 1 // 0 if stuck.id in prefix else delete(prefix)

    monkeypatch.setattr(pipeline.ports.objects, "delete_prefix", unless_stuck)
    expire(pipeline.ports)
    assert pipeline.task(free.id).expire_at is None
    assert pipeline.task(stuck.id).expire_at is not None


def test_what_failed_is_not_retried_without_its_audio(
    pipeline, accept, hand, an_audio, settled, pass_time
) -> None:
    task = accept([an_audio], ["zh"], retention=Retention(media_s=60.0))
    (grant,) = hand.claim("prepare")
    hand.fail(grant, FailureClass.PERMANENT)
    assert settled(task).state is TaskState.FAILED
    pass_time(61.0)
    expire(pipeline.ports)

    with pytest.raises(Conflict) as refused:
        pipeline.retry(task.id)
    assert refused.value.code == "media_gone"


def test_a_retried_task_is_not_removed_while_it_runs(
    pipeline, accept, hand, a_text, settled, pass_time
) -> None:
    task = accept([a_text], ["zh"], retention=Retention(results_s=60.0))
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.PERMANENT)
    assert settled(task).state is TaskState.FAILED
    pipeline.retry(task.id)
    pass_time(61.0)

    assert expire(pipeline.ports) == 0
    hand.work(TRANSLATE)
    assert settled(task).state is TaskState.SUCCEEDED
    assert expire(pipeline.ports) == 0
    pass_time(61.0)
    assert expire(pipeline.ports) == 1


def test_a_tombstone_is_forgotten_in_the_end(pipeline, done, pass_time) -> None:
    task = done()
    pipeline.delete(task.id)
    pass_time(PURGE_LAST_S)
    settle(pipeline.ports, task.id)
    assert pipeline.ports.store.task(task.id).purged_at is not None
    assert expire(pipeline.ports) == 0
    pass_time(FORGET_S)

    assert expire(pipeline.ports) == 1
    assert pipeline.ports.store.task(task.id) is None


def test_an_id_tells_when_it_was_made(pipeline) -> None:
    assert made_at(new_task_id()) == pytest.approx(pipeline.ports.store.now(), abs=60.0)
    assert made_at("something") is None
    assert made_at("u" * 26) is None


def test_objects_that_no_document_tells_of_go_after_two_days(pipeline, done, pass_time) -> None:
    objects = pipeline.ports.objects
    task = done()
    lost, upload = new_task_id(), keys.upload(new_task_id())
    objects.put(keys.audio(lost, 0), [b"x"])
    objects.put(upload, [b"x"])
    objects.put("uploads/by-hand", [b"x"])
    half = objects.begin_parts(upload)
    assert sweep_orphans(pipeline.ports) == 0
    pass_time(OLD_S + pipeline.ports.settings.upload_keep_s + 1)

    assert sweep_orphans(pipeline.ports) == 2
    assert list(objects.names_under("tasks/")) == [task.id]
    assert sorted(objects.names_under("uploads/")) == ["by-hand", "u1"]
    with pytest.raises(ObjectMissing):
        objects.parts(upload, half)


def test_the_objects_of_another_store_are_left_alone(pipeline, pass_time) -> None:
    for _ in range(101):
        pipeline.ports.objects.put(keys.audio(new_task_id(), 0), [b"x"])
    pass_time(OLD_S * 9)
    assert sweep_orphans(pipeline.ports) == 0
    assert len(list(pipeline.ports.objects.names_under("tasks/"))) == 101
