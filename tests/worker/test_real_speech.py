"""The demo model hears real speech through the stages: languages, times and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from fresh_voice import by_a_fresh_voice
from in_test_manager import InTestManager

from demo import speech
from demo.grammar import sentences
from demo.sample import expected_text
from services import settings
from services.chinese import written_in
from services.model.decoding import Decoding
from services.model.errors import JobFailed
from services.model.messages import Grant
from services.model.stages import DetectSpec, PrepareSpec, TranscribeResult, TranscribeSpec
from services.model.transcript import Transcript
from services.model.voiced import spread
from services.outbound import Objects
from services.storage.local import LocalStore
from services.worker.callbacks import Manager
from services.worker.leases import Lease
from services.worker.memory import Memory
from services.worker.work import Attempt
from whisper_worker import tasks
from whisper_worker.assembling import join
from whisper_worker.check import compare
from whisper_worker.tasks import STAGES

S = speech.SAMPLE_RATE
KNOWN = sentences(60, seed=21, held_out=True)


@pytest.fixture(scope="module", autouse=True)
def ended_decoder() -> Iterator[None]:
    yield
    tasks._decoder().close()


@pytest.fixture(autouse=True)
def demo_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FANSCRIBE_DEMO_MODELS", "true")
    monkeypatch.setenv("FANSCRIBE_DATA_DIR", str(tmp_path / "data"))
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@dataclass
class Ear:
    """Hears a recording as a task would: prepared, its language told, each part written down."""

    run: Callable[..., object]
    put: Callable[[np.ndarray], object]
    place: Callable[[str], object]

    def parts(
        self, audio: np.ndarray, *, part_seconds: float = 300.0, vad: bool = True, **options: object
    ) -> list[TranscribeResult]:
        prepared = self.run(
            PrepareSpec(
                audio=self.put(audio), pcm=self.place("pcm"), vad=vad, max_seconds=3600.0,
                part_seconds=part_seconds,
            )
        )  # fmt: skip
        pcm = self.place("pcm").model_copy(update={"size": prepared.pcm.size})
        told = {"language": None, "threshold": 0.5, **options}
        if told["language"] is None and len(prepared.parts) > 1:
            found = self.run(
                DetectSpec(pcm=pcm, model="whisper-demo", windows=spread(prepared.parts))
            )
            told |= {"language": found.language, "language_probability": found.probability}
        return [
            self.run(
                TranscribeSpec(
                    pcm=pcm, part=part, parts=len(prepared.parts), model="whisper-demo",
                    output=self.place(f"{number}.json"), output_text=self.place(f"{number}.txt"),
                    **told,
                )
            )
            for number, part in enumerate(prepared.parts)
        ]  # fmt: skip

    def hear(self, audio: np.ndarray, **more: object) -> Transcript:
        bodies = [result.transcript.inline or "" for result in self.parts(audio, **more)]
        found = [Transcript.model_validate_json(body) for body in bodies]
        return join(found, found[0].language) if len(found) > 1 else found[0]


@pytest.fixture
def ear(
    callbacks: Manager,
    make_grant: Callable[..., Grant],
    local_store: LocalStore,
    output_place: Callable[[str], object],
    tmp_path: Path,
) -> Iterator[Ear]:
    objects = Objects()

    def run(spec: object) -> object:
        lease = Lease(make_grant(spec, soft_s=3600.0, hard_s=3600.0, stuck_s=3600.0))
        lease.begin()
        return STAGES[spec.stage](
            spec, Attempt(lease, "t" * 16, tmp_path, callbacks, objects, memory=Memory(callbacks))
        )

    def put(audio: np.ndarray) -> object:
        path = tmp_path / "made.flac"
        speech.write_audio(path, audio)
        info = local_store.put("audio", [path.read_bytes()])
        place = output_place("audio")
        return place.model_copy(update={"size": info.size, "sha256": info.sha256})

    yield Ear(run, put, output_place)
    objects.close()


def said(language: str, chosen: slice, *, voice: int = 3) -> list[np.ndarray]:
    who = speech.voices(language, held_out=True)[voice]
    return by_a_fresh_voice(
        speech.speak, [(e.text(language), language, who) for e in KNOWN[chosen]]
    )


def spoken(language: str, chosen: slice, *, gap: float = 0.5) -> np.ndarray:
    clips = said(language, chosen)
    audio, _ = speech.join(clips, [gap] * (len(clips) + 1))
    return audio


def jingle(seconds: float) -> np.ndarray:
    """Chords that change twice a second."""
    moments = np.arange(round(seconds * S)) / S
    root = 220.0 * 2 ** (((moments * 2).astype(int) % 5) / 6)
    tones = sum(np.sin(2 * np.pi * root * ratio * moments) for ratio in (1.0, 1.25, 1.5, 2.0))
    return (0.08 * tones).astype(np.float32)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_recording_that_begins_with_silence_and_a_jingle_is_heard_in_its_language(
    ear: Ear, language: str
) -> None:
    talk = spoken(language, slice(0, 6))
    heard = ear.hear(np.concatenate([np.zeros(20 * S, np.float32), jingle(25.0), talk]))
    assert heard.language == language
    assert heard.language_probability > 0.5
    assert heard.text.endswith(expected_text(KNOWN[1:6], language))


def test_a_long_recording_is_told_from_windows_all_over_it(ear: Ear) -> None:
    talk = np.concatenate([spoken("zh", slice(0, 3)), spoken("en", slice(3, 40))])
    heard = ear.parts(talk, part_seconds=40.0)
    assert len(heard) > 2
    assert {result.language for result in heard} == {"en"}


def test_a_language_is_one_of_those_that_are_expected_and_a_poor_guess_is_told(ear: Ear) -> None:
    talk = spoken("en", slice(0, 2))
    [result] = ear.parts(talk, among=["zh"], threshold=0.5)
    assert result.language == "zh"
    assert result.language_probability < 0.5
    [warning] = result.warnings
    assert warning.startswith("language_unsure: zh (0.")
    with pytest.raises(JobFailed, match="state the language"):
        ear.parts(talk, among=["zh"], threshold=0.5, unsure="fail")
    [stated] = ear.parts(talk, language="en", threshold=1.0, unsure="fail")
    assert (stated.language_probability, stated.warnings) == (None, [])


def test_each_stretch_is_heard_in_its_own_language_if_that_is_asked_for(ear: Ear) -> None:
    clips = [*said("en", slice(0, 2)), *said("zh", slice(2, 4)), *said("en", slice(4, 5))]
    audio, _ = speech.join(clips, [0.3, 0.4, 1.5, 0.4, 1.5, 0.5])
    heard = ear.hear(audio, multilingual=True)
    meant = [*((each, "en") for each in KNOWN[:2]), *((each, "zh") for each in KNOWN[2:4])]
    meant.append((KNOWN[4], "en"))
    assert [(s.text, s.language) for s in heard.segments] == [
        (sentence.text(language), language) for sentence, language in meant
    ]
    assert heard.language == "en"
    chinese = expected_text(KNOWN[2:4], "zh")
    assert f" {chinese} " in heard.text
    alone = ear.hear(audio)
    assert {segment.language for segment in alone.segments} == {None}


def test_chinese_is_written_down_in_the_script_that_is_stated(ear: Ear) -> None:
    audio = spoken("zh", slice(6, 9))
    simplified = ear.hear(audio, language="zh", word_timestamps=True)
    heard = ear.hear(audio, language="zh-Hant", word_timestamps=True)
    assert simplified.text == expected_text(KNOWN[6:9], "zh")
    assert heard.text == written_in(simplified.text, "zh-Hant") != simplified.text
    assert (heard.language, {s.language for s in heard.segments}) == ("zh-Hant", {None})
    for segment, known in zip(heard.segments, simplified.segments, strict=True):
        assert "".join(word.text for word in segment.words).strip() == segment.text
        times = [[(word.start, word.end) for word in each.words] for each in (segment, known)]
        assert times[0] == times[1]


def test_chinese_between_other_languages_keeps_the_script_that_is_stated(ear: Ear) -> None:
    clips = [*said("zh", slice(2, 4)), *said("en", slice(0, 2))]
    audio, _ = speech.join(clips, [0.3, 0.4, 1.5, 0.4, 0.5])
    heard = ear.hear(audio, language="zh-Hant", multilingual=True)
    assert [segment.language for segment in heard.segments] == ["zh-Hant"] * 2 + ["en"] * 2
    assert heard.segments[0].text == written_in(KNOWN[2].text("zh"), "zh-Hant")
    expected = ear.hear(audio, among=["en", "zh-Hant"], multilingual=True)
    assert [segment.language for segment in expected.segments] == ["zh-Hant"] * 2 + ["en"] * 2


def test_words_lie_where_they_are_said_behind_silences_and_cuts(ear: Ear) -> None:
    """Whisper gives the gap before a sentence to its first word; all others begin where they are
    spoken, whatever silence was passed over before them."""
    who = speech.voices("en", held_out=True)[3]
    lines = [(each.text("en"), "en", who) for each in KNOWN[6:14]]
    clips = by_a_fresh_voice(speech.pronounce, lines)
    gaps = [5.0, 0.5, 9.0, 0.4, 3.0, 0.5, 12.0, 0.5, 2.0]
    audio, times = speech.join([clip.audio for clip in clips], gaps)
    for part_seconds in (300.0, 20.0):
        heard = ear.hear(audio, part_seconds=part_seconds, word_timestamps=True, recut=True)
        assert [s.text for s in heard.segments] == [each.text("en") for each in KNOWN[6:14]]
        for segment, clip, (start, end) in zip(heard.segments, clips, times, strict=True):
            first, *others = segment.words or []
            assert (segment.start, segment.end) == (first.start, others[-1].end)
            assert "".join(word.text for word in segment.words).strip() == segment.text
            begun = [start + word.start for word in clip.words]
            for word in others:
                assert min(abs(word.start - each) for each in begun) < 0.15
            assert start - 0.5 < first.start < start + 0.1
            assert first.end == pytest.approx(others[0].start, abs=0.1)
            assert begun[-1] - 0.15 < segment.end < end + 0.1
            assert segment.confidence > 0.5
            assert all(0.0 <= word.probability <= 1.0 for word in segment.words)


def test_sentences_need_no_word_times_and_are_told_whole_as_they_are_heard(
    ear: Ear, manager: InTestManager
) -> None:
    audio = spoken("zh", slice(6, 12))
    heard = ear.hear(audio, recut=True)
    assert [s.text for s in heard.segments] == [each.text("zh") for each in KNOWN[6:12]]
    assert {segment.words for segment in heard.segments} == {None}
    assert all(0.5 < segment.confidence <= 1.0 for segment in heard.segments)
    assert [segment for told in manager.told for segment in told.segments] == heard.segments
    fractions = [told.fraction for told in manager.told if told.segments]
    assert fractions == sorted(fractions)


def test_sentences_keep_the_other_readings_of_what_the_engine_heard(ear: Ear) -> None:
    audio = spoken("en", slice(0, 6))
    asked = {"language": "en", "word_timestamps": True, "decoding": Decoding(n_best=4)}
    loudness = (0.06, 0.07, 0.05, 0.08, 0.1, 0.12)  # processors differ in what they doubt
    for seed, loud in product(range(3), loudness):
        noise = np.random.default_rng(seed).normal(0, loud, len(audio)).astype(np.float32)
        whole = ear.hear(audio + noise, recut=False, **asked).segments
        heard = [
            (other.text, segment.start, segment.end)
            for segment in whole
            for other in segment.alternatives or []
        ]
        if heard:
            break
    assert heard
    cut = ear.hear(audio + noise, recut=True, **asked).segments
    told = [(segment, other) for segment in cut for other in segment.alternatives or []]
    assert [(other.text, other.start, other.end) for _, other in told] == heard
    assert all(segment.start <= other.start < segment.end for segment, other in told)


def test_a_talk_has_the_same_words_in_however_many_parts(ear: Ear) -> None:
    audio = spoken("en", slice(0, 40), gap=0.3)
    seconds = len(audio) / S
    heard, counts = {}, []
    for parts in (1, 2, 6):
        results = ear.parts(audio, part_seconds=seconds / parts + 10.0, language="en")
        counts.append(len(results))
        heard[parts] = " ".join(result.text.inline for result in results).split()
    assert counts[0] == 1 < counts[1] < counts[2]
    assert heard[2] == heard[1]
    assert heard[6] == heard[1]
    reference = expected_text(KNOWN[:40], "en")
    whole = Transcript(language="en", text=" ".join(heard[1]), segments=[])
    assert compare(reference, whole)[0].wer < 0.01
