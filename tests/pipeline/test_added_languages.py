"""Languages that are added to a task that has ended."""

from __future__ import annotations

import json

import pytest

from services.model.catalog import STUBS, Catalog
from services.model.errors import Conflict, FailureClass, Gone, Invalid, NotTerminal
from services.model.states import JobState
from services.model.task import Target, Task, TaskState
from task_manager.pipeline.expire import expire


def targets(*languages: str) -> list[Target]:
    return [Target(language=language, spelling=language) for language in languages]


def catalog_of(*languages: str) -> Catalog:
    """The stubs, whose translator knows these."""
    hearing, translating = STUBS
    return Catalog([hearing, translating.model_copy(update={"languages": list(languages)})])


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


@pytest.fixture
def ended(accept, hand, settled, an_audio, a_text):
    """A task of an audio and a text, done into Chinese."""

    def make(**more) -> Task:
        task = accept([an_audio, a_text], ["zh"], **more)
        hand.work()
        return settled(task)

    return make


@pytest.fixture
def pack(store):
    return lambda task, language: store.pack(task.id, language)


def test_only_the_added_language_is_translated(ended, pipeline, hand, settled, pack, store) -> None:
    task = ended()
    before = {job.id: job for job in store.jobs_of_items(task.id, 0, 1)}
    old = pack(task, "zh").body

    opened, changed = pipeline.add_languages(task.id, targets("fr"))
    again = hand.work()
    done = settled(task)

    assert (changed, opened.state, again) == (True, TaskState.QUEUED, 2)
    assert (done.state, done.counts.cells, done.progress) == (TaskState.SUCCEEDED, 4, 1.0)
    after = {job.id: job for job in store.jobs_of_items(task.id, 0, 1)}
    assert {name: job for name, job in after.items() if name in before} == before
    assert {job.language for name, job in after.items() if name not in before} == {"fr"}
    assert pack(task, "zh").body == old
    assert json.loads(pack(task, "fr").body)["data"] == {
        "5": {"1": {"A": "[fr]"}, "2": {"T": "[fr]"}}
    }
    assert pack(task, "zh").revision == pack(task, "fr").revision == done.revision > task.revision
    assert done.manifest.languages == ["zh", "fr"]


def test_the_parts_of_a_long_recording_are_translated_as_they_were(
    ended, pipeline, hand, settled, store
) -> None:
    hand.parts = 3
    task = ended()
    pipeline.add_languages(task.id, targets("fr"))
    hand.work()
    settled(task)

    jobs = store.jobs_of_items(task.id, 0, 0)
    places = {
        language: [(job.stage, job.part, job.inputs) for job in jobs if job.language == language]
        for language in ("zh", "fr")
    }
    assert places["fr"] == places["zh"] != []


def test_a_language_that_the_task_has_already_changes_nothing(ended, pipeline, store) -> None:
    task = ended()

    same, changed = pipeline.add_languages(task.id, targets("zh"))

    assert (same, changed) == (task, False)
    opened, _ = pipeline.add_languages(task.id, targets("zh", "fr"))
    assert opened.manifest.languages == ["zh", "fr"]
    assert pipeline.add_languages(task.id, targets("fr")) == (store.task(task.id), False)


def test_the_language_that_is_spoken_becomes_a_cell(ended, pipeline, settled, pack, hand) -> None:
    task = ended()

    pipeline.add_languages(task.id, targets("en"))
    done = settled(task)

    assert done.state is TaskState.SUCCEEDED
    assert hand.work() == 0
    assert json.loads(pack(task, "en").body)["data"] == {
        "2": {"1": {"A": "Heard."}, "2": {"T": "Hello."}}
    }


def test_an_added_language_is_told_of_and_nothing_else_again(
    ended, pipeline, hand, settled, store
) -> None:
    task = ended()
    before = store.last_event(task.id)
    pipeline.add_languages(task.id, targets("fr"))
    hand.work()
    settled(task)

    lines = store.events(task.id, after=before, limit=100)
    told = [(line.kind, line.data.get("language"), line.data.get("state")) for line in lines]
    assert told == [
        ("state", None, "queued"),
        ("state", None, "running"),
        ("cell", "fr", None),
        ("cell", "fr", None),
        ("state", None, "succeeded"),
    ]


def test_what_failed_before_stays_failed_until_it_is_retried(
    accept, hand, pipeline, settled, a_text, an_audio, store
) -> None:
    task = accept([an_audio, a_text], ["zh"])
    (grant,) = hand.claim("prepare")
    hand.fail(grant, FailureClass.PERMANENT)
    hand.work()
    partial = settled(task)
    pipeline.add_languages(task.id, targets("fr"))
    hand.work()
    added = settled(task)

    assert (partial.state, added.state) == (TaskState.PARTIAL, TaskState.PARTIAL)
    assert store.job(grant.job).state is JobState.DEAD
    pipeline.retry(task.id)
    hand.work()
    assert settled(task).state is TaskState.SUCCEEDED
    assert store.count_outputs(task.id) == 4


def test_what_a_cancelled_task_has_is_translated(
    accept, hand, pipeline, settled, a_text, an_audio, store
) -> None:
    task = accept([an_audio, a_text], ["zh"])
    hand.finish(hand.claim("translate.stub-nmt")[0])
    pipeline.cancel(task.id)
    assert settled(task).state is TaskState.CANCELLED

    pipeline.add_languages(task.id, targets("fr"))
    assert hand.work() == 1

    assert settled(task).state is TaskState.PARTIAL
    assert [each.language for each in store.outputs(task.id, first=1)] == ["en", "fr", "zh"]


def test_it_is_translated_when_the_audio_is_gone(
    ended, pipeline, hand, settled, store, monkeypatch
) -> None:
    task = ended()
    now = store.now()
    store.note_task(task.id, {"expire_at": now, "retention": {"media_s": 0.0}})
    monkeypatch.setattr(store, "now", lambda: now + 1)
    expire(pipeline.ports)
    monkeypatch.undo()
    gone = store.task(task.id)
    assert gone.media_gone_at is not None

    pipeline.add_languages(task.id, targets("fr"))
    hand.work()

    done = settled(task)
    assert (done.state, done.media_gone_at) == (TaskState.SUCCEEDED, gone.media_gone_at)


def test_what_cannot_be_added_to_says_why(
    accept, hand, pipeline, settled, a_text, an_audio
) -> None:
    running = accept([a_text], ["zh"])
    with pytest.raises(NotTerminal):
        pipeline.add_languages(running.id, targets("fr"))
    pipeline.cancel(running.id)

    failed = accept([an_audio], ["zh"])
    hand.fail(hand.claim("prepare")[0], FailureClass.PERMANENT)
    settled(failed)
    with pytest.raises(Conflict) as wordless:
        pipeline.add_languages(failed.id, targets("fr"))
    assert wordless.value.code == "nothing_to_translate"

    only_words = accept([an_audio], [])
    hand.work()
    settled(only_words)
    with pytest.raises(Conflict) as without:
        pipeline.add_languages(only_words.id, targets("fr"))
    assert without.value.code == "without_targets"

    pipeline.delete(failed.id)
    with pytest.raises(Gone):
        pipeline.add_languages(failed.id, targets("fr"))


def test_a_pair_that_no_model_serves_and_too_many_are_refused(ended, pipeline, store) -> None:
    task = ended()
    pipeline.ports.catalog = catalog_of("en", "zh", "ja")

    with pytest.raises(Invalid) as unserved:
        pipeline.add_languages(task.id, targets("ja", "fr"))
    assert (unserved.value.code, unserved.value.field) == ("pair_not_served", "add")
    pipeline.ports.settings = pipeline.ports.settings.model_copy(update={"max_targets": 1})
    with pytest.raises(Invalid) as many:
        pipeline.add_languages(task.id, targets("ja"))
    assert many.value.code == "too_many_targets"
    assert store.task(task.id) == task


def test_of_languages_that_were_heard_it_is_enough_that_one_is_served(
    accept, pipeline, hand, settled, store, a_text, an_audio, monkeypatch
) -> None:
    heard = hand.result

    def in_japanese(grant):
        result = heard(grant)
        spoken = grant.spec.stage == "transcribe"
        return result.model_copy(update={"language": "ja"}) if spoken else result

    monkeypatch.setattr(hand, "result", in_japanese)
    task = accept([a_text, an_audio], ["zh"])
    hand.work()
    settled(task)
    pipeline.ports.catalog = catalog_of("en", "zh", "fr")

    pipeline.add_languages(task.id, targets("fr"))
    hand.work()

    assert settled(task).state is TaskState.PARTIAL
    assert store.output(f"{task.id}/0/T/fr") is not None
    (dead,) = store.dead_jobs(task.id, limit=9)
    assert (dead.language, dead.history[-1].code) == ("fr", "pair_not_served")
