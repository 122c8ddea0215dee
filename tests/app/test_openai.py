"""OpenAI's audio API, asked by OpenAI's own client: every form, every option, every error."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import openai
import pytest
from asking import AUDIO, answered, sdk, tasks_of, waiting
from openai import AsyncOpenAI
from running_manager import PATIENCE_S, Manager

from services.model.errors import FailureClass

TEXT = "Heard talk."
SRT = "1\n00:00:00,500 --> 00:00:02,500\nHeard talk.\n"


def transcribed(manager: Manager, **options):
    with sdk(manager) as client:
        given = {"file": AUDIO, "model": "whisper-1", **options}
        return answered(manager, lambda: client.audio.transcriptions.create(**given))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", f"{TEXT}\n"),
        ("srt", SRT),
        ("vtt", "WEBVTT\n\n00:00:00.500 --> 00:00:02.500\nHeard talk.\n"),
    ],
)
def test_plain_forms_come_as_they_are(manager: Manager, form: str, expected: str) -> None:
    assert transcribed(manager, response_format=form) == expected


def test_the_short_form_has_the_text_and_what_it_would_cost(manager: Manager) -> None:
    found = transcribed(manager)
    assert found.text == TEXT
    assert (found.usage.type, found.usage.seconds) == ("duration", 3.0)
    assert [each.code for each in found.languages] == ["en"]


def test_the_long_form_has_language_duration_and_segments(manager: Manager) -> None:
    found = transcribed(manager, response_format="verbose_json")
    assert (found.language, found.duration, found.text) == ("english", 3.0, TEXT)
    (segment,) = found.segments
    assert (segment.id, segment.start, segment.end, segment.text) == (0, 0.5, 2.5, TEXT)
    assert (segment.seek, segment.tokens) == (50, [])
    assert found.words is None
    assert found.usage.seconds == 3.0


@pytest.mark.parametrize("both", [False, True])
def test_words_have_times_where_they_are_asked_for(manager: Manager, both: bool) -> None:
    wanted = ["word", "segment"] if both else ["word"]
    found = transcribed(manager, response_format="verbose_json", timestamp_granularities=wanted)
    assert [(each.word, each.start, each.end) for each in found.words] == [
        ("Heard", 0.5, 1.0),
        ("talk.", 1.5, 2.0),
    ]
    assert bool(found.segments) == both
    assert [each.probability for each in found.words] == [0.9, 0.9]


def test_the_async_client_is_answered_as_well(manager: Manager) -> None:
    async def ask() -> str:
        async with AsyncOpenAI(
            base_url=f"{manager.url}/v1", api_key="x", timeout=PATIENCE_S
        ) as client:
            found = await client.audio.transcriptions.create(file=AUDIO, model="stub-whisper")
            return found.text

    assert answered(manager, lambda: asyncio.run(ask())) == TEXT


def test_hints_reach_the_engine_and_what_it_could_not_take_is_told(manager: Manager) -> None:
    manager.driver.warnings = ["keyword_dropped: 文本"]
    with sdk(manager) as client:
        ask = client.audio.transcriptions.with_raw_response.create
        options = {
            "prompt": "Before.",
            "temperature": 0.3,
            "languages": ["de", "fr"],
            "keywords": ["Fanscribe", "文本"],
        }
        with waiting(lambda: ask(file=AUDIO, model="gpt-transcribe", **options)) as asked:
            token, grant = manager.driver.claim_stage("transcribe")
            manager.driver.finish(token, grant)
            answer = asked.result(PATIENCE_S)
    spec = grant.spec
    assert (spec.decoding.prompt, spec.decoding.temperature) == ("Before.", [0.3])
    assert (spec.keywords, spec.among) == (["Fanscribe", "文本"], ["de", "fr"])
    assert json.loads(answer.headers["x-fanscribe-warnings"]) == ["keyword_dropped: 文本"]
    assert answer.headers["x-fanscribe-model"] == "stub-whisper"
    (task,) = tasks_of(manager)
    assert answer.headers["x-fanscribe-task"] == task.id
    assert (task.priority, task.retention.results_s) == (0, 86_400.0)


@pytest.mark.parametrize("options", [{"language": "zh"}, {"languages": ["zh"]}])
def test_a_language_that_is_stated_is_not_guessed(manager: Manager, options) -> None:
    found = transcribed(manager, response_format="verbose_json", **options)
    assert found.language == "chinese"


@pytest.fixture
def listening_manager(start, tmp_path: Path) -> Manager:
    """One with a speech model more, which writes down what is said and no other language."""
    file = tmp_path / "catalog.toml"
    file.write_text(
        '[[model]]\nname = "listener"\nkind = "transcribe"\nengine = "stub"\ntranslates = false\n'
    )
    made = start(catalog_file=file)
    made.driver.speech_models = ["listener"]
    made.driver.register()
    return made


def translated(manager: Manager, model: str):
    """An answer with times, one without, and which languages it was translated into."""
    with sdk(manager) as client:
        ask = client.audio.translations.create
        form = "verbose_json"
        found = answered(manager, lambda: ask(file=AUDIO, model=model, response_format=form))
        plain = answered(manager, lambda: ask(file=AUDIO, model=model))
    task = tasks_of(manager)[0]
    return found, plain, [target.language for target in task.manifest.targets]


@pytest.mark.filterwarnings("ignore:deprecated")  # as OpenAI has it; its users still call it
@pytest.mark.parametrize("spoken", ["de", "en"])
def test_a_model_that_writes_english_translates_by_itself(manager: Manager, spoken: str) -> None:
    manager.driver.languages = {"talk": spoken}
    found, plain, targets = translated(manager, "whisper-1")
    assert (found.task, found.language, found.duration) == ("translate", "english", 3.0)
    assert found.segments[0].text == found.text == plain.text == TEXT
    assert targets == []


@pytest.mark.filterwarnings("ignore:deprecated")
@pytest.mark.parametrize(
    ("spoken", "text"), [("de", "[en] Heard talk."), ("en", TEXT)], ids=["german", "english"]
)
def test_what_another_model_hears_is_translated_by_a_translation_model(
    listening_manager: Manager, spoken: str, text: str
) -> None:
    listening_manager.driver.languages = {"talk": spoken}
    found, plain, targets = translated(listening_manager, "listener")
    assert (found.task, found.language, found.duration) == ("translate", "english", 3.0)
    assert found.segments[0].text == found.text == plain.text == text
    assert targets == ["en"]


# ── streams ──────────────────────────────────────────────────────────────────────────────────


def test_a_stream_tells_the_words_as_they_are_heard(manager: Manager) -> None:
    manager.driver.texts = {("en", "talk"): "One. Two. Three."}
    events = []

    def follow() -> None:
        with sdk(manager) as client:
            ask = client.audio.transcriptions.create
            events.extend(ask(file=AUDIO, model="gpt-4o-transcribe", stream=True))

    with waiting(follow) as asked:
        token, grant = manager.driver.claim_stage("transcribe")
        manager.driver.tell(token, grant, 1, ["One."])
        manager.driver.tell(token, grant, 2, ["Two."])
        manager.driver.finish(token, grant)
        asked.result(PATIENCE_S)
    *deltas, done = events
    assert {each.type for each in deltas} == {"transcript.text.delta"}
    assert "".join(each.delta for each in deltas) == done.text == "One. Two. Three."
    assert done.type == "transcript.text.done"


def test_a_stream_that_fails_says_so_at_its_end(manager: Manager) -> None:
    manager.driver.unreadable = {"talk"}
    with sdk(manager) as client:
        ask = client.audio.transcriptions.create
        with pytest.raises(openai.APIError) as failed:
            answered(manager, lambda: list(ask(file=AUDIO, model="stub-whisper", stream=True)))
    assert failed.value.code == "bad_media"


def test_whisper_1_ignores_stream_as_its_contract_says(manager: Manager) -> None:
    answer = answered(
        manager,
        lambda: manager.api.post(
            "/v1/audio/transcriptions",
            files={"file": AUDIO},
            data={"model": "whisper-1", "stream": "true"},
        ),
    )
    assert answer.json()["text"] == TEXT
    (warning,) = json.loads(answer.headers["x-fanscribe-warnings"])
    assert warning.startswith("stream_ignored")


# ── errors ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "kind", "code", "param"),
    [
        ({"model": "no-such"}, openai.NotFoundError, "model_not_found", "model"),
        ({"model": ""}, openai.NotFoundError, "model_not_found", "model"),
        ({"language": "klingon"}, openai.BadRequestError, "unknown_language", "language"),
        ({"temperature": 2}, openai.BadRequestError, "out_of_range", "temperature"),
        ({"temperature": "x"}, openai.BadRequestError, "invalid", "temperature"),
        (
            {"response_format": "diarized_json"},
            openai.BadRequestError,
            "not_one_of",
            "response_format",
        ),
        (
            {"timestamp_granularities": ["word"]},
            openai.BadRequestError,
            "needs_verbose_json",
            "timestamp_granularities",
        ),
        (
            {"stream": True, "response_format": "srt", "model": "stub-whisper"},
            openai.BadRequestError,
            "cannot_stream",
            "response_format",
        ),
        ({"include": ["logprobs"]}, openai.BadRequestError, "unsupported_parameter", "include"),
        (
            {"chunking_strategy": {"type": "server_vad"}},
            openai.BadRequestError,
            "unsupported_parameter",
            "chunking_strategy",
        ),
        ({"extra_body": {"hot": "x"}}, openai.BadRequestError, "unknown_field", "hot"),
        ({"keywords": ["a", ""]}, openai.BadRequestError, "too_short", "keywords.1"),
        ({"file": ("a.wav", b"")}, openai.BadRequestError, "empty_file", "file"),
    ],
)
def test_what_is_wrong_with_a_request_is_the_error_that_users_catch(
    shared: Manager, options, kind, code: str, param: str
) -> None:
    given = {"file": AUDIO, "model": "whisper-1", **options}
    with sdk(shared) as client, pytest.raises(kind) as refused:
        client.audio.transcriptions.create(**given)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert refused.value.type == "invalid_request_error"
    assert set(refused.value.body) == {"message", "type", "param", "code"}


def test_a_request_that_is_refused_leaves_neither_task_nor_file(manager: Manager) -> None:
    with sdk(manager) as client, pytest.raises(openai.BadRequestError):
        client.audio.transcriptions.create(file=AUDIO, model="whisper-1", language="x")
    assert (tasks_of(manager), manager.objects()) == ([], set())


def test_a_wrong_key_is_an_authentication_error(start) -> None:
    manager = start(api_key="right", callback_secret="secret")
    with sdk(manager, api_key="wrong") as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.audio.transcriptions.create(file=AUDIO, model="whisper-1")
        assert refused.value.type == "authentication_error"
        with pytest.raises(openai.AuthenticationError):
            client.models.list()


def test_too_many_open_tasks_are_a_rate_limit(start, monkeypatch) -> None:
    monkeypatch.setattr("task_manager.fresh.FRESH_S", 0.0)
    manager = start(max_open_tasks=1)
    manager.create(items=[{"text": "Hello.", "language": "en"}], targets=["zh"])
    with sdk(manager) as client, pytest.raises(openai.RateLimitError) as refused:
        client.audio.transcriptions.create(file=AUDIO, model="whisper-1")
    assert (refused.value.type, refused.value.code) == ("rate_limit_error", "too_many_open_tasks")


def test_an_audio_that_cannot_be_read_is_a_bad_request(manager: Manager) -> None:
    manager.driver.unreadable = {"talk"}
    with pytest.raises(openai.BadRequestError) as refused:
        transcribed(manager)
    assert refused.value.code == "bad_media"


def test_work_that_fails_for_good_is_a_server_error_that_is_not_tried_again(
    start, monkeypatch
) -> None:
    manager = start(retry_scale=0.001)
    manager.driver.unreadable, manager.driver.failure = {"talk"}, FailureClass.INTERNAL
    with sdk(manager, max_retries=2) as client:
        ask = client.audio.transcriptions.create
        with pytest.raises(openai.InternalServerError) as refused:
            answered(manager, lambda: ask(file=AUDIO, model="whisper-1"))
    assert refused.value.type == "server_error"
    assert len(tasks_of(manager)) == 1


def test_a_form_without_a_file_or_no_form_is_refused(shared: Manager) -> None:
    url = "/v1/audio/transcriptions"
    form = shared.api.post(url, files={"model": (None, "whisper-1")})
    assert (form.status_code, form.json()["error"]["param"]) == (400, "file")
    plain = shared.api.post(url, json={"model": "whisper-1"})
    assert (plain.status_code, plain.json()["error"]["code"]) == (415, "unsupported_content_type")


# ── models ───────────────────────────────────────────────────────────────────────────────────


def test_models_are_listed_and_found_as_openai_does(shared: Manager) -> None:
    with sdk(shared) as client:
        names = [model.id for model in client.models.list()]
        assert names[0] == "stub-whisper"
        assert {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"} <= set(names)
        found = client.models.retrieve("whisper-1")
        assert (found.id, found.object, found.owned_by) == ("whisper-1", "model", "fanscribe")
        assert client.models.retrieve("large-v3").id == "large-v3"
        with pytest.raises(openai.NotFoundError) as refused:
            client.models.retrieve("no-such")
    assert refused.value.code == "model_not_found"
    known = shared.api.get("/v1/models/whisper-1").json()
    assert known["model"]["name"] == "stub-whisper"
