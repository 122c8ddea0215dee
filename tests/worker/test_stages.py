"""The whisper worker's stages: real decoder, real voice detection, the stub's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from in_test_manager import InTestManager

from demo import speech
from services import settings
from services.model.decoding import Decoding
from services.model.differences import Differences
from services.model.errors import FailureClass, JobFailed
from services.model.stages import (
    AssembleSpec,
    DetectSpec,
    PartPlan,
    Place,
    PrepareSpec,
    TranscribeSpec,
)
from services.model.transcript import Body, Segment, Transcript
from services.storage.local import LocalStore
from services.worker.work import Attempt
from whisper_worker import tasks
from whisper_worker.tasks import STAGES

S = 16_000
SENTENCE = "The meeting starts at nine in the morning."
MakeWork = Callable[..., Attempt]


@pytest.fixture(scope="module", autouse=True)
def ended_decoder() -> Iterator[None]:
    """The stages keep one decoder child for the life of their process."""
    yield
    tasks._decoder().close()


@pytest.fixture(autouse=True)
def stub_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FANSCRIBE_STUB_MODELS", "true")
    monkeypatch.setenv("FANSCRIBE_DATA_DIR", str(tmp_path / "data"))
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@pytest.fixture
def put_audio(local_store: LocalStore, tmp_path: Path) -> Callable[..., Place]:
    def put(samples: np.ndarray, suffix: str = ".mp3") -> Place:
        path = tmp_path / f"made{suffix}"
        speech.write_audio(path, samples)
        info = local_store.put("tasks/task1/audio/0", [path.read_bytes()])
        url = local_store.url_to_get(info.key, 60)
        return Place(key=info.key, url=url, size=info.size, sha256=info.sha256)

    return put


def test_preparing_finds_who_speaks_when(
    make_work: MakeWork,
    make_prepare: Callable[..., PrepareSpec],
    put_audio: Callable[..., Place],
    local_store: LocalStore,
    spoken: np.ndarray,
    manager: InTestManager,
) -> None:
    spec = make_prepare(put_audio(spoken))
    result = STAGES["prepare"](spec, make_work(spec))
    assert result.seconds == pytest.approx(len(spoken) / S, abs=0.1)
    assert (result.format, result.coverage, result.warnings) == ("mp3", 1.0, [])
    assert local_store.head(result.pcm.key).size == result.pcm.size == round(result.seconds * 2 * S)
    [part] = result.parts
    assert (part.start, part.end) == (0, round(result.seconds * S))
    (a, b), (c, d) = part.speech
    length = (len(spoken) / S - 7.0) / 2
    assert [a / S, b / S] == pytest.approx([2.0, 2.0 + length], abs=0.5)
    assert [c / S, d / S] == pytest.approx([5.0 + length, 5.0 + 2 * length], abs=0.5)
    assert manager.told


def test_preparing_cuts_long_audio_at_silence(
    make_work: MakeWork,
    make_prepare: Callable[..., PrepareSpec],
    put_audio: Callable[..., Place],
    spoken: np.ndarray,
) -> None:
    spec = make_prepare(put_audio(spoken), part_seconds=8.0)
    first, second = STAGES["prepare"](spec, make_work(spec)).parts
    assert first.end == second.start
    assert len(first.speech) == len(second.speech) == 1


def test_silence_and_noise_have_no_parts(
    make_work: MakeWork, make_prepare: Callable[..., PrepareSpec], put_audio: Callable[..., Place]
) -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, 6 * S).astype(np.float32)
    for samples in (np.zeros(6 * S, np.float32), noise):
        spec = make_prepare(put_audio(samples, ".flac"))
        assert STAGES["prepare"](spec, make_work(spec)).parts == []


def test_silence_in_place_of_a_text_is_as_far_from_it_as_can_be(
    make_work: MakeWork, make_prepare: Callable[..., PrepareSpec], put_audio: Callable[..., Place]
) -> None:
    audio = put_audio(np.zeros(6 * S, np.float32), ".wav")
    spec = make_prepare(audio, reference="今天天气。", language="zh")
    check = STAGES["prepare"](spec, make_work(spec)).check
    assert (check.rate, check.decides, check.characters.deletions) == (1.0, "characters", 4)


def test_without_voice_detection_all_is_speech(
    make_work: MakeWork, make_prepare: Callable[..., PrepareSpec], put_audio: Callable[..., Place]
) -> None:
    spec = make_prepare(put_audio(np.zeros(6 * S, np.float32), ".wav"), vad=False)
    [part] = STAGES["prepare"](spec, make_work(spec)).parts
    assert part.speech == [(0, 6 * S)]


def test_a_file_that_is_no_media_fails_for_good(
    make_work: MakeWork, make_prepare: Callable[..., PrepareSpec], local_store: LocalStore
) -> None:
    local_store.put("a", [b"no sound at all"])
    spec = make_prepare(Place(key="a", url=local_store.url_to_get("a", 60)))
    with pytest.raises(JobFailed) as failed:
        STAGES["prepare"](spec, make_work(spec))
    assert (failed.value.failure_class, failed.value.code) == (FailureClass.PERMANENT, "bad_media")


def test_words_get_the_times_of_the_recording(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec], manager: InTestManager
) -> None:
    spec = make_transcribe(word_timestamps=True)
    result = STAGES["transcribe"](spec, make_work(spec))
    transcript = Transcript.model_validate_json(result.transcript.inline)
    assert [(s.id, s.start, s.end) for s in transcript.segments] == [(0, 10, 14), (1, 20, 24)]
    assert (result.language, result.segments, result.runs) == ("en", 2, [(0, 2)])
    assert transcript.text == result.text.inline == " ".join(s.text for s in transcript.segments)
    assert transcript.duration == 30.0
    first = transcript.segments[0].words
    assert first is not None
    assert (first[0].start, first[-1].end) == (10.0, 14.0)
    heard = [segment.id for told in manager.told for segment in told.segments]
    assert heard == [0, 1]
    assert manager.told[0].language == "en"


def test_a_part_that_starts_late_keeps_the_times_of_the_recording(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec]
) -> None:
    part = PartPlan(start=18 * S, end=30 * S, speech=[(20 * S, 24 * S)])
    spec = make_transcribe(part=part, language="de")
    result = STAGES["transcribe"](spec, make_work(spec))
    [segment] = Transcript.model_validate_json(result.transcript.inline).segments
    assert (segment.start, segment.end) == (20.0, 24.0)
    assert result.language == "de"


def test_a_part_without_speech_says_so_and_invents_nothing(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec]
) -> None:
    spec = make_transcribe(part=PartPlan(start=0, end=S, speech=[]))
    result = STAGES["transcribe"](spec, make_work(spec))
    assert (result.no_speech, result.text.inline, result.segments) == (True, "", 0)


def test_what_was_heard_is_checked_against_the_reference(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec]
) -> None:
    spec = make_transcribe()
    heard = STAGES["transcribe"](spec, make_work(spec)).text.inline
    spec = make_transcribe(reference=heard.upper())
    assert STAGES["transcribe"](spec, make_work(spec)).check.rate == 0.0
    spec = make_transcribe(reference="something else", parts=2)
    assert STAGES["transcribe"](spec, make_work(spec)).check is None


def test_the_places_that_differ_come_with_the_check(
    make_work: MakeWork,
    make_transcribe: Callable[..., TranscribeSpec],
    output_place: Callable[[str], Place],
) -> None:
    spec = make_transcribe()
    heard = STAGES["transcribe"](spec, make_work(spec)).text.inline
    place = output_place("tasks/task1/differences.json")
    spec = make_transcribe(reference=f"Now: {heard}", output_differences=place)
    result = STAGES["transcribe"](spec, make_work(spec))
    told = Differences.model_validate_json(result.differences.inline)
    assert [(each.op, each.expected) for each in told.places] == [("deletion", "Now")]
    assert result.check.differences == told.count == 1


@pytest.mark.parametrize("stated", [None, "de"])
def test_what_is_written_in_english_says_which_language_was_spoken(
    make_work: MakeWork,
    make_transcribe: Callable[..., TranscribeSpec],
    stated: str | None,
) -> None:
    english = Decoding(task="translate")
    spec = make_transcribe(language=stated, among=["de"], decoding=english)
    result = STAGES["transcribe"](spec, make_work(spec))
    assert (result.language, result.spoken) == ("en", "de")
    plain = make_transcribe(language=stated, among=["de"])
    heard = STAGES["transcribe"](plain, make_work(plain))
    assert (heard.language, heard.spoken) == ("de", None)


def test_a_missing_model_wants_another_node(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec]
) -> None:
    spec = make_transcribe(model="large-v3")
    with pytest.raises(JobFailed) as failed:
        STAGES["transcribe"](spec, make_work(spec))
    assert failed.value.failure_class is FailureClass.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("label", "error"),
    [("fail-permanent", JobFailed), ("fail-network", JobFailed), ("fail-memory", MemoryError)],
)
def test_the_stub_fails_as_it_is_told(
    make_work: MakeWork,
    make_transcribe: Callable[..., TranscribeSpec],
    label: str,
    error: type[Exception],
) -> None:
    spec = make_transcribe()
    with pytest.raises(error):
        STAGES["transcribe"](spec, make_work(spec, text_id=label))


def test_the_language_of_a_long_item_is_asked_of_its_first_parts(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec]
) -> None:
    heard = make_transcribe()
    spec = DetectSpec(pcm=heard.pcm, model="stub-whisper", windows=[heard.part, heard.part])
    result = STAGES["detect"](spec, make_work(spec))
    assert (result.language, result.probability) == ("en", 1.0)


def part_of(*texts: str, first: float, **more: object) -> Body:
    segments = [
        Segment(id=i, start=first + i, end=first + i + 1, text=text) for i, text in enumerate(texts)
    ]
    text = " ".join(texts)
    fields = {"language": "en", "text": text, "segments": segments, "duration": first + len(texts)}
    transcript = Transcript.model_validate({**fields, **more})
    return Body(inline=transcript.model_dump_json())


@pytest.mark.parametrize("kind", ["transcript", "translation"])
def test_parts_are_joined_in_order_and_numbered_anew(
    make_work: MakeWork, output_place: Callable[[str], Place], local_store: LocalStore, kind: str
) -> None:
    second = part_of("Three.", first=5.0)
    local_store.put("second", [(second.inline or "").encode()])
    spec = AssembleSpec(
        kind=kind,
        language="en",
        parts=[part_of("One.", "Two.", first=0.0), Body(key="second")],
        urls={"second": local_store.url_to_get("second", 60)},
        reference="one two three",
        output=output_place("tasks/task1/whole.json"),
        output_text=output_place("tasks/task1/whole.txt"),
        output_differences=output_place("tasks/task1/differences.json"),
    )
    result = STAGES["assemble"](spec, make_work(spec))
    whole = Transcript.model_validate_json(result.transcript.inline)
    assert [(s.id, s.start, s.text) for s in whole.segments] == [
        (0, 0.0, "One."),
        (1, 1.0, "Two."),
        (2, 5.0, "Three."),
    ]
    assert (whole.text, whole.duration) == ("One. Two. Three.", 6.0)
    heard = kind == "transcript"
    assert result.runs == ([(0, 3)] if heard else [])
    assert (result.check is not None) == heard
    assert (result.differences is not None) == heard


def test_terms_that_the_model_cannot_take_are_named_in_the_result(
    make_transcribe: Callable[..., TranscribeSpec], make_work: MakeWork
) -> None:
    spec = make_transcribe(keywords=["one", " ".join(["many"] * 223), "two"], among=["de", "zh"])
    result = STAGES["transcribe"](spec, make_work(spec))
    assert [each[:20] for each in result.warnings] == ["keyword_dropped: man"]
    assert result.language == "de"
