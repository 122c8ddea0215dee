"""Sound that was heard before: what is taken over, and what makes it another sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from in_test_manager import InTestManager

from services import settings
from services.model.decoding import Decoding
from services.model.hotwords import Hotwords
from services.model.messages import Earlier
from services.model.stages import (
    DetectSpec,
    PartPlan,
    Place,
    TranscribeResult,
    TranscribeSpec,
)
from services.model.transcript import Body
from services.storage.local import LocalStore
from services.worker.work import Attempt
from whisper_worker import listening
from whisper_worker.engines import opening
from whisper_worker.reusing import digest
from whisper_worker.tasks import STAGES
from whisper_worker.timeline import RATE

MakeWork = Callable[..., Attempt]
MakeSpec = Callable[..., TranscribeSpec]
ON = "the model as it is"


@pytest.fixture
def demo_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FANSCRIBE_DEMO_MODELS", "true")
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on nothing can be heard."""

    def refuse(model: str) -> None:
        raise AssertionError(f"{model} was opened")

    return lambda: monkeypatch.setattr(listening, "open_engine", refuse)


@pytest.fixture
def heard(
    manager: InTestManager, make_work: MakeWork, make_transcribe: MakeSpec, demo_models: None
) -> tuple[TranscribeSpec, TranscribeResult]:
    """A part that was heard by the demo model; the manager knows of it."""
    spec = make_transcribe(model="whisper-demo", language="en")
    result = STAGES["transcribe"](spec, make_work(spec))
    assert result.digest is not None
    manager.earlier[result.digest] = Earlier(result=result)
    return spec.model_copy(update={"reuse": True}), result


def test_the_same_sound_is_not_heard_again(
    manager: InTestManager, make_work: MakeWork, heard, no_engine
) -> None:
    spec, first = heard
    no_engine()

    again = STAGES["transcribe"](spec, make_work(spec))

    assert (again.text, again.transcript, again.runs) == (first.text, first.transcript, first.runs)
    assert (again.reused, again.engine_seconds, again.digest) == (True, 0.0, first.digest)
    assert (first.reused, first.engine_seconds > 0) == (False, True)
    assert len(manager.looks_back) == 1
    assert manager.told[-1].fraction == 1.0


def test_the_language_that_was_spoken_is_taken_over_too(
    manager: InTestManager, make_work: MakeWork, heard, no_engine
) -> None:
    spec, first = heard
    manager.earlier[first.digest] = Earlier(result=first.model_copy(update={"spoken": "fr"}))
    no_engine()

    assert STAGES["transcribe"](spec, make_work(spec)).spoken == "fr"


def test_only_a_task_that_wants_it_looks_back(manager, make_work: MakeWork, heard) -> None:
    spec, first = heard
    unasked = spec.model_copy(update={"reuse": False})

    again = STAGES["transcribe"](unasked, make_work(unasked))

    assert (again.reused, again.digest, manager.looks_back) == (False, first.digest, [])


def test_what_it_is_held_against_is_held_against_anew(
    make_work: MakeWork, heard, no_engine
) -> None:
    spec, _ = heard
    no_engine()
    checked = spec.model_copy(update={"reference": "Something else."})

    result = STAGES["transcribe"](checked, make_work(checked))

    assert result.reused
    assert result.check is not None


def test_words_in_storage_are_read_and_kept_with_the_new_task(
    manager, make_work: MakeWork, heard, no_engine, local_store: LocalStore
) -> None:
    spec, first = heard
    info = local_store.put("tasks/older/t.json", [first.transcript.inline.encode()])
    body = Body(key=info.key, size=info.size, sha256=info.sha256)
    stored = first.model_copy(update={"transcript": body})
    url = local_store.url_to_get(info.key, 60)
    manager.earlier[first.digest] = Earlier(result=stored, url=url)
    no_engine()

    again = STAGES["transcribe"](spec, make_work(spec))

    assert again.transcript == first.transcript


def test_words_that_are_gone_are_heard_anew(
    manager, make_work: MakeWork, heard, local_store: LocalStore
) -> None:
    spec, first = heard
    gone = first.model_copy(update={"transcript": Body(key="tasks/older/gone", size=9)})
    url = local_store.url_to_get("tasks/older/gone", 60)
    manager.earlier[first.digest] = Earlier(result=gone, url=url)

    again = STAGES["transcribe"](spec, make_work(spec))

    assert (again.reused, again.transcript) == (False, first.transcript)


def test_a_manager_that_does_not_answer_has_everything_heard(
    manager, make_work: MakeWork, heard
) -> None:
    spec, first = heard
    manager.away = {"results/lookup"}

    again = STAGES["transcribe"](spec, make_work(spec))

    assert (again.reused, again.transcript) == (False, first.transcript)


def test_a_language_is_not_named_again(manager, make_work: MakeWork, heard, no_engine) -> None:
    window = PartPlan(start=0, end=30 * RATE, speech=[(10 * RATE, 14 * RATE)])
    spec = DetectSpec(pcm=heard[0].pcm, model="whisper-demo", windows=[window])
    first = STAGES["detect"](spec, make_work(spec))
    manager.earlier[first.digest] = Earlier(result=first)
    no_engine()
    asked = spec.model_copy(update={"reuse": True})

    again = STAGES["detect"](asked, make_work(asked))

    assert again == first.model_copy(update={"reused": True})


def test_a_stub_leaves_nothing_to_reuse(
    manager, make_work: MakeWork, make_transcribe: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANSCRIBE_STUB_MODELS", "true")
    settings.load.cache_clear()
    spec = make_transcribe(reuse=True)

    assert STAGES["transcribe"](spec, make_work(spec)).digest is None
    assert manager.looks_back == []
    settings.load.cache_clear()


# ── what it depends on ───────────────────────────────────────────────────────────────────────


def test_where_it_goes_and_what_it_is_held_against_do_not_matter(make_transcribe: MakeSpec) -> None:
    spec = make_transcribe()
    elsewhere = Place(key="elsewhere", url="file:///elsewhere")
    other = spec.model_copy(
        update={
            "pcm": spec.pcm.model_copy(update={"key": "another", "url": "file:///another"}),
            "output": elsewhere,
            "output_text": elsewhere,
            "output_differences": elsewhere,
            "reference": "A text.",
            "parts": 2,
            "reuse": True,
        }
    )

    assert digest(other, ON) == digest(spec, ON) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"pcm": Place(key="tasks/task1/pcm", url="", sha256="0" * 64)},
        {"part": PartPlan(start=0, end=30 * RATE, speech=[(10 * RATE, 15 * RATE)])},
        {"language": "de"},
        {"language_probability": 0.5},
        {"decoding": Decoding(beam_size=2)},
        {"decoding": Decoding(guards=[])},
        {"decoding": Decoding().safer()},
        {"word_timestamps": True},
        {"recut": True},
        {"keywords": ["Fanscribe"]},
        {"hotwords": Hotwords(method="prompt", terms=[])},
        {"among": ["en"]},
        {"threshold": 0.7},
        {"unsure": "fail"},
        {"multilingual": True},
        {"model": "another"},
    ],
)
def test_whatever_is_heard_otherwise_is_another_sound(make_transcribe: MakeSpec, other) -> None:
    spec = make_transcribe()

    assert digest(spec.model_copy(update=other), ON) != digest(spec, ON)


def test_another_model_hears_another_sound_and_an_unknown_one_none(
    make_transcribe: MakeSpec,
) -> None:
    spec = make_transcribe()
    unknown = spec.model_copy(update={"pcm": Place(key="k", url="")})

    assert digest(spec, "other files") != digest(spec, ON)
    assert (digest(spec, ""), digest(unknown, ON)) == (None, None)


def test_a_model_whose_files_have_changed_is_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_models: None
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.setattr(opening, "locate", lambda *_: folder)
    before = opening.depends_on("whisper-demo")

    (folder / "config.json").write_text("[]")

    assert before
    assert opening.depends_on("whisper-demo") not in {"", before}
