"""The sample task: each item has its truth, its audio and its voices, bundled or made anew."""

from pathlib import Path

import pytest
from faster_whisper import decode_audio

from demo import speech
from demo.grammar import LANGUAGES, is_held_out
from demo.sample import (
    BUNDLED,
    REFERENCES,
    SampleItem,
    expected_text,
    load_sample,
    make_sample,
    references,
)
from services.client.evaluating.corpus import read


def _kinds(items: list[SampleItem]) -> list[tuple[str, str, bool, bool]]:
    return [(item.text_id, item.language, bool(item.audio), bool(item.text)) for item in items]


def _check_truth(item: SampleItem) -> None:
    assert (item.audio is None) == (item.spoken is None)
    assert (item.text is None) == (item.reference is None)
    for language in LANGUAGES:
        for known in (item.spoken, item.reference):
            assert known is None or expected_text(known, language)
    if item.reference is not None:
        assert item.text == expected_text(item.reference, item.language)
    for sentence in [*(item.spoken or []), *(item.reference or [])]:
        assert is_held_out(sentence.text("en"))


def test_every_bundled_item_has_its_audio_and_its_truth_in_all_languages() -> None:
    items = load_sample()
    assert len({item.text_id for item in items}) == len(items) >= 6
    for item in items:
        _check_truth(item)
        assert item.audio is None or item.audio.stat().st_size < 150_000


def test_the_bundled_sample_holds_each_kind_of_item() -> None:
    items = load_sample()
    assert {item.language for item in items if item.audio} == {"en", "zh"}
    assert any(item.audio is None for item in items)
    assert any(item.audio and item.spoken == item.reference for item in items)
    assert any(item.audio and item.text and item.spoken != item.reference for item in items)
    lengths = [len(decode_audio(str(item.audio))) / 16000 for item in items if item.audio]
    assert max(lengths) > 60


def test_what_is_said_in_the_sample_lies_beside_it_for_evaluations() -> None:
    written = (BUNDLED / REFERENCES).read_text("utf-8")
    assert written == references(load_sample())
    corpus = read(BUNDLED, None)
    assert [sample.language for sample in corpus.samples] == ["en", "zh", "en", "zh", "en"]
    assert corpus.silent == []


def test_a_fresh_sample_has_the_same_shape_and_other_words(tmp_path: Path) -> None:
    fresh = make_sample(2, tmp_path)
    assert _kinds(fresh) == _kinds(load_sample())
    assert fresh == load_sample(tmp_path)
    for item, bundled in zip(fresh, load_sample(), strict=True):
        _check_truth(item)
        assert (item.spoken, item.reference) != (bundled.spoken, bundled.reference)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_voice_is_both_trained_on_and_held_out(language: str) -> None:
    trained, measured = (speech.voices(language, held_out=held_out) for held_out in (False, True))
    combinations = {(voice.name, voice.variant, voice.rate_wpm) for voice in trained}
    assert len(measured) >= 15
    assert not combinations & {(voice.name, voice.variant, voice.rate_wpm) for voice in measured}


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg"])
def test_written_audio_reads_back_at_its_length(tmp_path: Path, suffix: str) -> None:
    voice = speech.voices("en", held_out=True)[0]
    clip = speech.speak("The cat is sleeping under the bed.", "en", voice)
    audio, times = speech.join([clip, clip], [0.2, 0.5, 0.3])
    speech.write_audio(tmp_path / f"clip{suffix}", audio)
    read = decode_audio(str(tmp_path / f"clip{suffix}"))
    assert abs(len(read) - len(audio)) < 0.15 * speech.SAMPLE_RATE
    assert times[1][0] - times[0][1] == pytest.approx(0.5, abs=0.001)


def test_chinese_is_spoken_from_pinyin_with_tones() -> None:
    assert speech.spoken_form("老师喝茶。", "zh").startswith("lao3 shi1 he1 cha2")
