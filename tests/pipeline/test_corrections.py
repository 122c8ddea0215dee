"""Words that somebody puts in the place of others, and what is made anew of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.model.correction import MOST_VERSIONS, Correction
from services.model.errors import Conflict, FailureClass, Gone, Invalid, NotTerminal
from services.model.messages import INLINE_LIMIT
from services.model.states import JobState
from services.model.task import Target, Task, TaskState
from services.model.transcript import Check, Output, Transcript
from task_manager import views
from task_manager.corrections import Writer, correction_of
from task_manager.pipeline.packing import read_body
from task_manager.schemas.correction import Corrected, CorrectedSegment
from task_manager.schemas.item import CellView

TRANSLATE = "translate.stub-nmt"


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


@pytest.fixture
def ended(accept, hand, settled, an_audio, a_text):
    """A task of an audio and a text, done."""

    def make(*languages: str, **more) -> Task:
        task = accept([an_audio, a_text], list(languages or ("zh", "ja")), **more)
        hand.work()
        return settled(task)

    return make


@pytest.fixture
def correct(pipeline, store) -> Callable[..., Task]:
    """Corrects `item/source/language`: by a text, or segments by id."""

    def make(task: Task, place: str, words: Any, version: int = 0, **more) -> Task:
        ports = pipeline.ports
        writer = Writer(store, ports.objects, "fs_a", ports.settings.max_text_chars)
        said = (
            {"text": words}
            if isinstance(words, str)
            else {"segments": [CorrectedSegment(id=n, text=text) for n, text in words.items()]}
        )
        wanted = Corrected(version=version, **said, **more)

        def write(now: Task) -> Correction | None:
            ordinal = int(place[0])
            (item,) = store.items(now.id, after=ordinal - 1, limit=1)
            there = store.output(f"{now.id}/{place}")
            return correction_of(writer, now, item, there, wanted)

        return pipeline.correct(task.id, write)

    return make


@pytest.fixture
def words(pipeline, store):
    """The text of `item/source/language`, its version and who wrote it."""

    def look(task: Task, place: str) -> tuple[str, int, str]:
        output: Output = store.output(f"{task.id}/{place}")
        return read_body(pipeline.ports, output.text), output.version, output.corrected_by

    return look


@pytest.fixture
def cells(pipeline, store):
    def look(task: Task, item: int = 0) -> dict[str, CellView]:
        views_ = views.item_views(store.task(task.id), store, store.items(task.id, limit=9))
        (source,) = {name for each in views_[item].cells.values() for name in each}
        return {language: each[source] for language, each in views_[item].cells.items()}

    return look


def test_a_corrected_translation_is_a_version_of_its_own(
    ended, correct, words, store, cells, hand
) -> None:
    task = ended()
    other = store.pack(task.id, "ja").body

    done = correct(task, "0/A/zh", {0: "你好"})

    assert (done.state, done.ends, hand.work()) == (TaskState.SUCCEEDED, 2, 0)
    assert words(task, "0/A/zh") == ("你好", 1, "fs_a")
    assert [line.version for line in store.version_lines(f"{task.id}/0/A/zh")] == [0]
    assert store.version(f"{task.id}/0/A/zh", 0).text.inline == "[zh]"
    pack = store.pack(task.id, "zh")
    assert json.loads(pack.body)["data"]["1"] == {"1": {"A": "你好"}, "2": {"T": "[zh]"}}
    assert (pack.revision, store.pack(task.id, "ja").body) == (done.revision, other)
    assert (done.correction, done.corrections) == (None, 1)
    assert cells(task)["zh"] == CellView(state="done", error=None, version=1, outdated=False)


def test_translations_are_made_anew_from_corrected_words_of_that_item_only(
    ended, correct, words, store, hand, settled, cells
) -> None:
    task = ended()
    before = store.jobs_of_items(task.id, 0, 1)

    opened = correct(task, "0/A/en", {0: "Herd."})
    seen = cells(task)
    grants = hand.claim(TRANSLATE, slots=9)
    for grant in grants:
        hand.finish(grant)
    done = settled(task)

    assert (opened.state, done.state) == (TaskState.QUEUED, TaskState.SUCCEEDED)
    assert {each.state for each in seen.values()} == {"waiting"}
    assert [each.outdated for each in seen.values()] == [True, True]
    assert sorted(grant.job.partition("/")[2] for grant in grants) == [
        "translate/0/ja/A/0/1", "translate/0/zh/A/0/1",
    ]  # fmt: skip
    assert "Herd." in grants[0].spec.transcript.inline
    former = grants[0].spec.former
    assert Transcript.model_validate_json(former.transcript.inline).text == "Heard."
    assert Transcript.model_validate_json(former.translation.inline).text.startswith("[")
    assert words(task, "0/A/en") == ("Herd.", 1, "fs_a")
    assert words(task, "0/A/zh") == ("[zh]", 1, "")
    assert words(task, "1/T/zh") == ("[zh]", 0, "")
    after = {job.id: job for job in store.jobs_of_items(task.id, 0, 1)}
    assert [after[job.id] for job in before] == before
    assert {each.version for each in cells(task).values()} == {1}


def test_a_corrected_translation_stays_when_its_words_are_corrected(
    ended, correct, words, hand, settled, cells
) -> None:
    task = ended()
    correct(task, "0/A/zh", {0: "你好"})
    correct(task, "0/A/en", {0: "Herd."})
    assert hand.work() == 1

    assert settled(task).state is TaskState.SUCCEEDED
    assert words(task, "0/A/zh") == ("你好", 1, "fs_a")
    assert words(task, "0/A/ja") == ("[ja]", 2, "")
    assert cells(task)["zh"] == CellView(state="done", error=None, version=1, outdated=True)
    assert not cells(task)["ja"].outdated

    correct(task, "0/A/zh", {0: "牛群"}, version=1)
    assert words(task, "0/A/zh") == ("牛群", 3, "fs_a")
    assert not cells(task)["zh"].outdated


def test_a_corrected_translation_is_made_anew_where_that_is_asked_for(
    ended, correct, words, hand, settled, store
) -> None:
    task = ended()
    correct(task, "0/A/zh", {0: "你好"})

    correct(task, "0/A/en", {0: "Herd."}, overwrite=True)
    grants = [grant for grant in hand.claim(TRANSLATE, slots=9) if "/zh/" in grant.job]
    (former,) = [grant.spec.former for grant in grants]
    assert Transcript.model_validate_json(former.translation.inline).text == "你好"
    assert Transcript.model_validate_json(former.transcript.inline).text == "Heard."
    token = hand.token
    for grant in hand.claim_again(TRANSLATE, slots=9):
        hand.finish(grant, token=token)

    assert settled(task).state is TaskState.SUCCEEDED
    assert words(task, "0/A/zh") == ("[zh]", 2, "")
    assert [line.version for line in store.version_lines(f"{task.id}/0/A/zh")] == [0, 1]


def test_what_cannot_be_made_anew_keeps_its_text_and_leaves_the_task_partial(
    ended, correct, words, hand, settled, cells, pipeline, store
) -> None:
    task = ended("zh")
    correct(task, "0/A/en", {0: "Herd."})
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.PERMANENT)
    partial = settled(task)

    assert (partial.state, partial.counts.cells_done) == (TaskState.PARTIAL, 1)
    assert words(task, "0/A/zh") == ("[zh]", 0, "")
    assert (cells(task)["zh"].state, cells(task)["zh"].outdated) == ("failed", True)
    assert cells(task)["zh"].error.code == "oops"
    assert json.loads(store.pack(task.id, "zh").body)["complete"]

    pipeline.retry(task.id)
    hand.work()
    assert settled(task).state is TaskState.SUCCEEDED
    assert words(task, "0/A/zh") == ("[zh]", 1, "")


def test_a_failure_on_words_that_were_corrected_since_is_not_retried(
    ended, correct, hand, settled, pipeline, store
) -> None:
    task = ended("zh")
    correct(task, "0/A/en", {0: "Herd."})
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.PERMANENT)
    settled(task)
    correct(task, "0/A/en", {0: "Herds."}, version=1)
    (newer,) = hand.claim(TRANSLATE)
    hand.fail(newer, FailureClass.PERMANENT)
    settled(task)

    pipeline.retry(task.id)

    assert hand.work() == 1
    assert store.job(grant.job).state is JobState.DEAD
    assert settled(task).state is TaskState.SUCCEEDED


def test_a_text_is_corrected_as_a_whole_and_its_own_cell_with_it(
    ended, correct, words, hand, settled, store
) -> None:
    task = ended("en", "zh")
    correct(task, "1/T/en", "Good day.")
    (grant,) = hand.claim(TRANSLATE)
    assert (grant.spec.text, grant.spec.former.text) == ("Good day.", "Hello.")
    hand.finish(grant)

    assert settled(task).state is TaskState.SUCCEEDED
    assert json.loads(store.pack(task.id, "en").body)["data"]["2"]["2"] == {"T": "Good day."}
    correct(task, "1/T/zh", "日安。", version=1)
    assert words(task, "1/T/zh") == ("日安。", 2, "fs_a")


def test_what_is_long_is_an_object_before_anything_names_it(
    ended, correct, words, hand, settled, pipeline, store
) -> None:
    task = ended("zh")
    text = "日安。\n" * INLINE_LIMIT

    with pytest.raises(Invalid) as too_long:
        correct(task, "1/T/zh", text)
    assert too_long.value.code == "text_too_long"
    correct(task, "1/T/zh", text[:INLINE_LIMIT])

    output = store.output(f"{task.id}/1/T/zh")
    assert output.text.key.startswith(f"tasks/{task.id}/corrections/1/T/zh/")
    assert words(task, "1/T/zh")[0] == text[:INLINE_LIMIT]
    assert text[:INLINE_LIMIT] in json.loads(store.pack(task.id, "zh").body)["data"]["1"]["2"]["T"]
    pipeline.delete(task.id)
    assert not list(pipeline.ports.objects.root.glob(f"tasks/{task.id}/**/*.txt"))


def test_nothing_is_left_to_translate_where_every_segment_went(
    ended, correct, words, hand, settled
) -> None:
    task = ended()

    done = correct(task, "0/A/en", {0: " "})

    assert (done.state, hand.work()) == (TaskState.SUCCEEDED, 0)
    assert words(task, "0/A/zh") == ("", 1, "")
    assert words(task, "0/A/en") == ("", 1, "fs_a")


def test_languages_that_are_added_later_are_made_of_the_corrected_words(
    ended, correct, words, hand, settled, pipeline
) -> None:
    task = ended("zh")
    correct(task, "0/A/en", {0: "Herd."})
    hand.work()
    settled(task)

    pipeline.add_languages(task.id, [Target(language="fr", spelling="fr")])
    (grant, _) = hand.claim(TRANSLATE, slots=2)
    assert "Herd." in grant.spec.transcript.inline
    assert grant.spec.former is None
    for each in hand.claim_again(TRANSLATE, slots=2):
        hand.finish(each)

    assert settled(task).state is TaskState.SUCCEEDED
    assert words(task, "0/A/fr") == ("[fr]", 1, "")


def test_what_was_too_far_from_its_text_is_translated_once_somebody_corrected_it(
    accept, hand, settled, correct, an_audio, store, pipeline, monkeypatch
) -> None:
    said = hand.result

    def far_off(grant):
        result = said(grant)
        far = Check(wer=0.9, cer=0.9, rate=0.9)
        return result.model_copy(update={"check": far} if result.stage == "transcribe" else {})

    monkeypatch.setattr(hand, "result", far_off)
    task = accept([an_audio], ["zh", "en"])
    options = task.manifest.options.model_copy(
        update={"check_threshold": 0.1, "check_action": "fail"}
    )
    store.note_task(task.id, {"manifest": task.manifest.model_copy(update={"options": options})})
    hand.work()
    assert settled(task).state is TaskState.FAILED

    correct(task, "0/A/en", {0: "Herd."})
    hand.work()

    assert settled(task).state is TaskState.SUCCEEDED
    assert json.loads(store.pack(task.id, "en").body)["data"] == {"2": {"1": {"A": "Herd."}}}
    with pytest.raises(Conflict, match="nothing in it has failed"):
        pipeline.retry(task.id)


def test_the_same_words_are_saved_once(ended, correct, words, store, hand) -> None:
    task = ended()
    assert correct(task, "0/A/zh", {0: "[zh]"}) == store.task(task.id)
    done = correct(task, "0/A/zh", {0: "你好"})

    assert correct(task, "0/A/zh", {0: "你好"}) == done  # the first answer got lost
    correct(task, "0/A/en", {0: "Herd."})
    assert correct(task, "0/A/en", {0: "Herd."}).state is TaskState.QUEUED
    with pytest.raises(NotTerminal):
        correct(task, "0/A/en", {0: "Herds."}, version=2)


def test_who_corrects_what_he_did_not_read_is_told(ended, correct, words) -> None:
    task = ended()
    correct(task, "0/A/zh", {0: "你好"})

    with pytest.raises(Conflict) as stale:
        correct(task, "0/A/zh", {0: "您好"})
    assert (stale.value.code, stale.value.field) == ("stale_version", "version")
    assert words(task, "0/A/zh") == ("你好", 1, "fs_a")
    correct(task, "0/A/zh", {0: "您好"}, version=1)
    assert words(task, "0/A/zh") == ("您好", 2, "fs_a")


def test_versions_come_to_an_end(ended, correct, store, words) -> None:
    task = ended()
    output = store.output(f"{task.id}/0/A/zh")
    store.put_output(output.model_copy(update={"version": MOST_VERSIONS}))

    with pytest.raises(Conflict) as many:
        correct(task, "0/A/ja", {0: "やあ"})
    assert many.value.code == "too_many_versions"


@pytest.mark.parametrize(
    ("place", "said", "code", "field"),
    [
        ("0/A/en", "All of it.", "segments_required", "segments"),
        ("1/T/en", {0: "Good day."}, "text_required", "text"),
        ("0/A/en", {7: "?"}, "unknown_segment", "segments.0.id"),
        ("0/A/en", {0: "a\x1bb"}, "control_character", "segments.0.text"),
        ("1/T/en", "a\x00b", "control_character", "text"),
        ("1/T/en", " ", "empty_text", "text"),
    ],
)
def test_what_is_no_correction_is_refused(ended, correct, store, place, said, code, field) -> None:
    task = ended()

    with pytest.raises(Invalid) as refused:
        correct(task, place, said)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert store.task(task.id) == task


def test_a_deleted_task_takes_its_versions_along(ended, correct, pipeline, store) -> None:
    task = ended()
    correct(task, "0/A/zh", {0: "你好"})
    pipeline.delete(task.id)

    with pytest.raises(Gone):
        correct(task, "0/A/zh", {0: "您好"}, version=1)
