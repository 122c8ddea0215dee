"""The translation cache behind the callbacks: whose sentences it knows, and for how long."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.model.job import Stage, queue_name
from services.model.messages import MOST_SENTENCES, Keep, Lookup, Made, Wanted
from services.model.remembered import LONGEST
from services.model.task import ItemSpec
from services.settings import Settings
from task_manager.pipeline.remembering import REST_S
from task_manager.pipeline.settle import PURGE_AGAIN_S, settle
from task_manager.ticker.translations import AT_ONCE, sweep_translations

TRANSLATE = queue_name(Stage.TRANSLATE, "stub-nmt")
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def translating(accept, hand, a_text):
    """A translation under way, for this owner."""

    def begin(owner: str = "local"):
        accept([a_text], ["zh"], owner=owner)
        (grant,) = hand.claim(TRANSLATE)
        return grant

    return begin


@pytest.fixture
def ask(pipeline, hand):
    def look_up(grant, *digests: str, token: str = "", attempt: int = 0):
        wanted = Wanted(job=grant.job, attempt=attempt or grant.attempt, digests=list(digests))
        answer = pipeline.look_up(Lookup(token=token or hand.token, wanted=[wanted]))
        return answer.known.get(grant.job, {})

    return look_up


@pytest.fixture
def tell(pipeline):
    def keep(grant, texts: dict[str, str], *, attempt: int = 0) -> int:
        made = Made(job=grant.job, attempt=attempt or grant.attempt, texts=texts)
        return pipeline.keep(Keep(made=[made])).count

    return keep


@pytest.fixture
def with_settings(pipeline):
    """The same manager under other settings."""

    def change(**values) -> None:
        settings = Settings(**{**pipeline.ports.settings.model_dump(), **values})
        pipeline.ports.settings = settings

    return change


def count(pipeline) -> int:
    return pipeline.ports.store.count_translations()


def test_what_one_job_made_is_known_to_the_next_of_its_owner(translating, ask, tell):
    first = translating()
    assert ask(first, ONE) == {}
    assert tell(first, {ONE: "你好。"}) == 1

    assert ask(translating(), ONE, TWO) == {ONE: "你好。"}


def test_nobody_learns_what_another_owner_had_translated(translating, ask, tell):
    tell(translating("a"), {ONE: "你好。"})
    other = translating("b")

    assert ask(other, ONE) == {}
    tell(other, {ONE: "您好。"})

    assert ask(other, ONE) == {ONE: "您好。"}
    assert ask(translating("a"), ONE) == {ONE: "你好。"}


def test_only_who_holds_the_lease_is_told(translating, ask, tell, hand):
    grant = translating()
    tell(grant, {ONE: "你好。"})

    assert ask(grant, ONE, token="x" * 32) == {}
    assert ask(grant, ONE, attempt=2) == {}
    assert ask(replace_job(grant, "no/such/job"), ONE) == {}
    assert ask(grant, ONE) == {ONE: "你好。"}
    hand.finish(grant)
    assert ask(grant, ONE) == {}


def replace_job(grant, name: str):
    return grant.model_copy(update={"job": name})


def test_a_word_of_what_was_made_may_come_twice_or_after_the_end(translating, ask, tell, hand):
    grant = translating()
    hand.finish(grant)

    assert tell(grant, {ONE: "你好。"}) == 1
    assert tell(grant, {ONE: "something else"}) == 1

    assert ask(translating(), ONE) == {ONE: "你好。"}


def test_what_no_attempt_of_a_translation_made_is_not_kept(
    pipeline, accept, hand, an_audio, translating, tell
):
    grant = translating()
    accept([an_audio], ["zh"])
    (prepare,) = hand.claim("prepare")

    assert tell(grant, {ONE: "x"}, attempt=2) == 0
    assert tell(prepare, {ONE: "x"}) == 0
    assert tell(replace_job(grant, "no/such/job"), {ONE: "x"}) == 0
    assert count(pipeline) == 0


def test_jobs_of_several_owners_ask_by_one_call(pipeline, accept, hand, a_text, tell):
    accept([a_text], ["zh"], owner="a")
    accept([a_text], ["zh"], owner="b")
    of_a, of_b = sorted(
        hand.claim(TRANSLATE, slots=2), key=lambda g: pipeline.ports.store.job(g.job).owner
    )
    tell(of_b, {ONE: "your"})
    wanted = [Wanted(job=g.job, attempt=1, digests=[ONE, TWO]) for g in (of_a, of_b)]

    known = pipeline.look_up(Lookup(token=hand.token, wanted=wanted)).known

    assert known == {of_a.job: {}, of_b.job: {ONE: "your"}}


def test_sentences_go_with_their_task(pipeline, translating, tell, monkeypatch):
    store, grant = pipeline.ports.store, translating()
    now = store.now
    tell(grant, {ONE: "你好。"})
    tell(translating(), {TWO: "stays"})
    pipeline.delete(grant.task)
    monkeypatch.setattr(store, "now", lambda: now() + PURGE_AGAIN_S)
    settle(pipeline.ports, grant.task)

    assert count(pipeline) == 1


def test_what_is_told_of_a_deleted_task_is_not_kept(pipeline, translating, tell):
    grant = translating()
    pipeline.delete(grant.task)
    tell(grant, {ONE: "你好。"})

    assert count(pipeline) == 0


def test_an_old_sentence_is_not_told_and_goes(pipeline, translating, ask, tell, monkeypatch):
    store = pipeline.ports.store
    now, keep_s = store.now, pipeline.ports.settings.keep_translations_s
    grant = translating()
    tell(grant, {ONE: "old"})
    monkeypatch.setattr(store, "now", lambda: now() + keep_s - 60)
    tell(grant, {TWO: "younger"})
    sweep_translations(pipeline.ports)
    assert ask(grant, ONE, TWO) == {ONE: "old", TWO: "younger"}

    monkeypatch.setattr(store, "now", lambda: now() + keep_s + 60)
    assert ask(grant, ONE, TWO) == {TWO: "younger"}
    sweep_translations(pipeline.ports)

    assert count(pipeline) == 1


def test_about_as_many_are_kept_as_the_setting_says(pipeline, translating, tell, with_settings):
    grant = translating()
    digests = [f"{n:064x}" for n in range(AT_ONCE + 20)]
    for first in range(0, len(digests), MOST_SENTENCES):
        tell(grant, dict.fromkeys(digests[first : first + MOST_SENTENCES], "x"))
    sweep_translations(pipeline.ports)
    assert count(pipeline) == len(digests)

    with_settings(max_translations=7)
    sweep_translations(pipeline.ports)

    assert count(pipeline) == 7


def test_where_nothing_is_to_be_remembered_the_worker_is_told_to_rest(
    pipeline, translating, tell, hand, with_settings
):
    grant = translating()
    tell(grant, {ONE: "x"})
    with_settings(keep_translations_s=0)
    wanted = Wanted(job=grant.job, attempt=1, digests=[ONE])
    made = Made(job=grant.job, attempt=1, texts={TWO: "y"})

    assert pipeline.look_up(Lookup(token=hand.token, wanted=[wanted])).model_dump() == {
        "known": {},
        "rest_s": REST_S,
    }
    assert pipeline.keep(Keep(made=[made])).model_dump() == {"count": 0, "rest_s": REST_S}

    sweep_translations(pipeline.ports)
    assert count(pipeline) == 0


def test_the_share_of_known_sentences_is_counted(pipeline, translating, ask, tell):
    grant = translating()
    tell(grant, {ONE: "x"})
    ask(grant, ONE, TWO)
    ask(grant, ONE)

    name, registry = "fanscribe_sentences_recalled_total", pipeline.ports.meter.registry
    assert registry.get_sample_value(name, {"outcome": "known"}) == 2
    assert registry.get_sample_value(name, {"outcome": "unknown"}) == 1


def test_a_job_that_remembered_says_nothing_of_its_nodes_speed(pipeline, hand, accept):
    text = ItemSpec(text_id="1", text="Hello. " * 100, language="en")
    for recalled in (1, 0):
        accept([text], ["zh"])
        (grant,) = hand.claim(TRANSLATE)
        result = hand.result(grant).model_copy(update={"recalled": recalled})
        hand.finish(grant, result=result, seconds=1.0)
        speed = pipeline.ports.speeds.of(pipeline.ports.store, "node-1", TRANSLATE)
        assert (speed is None) == bool(recalled)


@pytest.mark.parametrize(
    "texts",
    [
        {"not a digest": "x"},
        {ONE: ""},
        {ONE: "x" * (LONGEST + 1)},
        {f"{n:064x}": "x" for n in range(MOST_SENTENCES + 1)},
    ],
)
def test_what_is_too_much_or_no_translation_is_refused(texts):
    with pytest.raises(ValidationError):
        Keep(made=[Made(job="j", attempt=1, texts=texts)])


def test_more_than_a_call_may_ask_is_refused():
    half = [f"{n:064x}" for n in range(MOST_SENTENCES // 2 + 1)]
    wanted = [Wanted(job=job, attempt=1, digests=half) for job in ("a", "b")]

    assert Lookup(token="t", wanted=wanted[:1])
    with pytest.raises(ValidationError, match="at most 256"):
        Lookup(token="t", wanted=wanted)
