"""What each committed plan expands into."""

from __future__ import annotations

import pytest

from services.model import plan
from services.model.job import Job, Stage
from services.model.stages import (
    AssembleResult,
    DetectResult,
    PartPlan,
    PrepareResult,
    TranscribeResult,
    TranslateResult,
)
from services.model.states import JobState
from services.model.task import ItemSpec
from services.model.transcript import Body, Check, inline

NOW = 100.0


def choose(source: str, target: str) -> str | None:
    return None if target == "tlh" else "stub-nmt"


def prepared(parts: int) -> PrepareResult:
    cut = [PartPlan(start=n * 100, end=(n + 1) * 100, speech=[(n * 100, n * 100 + 50)])
           for n in range(parts)]  # fmt: skip
    return PrepareResult(pcm=inline(""), seconds=30.0, parts=cut)


@pytest.fixture
def heard():
    """A transcript that a transcribe job reported."""

    def make(text: str = "Hello.", language: str = "en", runs=((0, 1),)) -> TranscribeResult:
        body = inline(text)
        return TranscribeResult(
            language=language, text=body, transcript=body, segments=1, runs=list(runs)
        )

    return make


@pytest.fixture
def transcribe_job():
    return Job(
        id="t1/transcribe/0/-/-/0/0", task_id="t1", stage=Stage.TRANSCRIBE, item=0, owner="local",
        queue="transcribe.stub-whisper", priority=5, created_at=1.0, due=1.0, attempt=3,
    )  # fmt: skip


def test_an_audio_begins_with_its_prepare_job(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])

    children = plan.of_task(task, now=NOW, choose=choose)

    assert [job.id for job in children.jobs] == ["t1/prepare/0/-/-/0/0"]
    assert [job.queue for job in children.jobs] == ["prepare"]
    assert children.outputs == []


def test_a_text_goes_straight_to_its_translations(a_task):
    task = a_task([ItemSpec(text_id="1", text="Hello.", language="en")], ["zh", "ja"])

    children = plan.of_task(task, now=NOW, choose=choose)

    assert [j.id for j in children.jobs] == ["t1/translate/0/zh/T/0/0", "t1/translate/0/ja/T/0/0"]
    assert {"translate.stub-nmt"} == {job.queue for job in children.jobs}
    assert [(o.language, o.kind) for o in children.outputs] == [("en", "transcript")]


def test_a_target_equal_to_the_source_is_an_identity_entry(a_task):
    task = a_task([ItemSpec(text_id="1", text="Hello.", language="en")], ["en", "ja"])

    children = plan.of_task(task, now=NOW, choose=choose)

    assert [(o.language, o.kind) for o in children.outputs] == [("en", "identity")]
    assert [job.language for job in children.jobs] == ["ja"]


def test_a_pair_that_nobody_serves_dies_at_once_and_says_why(a_task):
    task = a_task([ItemSpec(text_id="1", text="Hello.", language="en")], ["tlh"])

    (job,) = plan.of_task(task, now=NOW, choose=choose).jobs

    assert (job.state, job.open) == (JobState.DEAD, False)
    assert job.history[0].code == "pair_not_served"


def test_one_part_is_transcribed_at_once_in_whatever_language(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])

    (job,) = plan.of_prepare(task, 0, prepared(1), now=NOW).jobs

    assert (job.stage, job.inputs) == (Stage.TRANSCRIBE, {"language": None, "parts": 1})


def test_several_parts_without_a_language_are_detected_first(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])

    (job,) = plan.of_prepare(task, 0, prepared(3), now=NOW).jobs

    assert (job.stage, job.queue) == (Stage.DETECT, "transcribe.stub-whisper")


def test_several_parts_with_a_language_run_side_by_side(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio, language="en")], ["zh"])

    jobs = plan.of_prepare(task, 0, prepared(3), now=NOW).jobs

    assert [job.part for job in jobs] == [0, 1, 2]
    assert {"en"} == {job.inputs["language"] for job in jobs}


def test_the_detected_language_is_in_every_parts_plan(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])
    found = DetectResult(language="ja", probability=0.9)

    jobs = plan.of_detect(task, 0, found, parts=prepared(2).parts, now=NOW).jobs

    assert [(job.inputs["language"], job.inputs["language_probability"]) for job in jobs] == [
        ("ja", 0.9)
    ] * 2


def test_silence_gives_empty_cells_and_never_a_phrase(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh", "ja"])

    children = plan.of_prepare(task, 0, prepared(0), now=NOW)

    assert children.jobs == []
    assert [(output.language, output.text.inline) for output in children.outputs] == [
        ("und", ""),
        ("zh", ""),
        ("ja", ""),
    ]
    assert children.outputs[0].facts["no_speech"]


@pytest.mark.parametrize("action", ["flag", "fail"])
def test_silence_in_place_of_a_text_fails_where_that_is_asked_for(a_task, an_audio, action):
    item = ItemSpec(text_id="1", audio=an_audio, text="Good day.", language="en")
    task = a_task([item], ["zh", "en"])
    limits = {"check_threshold": 0.5, "check_action": action}
    options = task.manifest.options.model_copy(update=limits)
    manifest = task.manifest.model_copy(update={"options": options})
    result = prepared(0).model_copy(update={"check": Check(wer=1.0, cer=1.0, rate=1.0)})

    children = plan.of_prepare(task.model_copy(update={"manifest": manifest}), 0, result, now=NOW)

    dead = [(job.language, job.history[0].code) for job in children.jobs]
    failed = [("zh", "check_failed"), ("en", "check_failed")]
    assert dead == (failed if action == "fail" else [])
    kinds = [(output.language, output.kind) for output in children.outputs]
    cells = [("en", "identity"), ("zh", "translation")]
    assert kinds == ([("en", "transcript")] if action == "fail" else cells)
    assert children.outputs[0].facts["check"]["rate"] == 1.0


def test_a_transcript_is_translated_into_every_other_target(
    a_task, an_audio, transcribe_job, heard
):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh", "en", "ja"])

    children = plan.of_transcript(
        task, transcribe_job, heard(), language="en", facts={}, now=NOW, choose=choose
    )

    assert [(o.language, o.kind, o.attempt) for o in children.outputs] == [("en", "identity", 3)]
    assert [job.id for job in children.jobs] == [
        "t1/translate/0/zh/A/0/0",
        "t1/translate/0/ja/A/0/0",
    ]


def test_a_long_transcript_is_translated_run_by_run(a_task, an_audio, transcribe_job, heard):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])

    children = plan.of_transcript(
        task, transcribe_job, heard(runs=((0, 400), (400, 700))), language="en", facts={},
        now=NOW, choose=choose,
    )  # fmt: skip

    assert [
        (job.inputs["first"], job.inputs["last"], job.inputs["parts"]) for job in children.jobs
    ] == [(0, 400, 2), (400, 700, 2)]


@pytest.fixture
def far_from_its_text(a_task, an_audio, transcribe_job, heard):
    """What is made of an item whose error rate is 0.3, with or without a limit."""

    def expand(targets, threshold, action="fail"):
        item = ItemSpec(text_id="1", audio=an_audio, text="Good day.", language="en")
        task = a_task([item], targets)
        options = task.manifest.options.model_copy(
            update={"check_threshold": threshold, "check_action": action}
        )
        manifest = task.manifest.model_copy(update={"options": options})
        result = heard().model_copy(update={"check": Check(wer=0.3, cer=0.1, rate=0.3)})
        return plan.of_transcript(
            task.model_copy(update={"manifest": manifest}), transcribe_job, result,
            language="en", facts={}, now=NOW, choose=choose,
        )  # fmt: skip

    return expand


def test_an_item_too_far_from_its_text_fails_every_cell_and_keeps_its_transcript(
    far_from_its_text,
):
    children = far_from_its_text(["zh", "en", "tlh"], 0.2)

    assert [(job.language, job.source, job.state, job.open) for job in children.jobs] == [
        ("zh", "A", JobState.DEAD, False),
        ("en", "A", JobState.DEAD, False),
        ("tlh", "A", JobState.DEAD, False),
    ]
    (line,) = children.jobs[0].history
    assert (line.failure, line.code, line.next_attempt_at) == ("permanent", "check_failed", None)
    assert "30.0%" in line.message
    assert "20.0%" in line.message
    assert [(o.language, o.kind) for o in children.outputs] == [("en", "transcript")]
    assert all(map(plan.stays_dead, children.jobs))


def test_without_targets_the_one_cell_of_the_item_fails(far_from_its_text):
    children = far_from_its_text([], 0.2)
    assert [job.language for job in children.jobs] == ["en"]
    assert [output.kind for output in children.outputs] == ["transcript"]


@pytest.mark.parametrize(("threshold", "action"), [(0.3, "fail"), (None, "fail"), (0.2, "flag")])
def test_an_item_within_its_limit_or_only_flagged_is_translated(
    far_from_its_text, threshold, action
):
    children = far_from_its_text(["zh", "en"], threshold, action)
    assert [(job.language, job.state) for job in children.jobs] == [("zh", JobState.WAITING)]
    assert [output.kind for output in children.outputs] == ["identity"]


def test_a_translation_fills_exactly_one_cell(a_task, transcribe_job):
    task = a_task([ItemSpec(text_id="1", text="Hello.", language="en")], ["zh"])
    job = transcribe_job.model_copy(update={"language": "zh", "source": "T"})
    body = inline("你好。")

    made = TranslateResult(text=body, transcript=body, segments=1)

    children = plan.of_translation(task, job, made, [made], now=NOW)

    assert [output.id for output in children.outputs] == ["t1/0/T/zh"]
    assert children.outputs[0].facts == {"segments": 1}
    assert children.jobs == []


def test_a_joined_translation_has_the_flags_of_all_its_parts(a_task, transcribe_job):
    task = a_task([ItemSpec(text_id="1", text="Hello.", language="en")], ["zh"])
    job = transcribe_job.model_copy(update={"language": "zh", "source": "T"})
    body = inline("…")
    parts = [
        TranslateResult(text=body, transcript=body, segments=5, flags=flags)
        for flags in ({"truncated": 1}, {}, {"truncated": 2, "other_language": 1})
    ]
    joined = AssembleResult(text=body, transcript=body, segments=15)

    (output,) = plan.of_translation(task, job, joined, parts, now=NOW).outputs

    assert output.facts == {"segments": 15, "flags": {"truncated": 3, "other_language": 1}}


def test_expanding_twice_names_the_same_children(a_task, an_audio):
    task = a_task([ItemSpec(text_id="a/b", audio=an_audio, text="Hi.", language="en")], ["zh"])

    first = plan.of_task(task, now=NOW, choose=choose)
    second = plan.of_task(task, now=NOW + 50, choose=choose)

    assert [job.id for job in first.jobs] == [job.id for job in second.jobs]
    assert [output.id for output in first.outputs] == [output.id for output in second.outputs]


def seconds_of_speech(*stretches: tuple[float, float]) -> PartPlan:
    speech = [(round(start * 16_000), round(end * 16_000)) for start, end in stretches]
    return PartPlan(start=speech[0][0], end=speech[-1][1], speech=speech)


def test_a_file_is_as_much_work_as_its_bytes_say_until_it_is_opened(a_task, an_audio):
    long = an_audio.model_copy(update={"size": 960_000})
    task = a_task(
        [ItemSpec(text_id="1", audio=an_audio), ItemSpec(text_id="2", audio=long)], ["zh"]
    )

    jobs = plan.of_task(task, now=NOW, choose=choose).jobs

    assert [job.size for job in jobs] == [1.0, 60.0]


def test_a_part_is_as_much_work_as_there_is_speech_in_it(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio, language="en")], ["zh"])
    parts = [seconds_of_speech((0, 40), (50, 60)), seconds_of_speech((60, 90))]
    result = PrepareResult(pcm=inline(""), seconds=90.0, parts=parts)

    assert [job.size for job in plan.of_prepare(task, 0, result, now=NOW).jobs] == [50.0, 30.0]


@pytest.mark.parametrize(("parts", "size"), [(2, 60.0), (3, 90.0), (50, 150.0)])
def test_detecting_a_language_takes_up_to_five_windows(a_task, an_audio, parts, size):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])

    (job,) = plan.of_prepare(task, 0, prepared(parts), now=NOW).jobs

    assert job.size == size


def test_joining_is_as_much_work_as_there_are_parts(a_task, an_audio, transcribe_job):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])
    job = transcribe_job.model_copy(update={"inputs": {"parts": 7}})

    assert [job.size for job in plan.joining(task, job, now=NOW).jobs] == [7.0]


def test_runs_share_the_work_of_a_text_by_their_segments(a_task, an_audio, transcribe_job, heard):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])

    children = plan.of_transcript(
        task, transcribe_job, heard("x" * 1500, runs=((0, 300), (300, 400))), language="en",
        facts={}, now=NOW, choose=choose,
    )  # fmt: skip

    assert [job.size for job in children.jobs] == [75.0, 25.0]


def test_a_text_that_lies_in_storage_is_measured_by_its_bytes(a_task, an_audio, transcribe_job):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], ["zh"])
    far = Body(key="texts/1", size=90_000)
    result = TranscribeResult(language="en", text=far, transcript=far, segments=1, runs=[(0, 1)])

    children = plan.of_transcript(
        task, transcribe_job, result, language="en", facts={}, now=NOW, choose=choose
    )

    assert [job.size for job in children.jobs] == [4000.0]


def test_a_task_that_asks_for_a_label_has_queues_of_its_own(a_task, an_audio, transcribe_job):
    text = ItemSpec(text_id="2", text="Hello.", language="en")
    task = a_task([ItemSpec(text_id="1", audio=an_audio), text], ["zh"])
    options = task.manifest.options.model_copy(update={"node_label": "room=lab"})
    manifest = task.manifest.model_copy(update={"options": options})
    task = task.model_copy(update={"manifest": manifest})

    jobs = plan.of_task(task, now=NOW, choose=choose).jobs
    jobs += plan.of_prepare(task, 0, prepared(1), now=NOW).jobs

    assert [job.queue for job in jobs] == [
        "prepare@room=lab",
        "translate.stub-nmt@room=lab",
        "transcribe.stub-whisper@room=lab",
    ]
    assert {job.label for job in jobs} == {"room=lab"}


def test_without_a_target_the_words_themselves_are_the_cell(
    a_task, an_audio, transcribe_job, heard
):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], [])

    children = plan.of_transcript(
        task, transcribe_job, heard(), language="en", facts={}, now=NOW, choose=choose
    )

    assert [(output.language, output.kind) for output in children.outputs] == [("en", "identity")]
    assert children.jobs == []
    assert task.manifest.cells == 1


def test_silence_without_a_target_is_a_cell_as_well(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], [])

    children = plan.of_prepare(task, 0, prepared(0), now=NOW)

    assert [(output.language, output.kind) for output in children.outputs] == [("und", "identity")]


def test_a_task_that_only_asks_for_the_language_ends_with_its_name(a_task, an_audio):
    task = a_task([ItemSpec(text_id="1", audio=an_audio)], [])
    options = task.manifest.options.model_copy(update={"only_detect": True})
    manifest = task.manifest.model_copy(update={"options": options})
    task = task.model_copy(update={"manifest": manifest})

    (job,) = plan.of_prepare(task, 0, prepared(1), now=NOW).jobs
    found = DetectResult(language="de", probability=0.7)
    children = plan.of_detect(task, 0, found, parts=prepared(1).parts, now=NOW)

    assert job.stage is Stage.DETECT
    assert children.jobs == []
    (output,) = children.outputs
    assert (output.language, output.kind, output.facts["language_probability"]) == (
        "de", "identity", 0.7,
    )  # fmt: skip
