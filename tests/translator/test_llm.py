"""The llm engine from the catalog to the result: what it asks, keeps, counts, and when it stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import fake_chat as fake
import pytest
from driving import translate
from fake_chat import FakeChat
from hypothesis import given
from hypothesis import strategies as st

from services.model.chat import ChatService, Usage, total
from services.model.errors import FailureClass, Invalid, JobFailed, LeaseLost
from services.model.stages import Place, TranslateSpec
from services.model.transcript import Transcript
from services.models_folder import is_here, load_catalog
from services.settings import Settings, WrongSettings
from translator_worker.engines.llm import ChatEngine, Watch
from translator_worker.engines.llm_requests import Line, Request, packed, tokens_of
from translator_worker.engines.suspicions import crossed, is_unchanged

TEXT = "One is here. Two is there.\n\nThree is gone."
IDLE = Watch(lambda: None, lambda _: None, lambda _: None)


@pytest.fixture
def fake_chat() -> Iterator[FakeChat]:
    service = FakeChat()
    yield service
    service.close()


@pytest.fixture
def chat_model(settings_are, tmp_path, fake_chat):
    """A catalog whose model `chat` is the fake service; more lines of its table may be given."""

    def make(more: str = "", **settings: object) -> None:
        catalog = tmp_path / "catalog.toml"
        catalog.write_text(
            '[[model]]\nname = "chat"\nkind = "translate"\nengine = "llm"\n'
            'languages = ["en", "de", "ja"]\n\n[model.chat]\n'
            f'url = "{fake_chat.url}"\nmodel = "some-model"\nkey = "fake"\n{more}'
        )
        settings_are(
            catalog_file=catalog, llm_keys="other=x, fake=top=secret", retry_scale=0.001, **settings
        )

    return make


def spec_of(text: str = TEXT, target: str = "de") -> TranslateSpec:
    place = Place(key="outputs/x", url="file:///nowhere")
    return TranslateSpec(
        model="chat", source_language="en", target_language=target, text=text,
        output=place, output_text=place,
    )  # fmt: skip


def engine_for(service: FakeChat, **more: object) -> ChatEngine:
    return ChatEngine("chat", ChatService(url=service.url, model="m", **more), "", pause_s=0.001)


# ── the stage ────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_translated_by_the_service_that_the_catalog_names(
    chat_model, fake_chat, work_of
) -> None:
    chat_model("price_in = 2.0\nprice_out = 10.0\n")
    spec = spec_of()
    work = work_of(spec)
    result = translate(spec, work)
    made = Transcript.model_validate_json(result.transcript.inline)
    assert made.text == "<de> One is here. <de> Two is there.\n<de> Three is gone."
    assert fake_chat.paths == ["/v1/chat/completions"]
    assert fake_chat.keys == ["Bearer top=secret"]
    assert fake_chat.bodies[0]["model"] == "some-model"
    assert work.paid == [Usage(requests=1, input_tokens=100, output_tokens=10, cost=3e-4)]


def test_lines_that_are_all_remembered_are_not_paid_for_again(
    chat_model, fake_chat, work_of
) -> None:
    chat_model()
    first, second = work_of(spec_of()), work_of(spec_of())
    translate(spec_of(), first)
    second.memory = first.memory

    result = translate(spec_of(), second)

    assert result.recalled == 3
    assert result.text.inline == "<de> One is here. <de> Two is there.\n<de> Three is gone."
    assert (len(fake_chat.paths), second.paid) == (1, [])
    edited = spec_of(TEXT + " Four.")
    assert translate(edited, second).recalled == 0
    assert len(fake_chat.paths) == 2


def test_a_node_without_the_key_says_which_setting_is_missing(
    chat_model, settings_are, work_of
) -> None:
    chat_model()
    settings_are(llm_keys="other=x")
    spec = spec_of()
    with pytest.raises(JobFailed, match="FANSCRIBE_LLM_KEYS") as failed:
        translate(spec, work_of(spec))
    assert failed.value.failure_class is FailureClass.PERMANENT
    assert failed.value.code == "llm_key_missing"


def test_only_a_node_that_has_the_key_serves_the_model(chat_model, tmp_path) -> None:
    chat_model()
    file = {"catalog_file": tmp_path / "catalog.toml"}
    entry = load_catalog(Settings(**file)).entry("chat")
    assert entry is not None
    assert entry.memory_mb == 0
    assert is_here(entry, Settings(**file, llm_keys="fake=1"))
    assert not is_here(entry, Settings(**file, llm_keys="other=1"))


def test_keys_that_cannot_be_read_are_refused_without_being_shown() -> None:
    with pytest.raises(WrongSettings, match="name=key") as refused:
        _ = Settings(llm_keys="sk-123").chat_keys
    assert "sk-123" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("answers = 'yaml'\n", "chat.answers"),
        ("parallel = 0\n", "chat.parallel"),
        ("temperature = 1\n", "chat.temperature"),
        ("body = {model = 'x'}\n", "written by Fanscribe itself"),
    ],
)
def test_a_wrong_description_is_refused_when_it_is_read(chat_model, tmp_path, more, reason) -> None:
    chat_model(more)
    with pytest.raises(Invalid, match=reason) as refused:
        load_catalog(Settings(catalog_file=tmp_path / "catalog.toml"))
    assert refused.value.code == "bad_catalog_file"


@pytest.mark.parametrize("url", ["ftp://x/v1", "localhost:8000/v1", "http://", "http://u@h/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        ChatService(url=url, model="m")


# ── what is asked ────────────────────────────────────────────────────────────────────────────


def test_neighbouring_lines_are_shown_and_not_translated(fake_chat) -> None:
    engine = engine_for(fake_chat, max_lines=2, context=1, parallel=1)
    texts = [f"Line number {n} is here." for n in range(5)]
    made = engine.translate(texts, "en", "de", IDLE)
    assert [each.text for each in made] == [f"<de> {text}" for text in texts]
    assert [[line["text"] for line in lines] for lines in fake_chat.asked] == [
        texts[:2], texts[2:4], texts[4:],
    ]  # fmt: skip
    asked = fake_chat.bodies[1]["messages"][1]["content"]
    assert asked.startswith('{"before": ["Line number 1 is here."]')
    assert asked.endswith('"after": ["Line number 4 is here."]}')


@pytest.mark.parametrize(
    ("answers", "form"), [("json_schema", "json_schema"), ("json_object", "json_object")]
)
def test_the_answer_is_asked_for_in_the_form_that_the_service_knows(
    fake_chat, answers: str, form: str
) -> None:
    engine = engine_for(fake_chat, answers=answers, body={"top_p": 0.5}, instructions="Be polite.")
    engine.translate(["One."], "en", "de", IDLE)
    body = fake_chat.bodies[0]
    assert (body["response_format"]["type"], body["top_p"]) == (form, 0.5)
    assert body["messages"][0]["content"].endswith("\nBe polite.")


def test_a_service_without_forms_is_asked_by_the_prompt_alone(fake_chat) -> None:
    engine_for(fake_chat, answers="text").translate(["One."], "en", "de", IDLE)
    assert "response_format" not in fake_chat.bodies[0]


def test_lines_that_are_there_are_not_asked_for_again(fake_chat) -> None:
    fake_chat.tricks = [fake.entries(lambda made: made[:3] + made[4:])]
    texts = [f"Line number {n} is here." for n in range(6)]
    engine_for(fake_chat).translate(texts, "en", "de", IDLE)
    assert [[line["text"] for line in lines] for lines in fake_chat.asked] == [texts, [texts[3]]]


def test_a_line_that_is_cut_by_itself_is_translated_in_halves(fake_chat) -> None:
    fake_chat.always = fake.if_any("coffee, and", fake.said("", "length"))
    made = engine_for(fake_chat).translate(
        ["We had some coffee, and then we left."], "en", "de", IDLE
    )
    assert made[0].text == "<de> We had some coffee, <de> and then we left."


def test_a_line_over_the_budget_goes_out_in_pieces(fake_chat) -> None:
    made = engine_for(fake_chat, max_tokens=50).translate(["word " * 100], "en", "de", IDLE)
    assert made[0].text.count("word") == 100
    assert all(tokens_of(line["text"]) <= 50 for lines in fake_chat.asked for line in lines)


def test_a_name_that_stays_as_it_is_is_kept_and_flagged(fake_chat) -> None:
    fake_chat.always = fake.echo
    made = engine_for(fake_chat).translate(["New York"], "en", "ja", IDLE)
    assert (made[0].text, made[0].flags) == ("New York", ["untranslated"])


def test_a_translation_of_an_odd_length_is_flagged(fake_chat) -> None:
    fake_chat.always = fake.entries(lambda made: [{**each, "text": "Ja."} for each in made])
    text = "This is a long line of many words, and nobody knows its end."
    made = engine_for(fake_chat).translate([text], "en", "de", IDLE)
    assert made[0].flags == ["length_ratio"]


# ── what it takes, and when it stops ─────────────────────────────────────────────────────────


def test_usage_is_summed_over_all_requests_and_estimated_where_it_is_not_told(fake_chat) -> None:
    untold = b'{"choices": [{"message": {"content": "no"}, "finish_reason": "stop"}]}'
    fake_chat.tricks = [fake.raw(untold)]
    paid: list[Usage] = []
    watch = Watch(lambda: None, lambda _: None, paid.append)
    engine_for(fake_chat).translate(["One is here."], "en", "de", watch)
    used = total(paid)
    assert (used.requests, used.output_tokens, used.cost) == (2, 11, None)
    assert used.estimated
    assert used.input_tokens > 100


def test_no_more_requests_are_under_way_than_the_catalog_allows(fake_chat) -> None:
    both = threading.Barrier(2)

    def wait_for_the_other(handler, lines) -> None:
        both.wait(20)
        fake.right(handler, lines)

    fake_chat.always = wait_for_the_other
    engine = engine_for(fake_chat, parallel=2, max_lines=1)
    engine.translate([f"Line number {n} is here." for n in range(8)], "en", "de", IDLE)
    assert fake_chat.most_at_once == 2


def test_a_cancel_ends_the_wait_for_an_answer(fake_chat) -> None:
    fake_chat.always = fake.hang

    def check() -> None:
        if fake_chat.asked:
            raise LeaseLost("cancelled")

    watch = Watch(check, lambda _: None, lambda _: None)
    with pytest.raises(LeaseLost):
        engine_for(fake_chat).translate(["One is here."], "en", "de", watch)
    assert len(fake_chat.asked) == 1


def test_progress_is_told_as_answers_come(fake_chat) -> None:
    told: list[float] = []
    engine = engine_for(fake_chat, max_lines=1, parallel=1)
    engine.translate(
        ["One is here."] * 3, "en", "de", Watch(lambda: None, told.append, lambda _: None)
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


# ── pure rules ───────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.text(max_size=300), max_size=60), st.integers(50, 500), st.integers(1, 20))
def test_packing_keeps_every_line_in_order_and_within_the_budget(texts, tokens, most) -> None:
    lines = [Line(number, text) for number, text in enumerate(texts)]
    batches = packed(lines, tokens, most)
    assert [line for batch in batches for line in batch] == lines
    for batch in batches:
        assert 0 < len(batch) <= most
        assert len(batch) == 1 or sum(tokens_of(line.text) for line in batch) <= tokens


def test_ids_are_unlike_and_do_not_count_up() -> None:
    request = Request([Line(n, "x") for n in range(500)], [], [], "en", "de")
    ids = list(request.by_id)
    assert len(set(ids)) == 500
    assert ids != sorted(ids)


@pytest.mark.parametrize(
    ("pairs", "wrong"),
    [
        ([("in 1999", "1999"), ("page 73", "73")], set()),
        ([("in 1999", "73"), ("page 73", "1999")], {0, 1}),
        ([("in 1999", "x"), ("hello", "1999")], {0, 1}),
        ([("in 1999", "nineteen"), ("hello", "hallo")], set()),
        ([("7 and 8", "8"), ("8", "7 and")], set()),
    ],
)
def test_numbers_tell_which_lines_stand_in_each_others_place(pairs, wrong) -> None:
    assert crossed(dict(enumerate(pairs))) == wrong


@pytest.mark.parametrize(
    ("text", "source", "target", "wrong"),
    [
        ("Hello everyone", "en", "ja", True),
        ("Hello everyone", "ja", "en", False),
        ("こんにちは", "ja", "en", True),
        ("東京", "ja", "zh", False),
        ("Hello everyone", "en", "de", True),
        ("Hello", "en", "de", False),
        ("12:30", "en", "ja", False),
        ("Привет", "ru", "en", True),
    ],
)
def test_what_came_back_as_it_was_is_judged_by_its_script(text, source, target, wrong) -> None:
    assert is_unchanged(text, text, source, target) is wrong
