"""Previews: sentences translated while their part is being heard, beside all that counts."""

from __future__ import annotations

import pytest

from services.model.errors import FailureClass
from services.model.job import Stage, queue_name
from services.model.messages import Keep, Lookup, Made, Progress, Wanted
from services.model.preview import is_preview
from services.model.stages import TranscribeSpec, TranslateResult, TranslateSpec
from services.model.task import TaskState
from services.model.transcript import Segment, Transcript, inline
from task_manager.pipeline import previews
from task_manager.pipeline.reports import lose
from task_manager.ticker.announce import announce

TRANSLATE = queue_name(Stage.TRANSLATE, "stub-nmt")
TRANSCRIBE = queue_name(Stage.TRANSCRIBE, "stub-whisper")
ONE = "1" * 64


def sentences(*texts: str, first: int = 0) -> list[Segment]:
    return [Segment(id=first + n, start=n, end=n + 1, text=t) for n, t in enumerate(texts)]


@pytest.fixture
def hearing(accept, hand, an_audio):
    """A task whose audio is being heard, by a lease that stays when the hand claims more."""

    def begin(*targets: str, previews: bool = True):
        task = accept([an_audio], list(targets or ["zh", "ja"]), previews=previews)
        hand.work("prepare")
        (grant,) = hand.claim(TRANSCRIBE)
        return task, grant, hand.token

    return begin


@pytest.fixture
def tell(pipeline):
    def progress(grant, token, *texts: str, number: int = 1, first: int = 0) -> str:
        told = Progress(
            token=token, job=grant.job, attempt=grant.attempt, number=number, fraction=0.5,
            sentences=sentences(*texts, first=first), language="en",
        )  # fmt: skip
        return pipeline.progress(told).state

    return progress


@pytest.fixture
def told(pipeline):
    """The events of this kind."""

    def find(task) -> list[dict]:
        events = pipeline.ports.store.events(task.id, limit=200)
        return [each.data for each in events if each.kind == "preview"]

    return find


@pytest.fixture
def left(pipeline):
    return lambda task: pipeline.ports.store.count_previews(task.id, 99)


def translated(grant) -> TranslateResult:
    """As a worker answers: a translation for each sentence, with its times."""
    words = Transcript.model_validate_json(grant.spec.transcript.inline)
    made = [
        each.model_copy(update={"text": f"[{grant.spec.target_language}] {each.text}"})
        for each in words.segments
    ]
    whole = words.model_copy(update={"segments": made})
    body = inline(whole.model_dump_json())
    return TranslateResult(text=inline("…"), transcript=body, segments=len(made))


def test_sentences_are_shown_in_each_language_while_their_part_is_still_heard(
    hearing, hand, tell, told, pipeline
):
    task, grant, token = hearing("zh", "ja", "en")
    assert isinstance(grant.spec, TranscribeSpec)
    assert grant.spec.previews
    tell(grant, token, "Three coins.", "A box.")

    grants = hand.claim(TRANSLATE, slots=8)
    assert [each.spec.target_language for each in grants] == ["ja", "zh"]
    assert all(isinstance(each.spec, TranslateSpec) and is_preview(each.job) for each in grants)
    assert all(hand.beat(each) == "held" for each in grants)
    assert [hand.finish(each, result=translated(each)) for each in grants] == [200, 200]

    first, _ = told(task)
    assert first == {
        "item": 0, "part": 0, "attempt": 1, "language": "ja",
        "sentences": [
            {"number": 0, "start": 0, "end": 1, "source": "Three coins.",
             "text": "[ja] Three coins."},
            {"number": 1, "start": 1, "end": 2, "source": "A box.", "text": "[ja] A box."},
        ],
    }  # fmt: skip
    assert pipeline.ports.store.outputs(task.id) == []


def test_a_report_of_a_preview_that_comes_twice_is_told_of_once(hearing, hand, tell, told):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (preview,) = hand.claim(TRANSLATE)
    assert hand.claim_again(TRANSLATE) == [preview]
    assert hand.claim_again("") == [preview], "whoever died while it asked hands it back"
    answers = [hand.finish(preview, result=translated(preview)) for _ in range(2)]
    assert (answers, len(told(task))) == ([200, 200], 1)


def test_nothing_that_counts_knows_of_a_preview(hearing, hand, tell, pipeline):
    task, grant, token = hearing()
    store = pipeline.ports.store
    before = store.queue_depths(store.now()), store.count_jobs(task.id)
    tell(grant, token, "Three coins.")
    assert (store.queue_depths(store.now()), store.count_jobs(task.id)) == before
    hand.claim(TRANSLATE)
    assert (store.queue_depths(store.now()), store.count_jobs(task.id)) == before


def test_real_work_goes_first_and_alone(hearing, hand, tell, accept, a_text):
    _, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    accept([a_text], ["zh"])
    (first,) = hand.claim(TRANSLATE, slots=8)
    (second,) = hand.claim(TRANSLATE, slots=8)
    assert (is_preview(first.job), is_preview(second.job)) == (False, True)


def test_a_task_that_did_not_ask_for_previews_gets_none(hearing, tell, left):
    task, grant, token = hearing(previews=False)
    assert not grant.spec.previews
    tell(grant, token, "Three coins.")
    assert left(task) == 0


def test_a_progress_that_comes_twice_makes_the_same_previews(hearing, tell, left):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    tell(grant, token, "Three coins.")
    tell(grant, token, "Three coins.", number=2)
    assert left(task) == 1


def test_previews_are_rung_for_once_each_and_only_where_a_slot_is_free(hearing, tell, pipeline):
    _, grant, token = hearing()
    tell(grant, token, "Three coins.")
    rung: list[str] = []
    for looks in (1, 2, 3):
        announce(pipeline.ports, lambda _, job: rung.append(job))
        assert len(rung) == min(looks, 2), "one slot hears, the other could translate"
    assert all(map(is_preview, rung))
    assert len(set(rung)) == 2


def test_no_preview_is_rung_for_while_real_work_needs_the_slot(
    hearing, tell, pipeline, accept, a_text
):
    _, grant, token = hearing()
    tell(grant, token, "Three coins.")
    accept([a_text], ["zh"])
    rung: list[str] = []
    announce(pipeline.ports, lambda _, job: rung.append(job))
    assert list(map(is_preview, rung)) == [False]


@pytest.mark.parametrize("how", ["failed", "lost", "released"])
def test_a_preview_that_comes_to_nothing_is_not_run_again(hearing, hand, tell, told, how, pipeline):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (preview,) = hand.claim(TRANSLATE)
    if how == "released":
        assert hand.finish(preview, released=True) == 200
    else:
        lost = FailureClass.WORKER_LOST if how == "lost" else FailureClass.INTERNAL
        assert hand.fail(preview, lost) == 200
    assert hand.claim(TRANSLATE) == []
    assert told(task) == []
    (node,) = pipeline.ports.store.nodes()
    assert node.troubles == [], "no node is blamed"
    assert pipeline.task(task.id).state is TaskState.RUNNING


def test_none_is_begun_when_the_words_that_count_are_there_and_what_runs_is_kept_for_those(
    hearing, hand, tell, told, left, settled, pipeline
):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (preview,) = hand.claim(TRANSLATE)
    preview_token = hand.token
    tell(grant, token, "A box.", number=2, first=1)
    assert left(task) == 2

    assert hand.finish(grant, token=token) == 200
    assert left(task) == 1
    assert hand.beat(preview, preview_token) == "held"
    assert hand.finish(preview, token=preview_token, result=translated(preview)) == 200
    assert told(task) == [], "nobody waits for it any more"
    made = Made(job=preview.job, attempt=1, texts={ONE: "三枚硬币。"})
    assert pipeline.keep(Keep(made=[made])).count == 1

    (real,) = hand.claim(TRANSLATE)
    wanted = Wanted(job=real.job, attempt=real.attempt, digests=[ONE])
    answer = pipeline.look_up(Lookup(token=hand.token, wanted=[wanted]))
    assert answer.known == {real.job: {ONE: "三枚硬币。"}}
    assert hand.finish(real) == 200
    assert settled(task).state is TaskState.SUCCEEDED
    assert left(task) == 0


def test_what_is_told_when_the_words_that_count_are_there_is_not_begun(
    hearing, hand, tell, left, pipeline
):
    task, grant, token = hearing("zh")
    job = pipeline.ports.store.job(grant.job)
    tell(grant, token, "Three coins.")
    (running,) = hand.claim(TRANSLATE)
    running_token = hand.token
    hand.finish(grant, token=token)
    late = Progress(
        token=token, job=job.id, attempt=1, number=2, fraction=0.9,
        sentences=sentences("A box.", first=1), language="en",
    )  # fmt: skip
    previews.offer(pipeline.ports, job, late)  # by a manager that slept
    assert left(task) == 1
    assert hand.beat(running, running_token) == "held"


@pytest.mark.parametrize("order", ["cancel", "delete"])
def test_a_task_that_is_not_wanted_takes_its_previews_along(
    hearing, hand, tell, left, pipeline, order
):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (preview,) = hand.claim(TRANSLATE)
    getattr(pipeline, order)(task.id)
    assert left(task) == 0
    assert hand.beat(preview) == "cancelled"
    assert tell(grant, token, "A box.", number=2, first=1) == "cancelled"
    assert left(task) == 0


def test_an_attempt_that_begins_anew_drops_what_the_one_before_it_told(
    hearing, hand, other_hand, tell, told, left, pipeline
):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three", "coins.")
    (preview,) = hand.claim(TRANSLATE)
    preview_token = hand.token
    job = pipeline.ports.store.job(grant.job)
    lose(pipeline.ports, job, "gone")
    (again,) = other_hand.claim(TRANSCRIBE)

    assert (again.attempt, left(task)) == (2, 0)
    assert tell(grant, token, "A box.", number=2, first=1) == "stale"
    assert hand.finish(preview, token=preview_token, result=translated(preview)) == 410
    tell(again, other_hand.token, "Three coins.")
    (anew,) = hand.claim(TRANSLATE)
    assert anew.job != preview.job
    hand.finish(anew, result=translated(anew))
    assert [each["attempt"] for each in told(task)] == [2]


def test_an_attempt_that_lost_its_part_shows_nothing_more(hearing, hand, tell, told, pipeline):
    task, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (preview,) = hand.claim(TRANSLATE)
    store = pipeline.ports.store
    kept = store.preview(preview.job)
    lose(pipeline.ports, store.job(grant.job), "gone")
    preview_token = hand.token
    hand.node = "node-3"
    assert hand.claim(TRANSCRIBE)
    store.insert_previews([kept])  # a manager that slept writes it after all
    assert hand.finish(preview, token=preview_token, result=translated(preview)) == 200
    assert told(task) == []


def test_what_a_preview_made_answers_for_the_real_job(hearing, hand, tell, pipeline):
    _, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (preview,) = hand.claim(TRANSLATE)
    hand.finish(preview, result=translated(preview))
    made = Made(job=preview.job, attempt=1, texts={ONE: "三枚硬币。"})
    assert pipeline.keep(Keep(made=[made])).count == 1
    hand.finish(grant, token=token)

    (real,) = hand.claim(TRANSLATE)
    wanted = Wanted(job=real.job, attempt=real.attempt, digests=[ONE])
    answer = pipeline.look_up(Lookup(token=hand.token, wanted=[wanted]))
    assert answer.known == {real.job: {ONE: "三枚硬币。"}}


def test_only_who_has_claimed_a_preview_asks_and_tells(hearing, hand, tell, pipeline, sqlite_store):
    _, grant, token = hearing("zh")
    tell(grant, token, "Three coins.")
    (waiting,) = sqlite_store.silent_previews(sqlite_store.now() + 1, 9)
    made = Made(job=waiting.id, attempt=1, texts={ONE: "x"})
    assert pipeline.keep(Keep(made=[made])).count == 0
    (preview,) = hand.claim(TRANSLATE)
    wanted = Wanted(job=preview.job, attempt=1, digests=[ONE])
    assert pipeline.look_up(Lookup(token="another-token-000", wanted=[wanted])).known == {}
    assert pipeline.look_up(Lookup(token=hand.token, wanted=[wanted])).known == {preview.job: {}}
    other = Made(job=preview.job, attempt=2, texts={ONE: "x"})
    assert pipeline.keep(Keep(made=[other])).count == 0


def test_a_task_has_no_more_than_so_many_at_once(hearing, tell, left, monkeypatch):
    monkeypatch.setattr(previews, "MOST", 2)
    task, grant, token = hearing("zh")
    for number in range(4):
        tell(grant, token, "Three coins.", number=number + 1, first=number)
    assert left(task) == 2
