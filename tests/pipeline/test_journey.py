"""A task's way from request to pack, whole and in parts."""

from __future__ import annotations

import json

import pytest

from services.model.errors import (
    AlreadyFinished,
    Conflict,
    Gone,
    IdempotencyMismatch,
    NotTerminal,
    TooLarge,
)
from services.model.errors import FailureClass as F
from services.model.states import Event, JobState
from services.model.task import ItemSpec, Source, TaskState
from services.storage.protocol import ObjectMissing
from task_manager.pipeline import jobs
from task_manager.ticker.expand import Unfinished, finish_expansions


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


@pytest.fixture
def body(store):
    """The coded pack of one language."""

    def read(task, language):
        return json.loads(store.pack(task.id, language).body)

    return read


def test_audio_and_text_come_back_as_one_pack_a_language(
    hand, accept, an_audio, a_text, settled, body
):
    task = accept([an_audio, a_text], ["zh", "ja"])
    hand.work()

    assert TaskState.SUCCEEDED is settled(task).state
    assert {"1": {"1": {"A": "[zh]"}, "2": {"T": "[zh]"}}} == body(task, "zh")["data"]
    assert (True, []) == (body(task, "ja")["complete"], body(task, "ja")["missing"])


def test_an_item_with_both_has_both_sources_audio_first(hand, accept, an_audio, settled, body):
    both = an_audio.model_copy(update={"text": "Hello.", "language": "en"})
    task = accept([both], ["zh", "en"])
    hand.work()
    settled(task)

    assert '{"A":"Heard.","T":"Hello."}' in json.dumps(body(task, "en"), separators=(",", ":"))
    assert {"A": "[zh]", "T": "[zh]"} == body(task, "zh")["data"]["1"]["1"]


def test_one_failing_language_leaves_the_others_whole(hand, accept, a_text, settled, body):
    task = accept([a_text], ["zh", "ja"])
    first, second = hand.claim("translate.stub-nmt", slots=2)
    hand.fail(first, F.PERMANENT)
    hand.finish(second)

    assert TaskState.PARTIAL is settled(task).state
    assert [[1, "2", "T"]] == body(task, "zh")["missing"]
    assert {"2": {"T": "[ja]"}} == next(iter(body(task, "ja")["data"].values()))


def test_an_audio_that_cannot_be_read_leaves_the_other_items_whole(
    hand, accept, an_audio, a_text, settled, store
):
    task = accept([an_audio, a_text], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.fail(grant, F.PERMANENT, "bad_media")
    hand.work()

    assert TaskState.PARTIAL is settled(task).state
    assert store.output(f"{task.id}/1/{Source.TEXT}/zh") is not None


def test_parts_run_side_by_side_and_join_once(hand, accept, an_audio, settled, store):
    hand.parts = 3
    task = accept([an_audio], ["zh"])
    hand.work("prepare")
    hand.work("transcribe.stub-whisper")  # detect, then the three parts
    stages = [job.stage for job in store.jobs_of_items(task.id, 0, 0)]

    assert {"detect": 1, "transcribe": 3, "assemble": 1} == {
        name: stages.count(name) for name in ("detect", "transcribe", "assemble")
    }
    hand.work()
    assert TaskState.SUCCEEDED is settled(task).state


def test_silence_ends_with_empty_cells(hand, accept, an_audio, settled, body):
    hand.parts = 0
    task = accept([an_audio], ["zh"])
    hand.work()

    assert TaskState.SUCCEEDED is settled(task).state
    assert {"1": {"A": ""}} == body(task, "zh")["data"]["1"]


def test_a_crash_between_commit_and_children_is_mended(hand, pipeline, accept, an_audio, store):
    task = accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    job = store.job(grant.job)
    jobs.apply(
        pipeline.ports,
        job,
        Event.SUCCEED,
        fields={
            "result": hand.result(grant).model_dump(mode="json"),
            "expand": "pending",
            "open": True,
            "reported": job.attempt,
        },
    )
    assert ["prepare"] == [job.stage for job in store.jobs_of_items(task.id, 0, 0)]

    finish_expansions(pipeline.ports, Unfinished(after_s=0.0), at=1.0)

    assert {"prepare", "transcribe"} == {job.stage for job in store.jobs_of_items(task.id, 0, 0)}
    assert "done" == store.job(grant.job).expand


def test_a_task_with_an_unfinished_expansion_does_not_end(
    hand, pipeline, accept, a_text, settled, store
):
    task = accept([a_text], ["zh"])
    (grant,) = hand.claim("translate.stub-nmt")
    job = store.job(grant.job)
    fields = {
        "result": hand.result(grant).model_dump(mode="json"),
        "expand": "pending",
        "open": True,
        "reported": job.attempt,
    }
    jobs.apply(pipeline.ports, job, Event.SUCCEED, fields=fields)

    assert TaskState.RUNNING is settled(task).state


def test_cancel_ends_waiting_and_running_work(hand, pipeline, accept, an_audio, a_text, store):
    task = accept([an_audio, a_text], ["zh"])
    (running,) = hand.claim("prepare")

    cancelled = pipeline.cancel(task.id)

    assert TaskState.CANCELLED is cancelled.state
    assert "cancelled" == hand.beat(running)
    assert 410 == hand.finish(running)
    assert [] == hand.claim("translate.stub-nmt")


def test_a_cancel_that_comes_too_late_says_so(hand, pipeline, accept, a_text, settled):
    task = accept([a_text], ["zh"])
    hand.work()
    settled(task)

    with pytest.raises(AlreadyFinished):
        pipeline.cancel(task.id)


def test_retry_revives_only_what_failed(hand, pipeline, accept, a_text, settled, store, body):
    task = accept([a_text], ["zh", "ja"])
    first, second = hand.claim("translate.stub-nmt", slots=2)
    hand.fail(first, F.PERMANENT)
    hand.finish(second)
    before = settled(task)

    pipeline.retry(task.id)

    assert 1 == hand.work()
    after = settled(task)
    assert (TaskState.PARTIAL, TaskState.SUCCEEDED) == (before.state, after.state)
    assert body(task, "zh")["complete"]
    assert store.job(first.job).attempt == first.attempt + 1
    assert store.pack(task.id, "zh").revision == after.revision > before.revision


def test_retry_waits_until_the_task_has_ended(pipeline, accept, a_text):
    task = accept([a_text], ["zh"])

    with pytest.raises(NotTerminal):
        pipeline.retry(task.id)


def test_there_is_nothing_to_retry_in_a_task_that_succeeded(
    hand, pipeline, accept, a_text, settled
):
    task = accept([a_text], ["zh"])
    hand.work()
    settled(task)

    with pytest.raises(Conflict, match="nothing in it has failed"):
        pipeline.retry(task.id)


def test_a_deleted_task_is_gone_for_everybody(hand, pipeline, accept, an_audio):
    task = accept([an_audio], ["zh"])
    (grant,) = hand.claim("prepare")
    pipeline.delete(task.id)

    assert 410 == hand.finish(grant)
    with pytest.raises(Gone):
        pipeline.task(task.id)


def test_the_same_key_and_request_is_the_same_task(accept, a_text):
    first = accept([a_text], ["zh"], idempotency_key="k")
    second = accept([a_text], ["zh"], idempotency_key="k")

    assert first.id == second.id


def test_the_same_key_with_another_request_is_refused(accept, a_text):
    accept([a_text], ["zh"], idempotency_key="k")

    with pytest.raises(IdempotencyMismatch):
        accept([a_text], ["ja"], idempotency_key="k")


def test_owners_share_a_queue_fairly(hand, accept, a_text):
    for _ in range(3):
        accept([a_text], ["zh"], owner="many")
    late = accept([a_text], ["zh"], owner="few")

    tasks = [hand.claim("translate.stub-nmt")[0].task for _ in range(2)]

    assert late.id in tasks


def test_urgent_work_goes_first(hand, accept, a_text):
    accept([a_text], ["zh"], priority=9)
    urgent = accept([a_text], ["zh"], priority=0)

    assert urgent.id == hand.claim("translate.stub-nmt")[0].task


def test_a_claim_honours_a_cancel_that_came_in_between(hand, pipeline, accept, a_text, store):
    task = accept([a_text], ["zh"])
    store.move_task(task.id, 0, {"cancel": True})

    assert [] == hand.claim("translate.stub-nmt")
    (job,) = store.jobs_of_items(task.id, 0, 0)
    assert JobState.CANCELLED is job.state


def test_counts_and_progress_follow_the_work(hand, pipeline, accept, a_text):
    task = accept([a_text], ["zh", "ja"])
    hand.finish(hand.claim("translate.stub-nmt")[0])

    seen = pipeline.refresh(pipeline.task(task.id).model_copy(update={"counts_at": 0.0}))

    assert (2, 1, 1, 1) == (
        seen.counts.cells,
        seen.counts.cells_done,
        seen.counts.succeeded,
        seen.counts.waiting,
    )
    assert 0.5 == seen.progress


def test_ids_with_every_character_come_back_unchanged(hand, accept, settled, body):
    names = ["a/b:c.d$e%20", "文本编号1", "\u0301", " "]
    items = [ItemSpec(text_id=name, text="Hi.", language="en") for name in names]
    task = accept(items, ["zh"])
    hand.work()
    settled(task)

    assert names == list(body(task, "zh")["data"]["1"])


def test_deleting_a_task_leaves_the_upload_to_its_other_users(
    hand, pipeline, accept, an_audio, settled
):
    first, second = accept([an_audio], ["zh"]), accept([an_audio], ["zh"])
    pipeline.delete(first.id)
    hand.work()

    assert TaskState.SUCCEEDED is settled(second).state


def test_a_deleted_tasks_media_are_gone_at_once(hand, pipeline, accept, an_audio):
    task = accept([an_audio], ["zh"])
    key = pipeline.task(task.id).manifest.items[0].audio.key
    pipeline.delete(task.id)

    with pytest.raises(ObjectMissing):
        pipeline.ports.objects.head(key)


def test_a_manifest_that_no_document_could_hold_is_refused(accept):
    items = [ItemSpec(text_id=str(n), text="字" * 200_000, language="zh") for n in range(20)]

    with pytest.raises(TooLarge):
        accept(items, ["en"])
