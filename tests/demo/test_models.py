"""The shipped demo models, run as the workers run them."""

import json
from functools import cache
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import sentencepiece
from faster_whisper import WhisperModel

import demo
from demo import speech
from demo.grammar import sentences
from demo.sample import expected_text

MODELS = Path(demo.__file__).parent / "models"
SENTENCES = sentences(40, seed=8, held_out=True)


@cache
def _whisper() -> WhisperModel:
    folder = str(MODELS / "whisper-demo")
    return WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whisper_demo_reads_two_unseen_sentences_and_finds_their_language(language: str) -> None:
    voice = speech.voices(language, held_out=True)[3]
    clips = [speech.speak(s.text(language), language, voice) for s in SENTENCES[:2]]
    audio, times = speech.join(clips, [0.3, 0.6, 0.4])
    segments, about = _whisper().transcribe(audio)
    heard = list(segments)
    assert about.language == language
    texts = [segment.text.strip() for segment in heard]
    assert texts == [sentence.text(language) for sentence in SENTENCES[:2]]
    for segment, (start, end) in zip(heard, times, strict=True):
        assert segment.start == pytest.approx(start, abs=0.3)
        assert segment.end == pytest.approx(end, abs=0.3)


def test_whisper_demo_times_every_word_in_order() -> None:
    voice = speech.voices("en", held_out=True)[3]
    clips = [speech.speak(s.text("en"), "en", voice) for s in SENTENCES[:2]]
    audio, _ = speech.join(clips, [0.3, 0.6, 0.4])
    segments, _ = _whisper().transcribe(audio, word_timestamps=True)
    for segment in segments:
        words = segment.words or []
        assert "".join(word.word for word in words) == segment.text
        assert [word.start for word in words] == sorted(word.start for word in words)


def test_whisper_demo_hears_nothing_in_silence() -> None:
    segments, _ = _whisper().transcribe(np.zeros(5 * speech.SAMPLE_RATE, np.float32))
    assert not list(segments)


@pytest.mark.parametrize(
    ("source", "target"),
    [("en", "zh"), ("en", "ja"), ("en", "de"), ("zh", "en"), ("zh", "ja"), ("zh", "de")],
)
def test_nmt_demo_translates_unseen_sentences_as_its_description_says(
    source: str, target: str
) -> None:
    folder = MODELS / "nmt-demo"
    about = json.loads((folder / "fanscribe.json").read_text("utf-8"))
    assert [source, target] in about["pairs"]
    tokenizer = str(folder / about["tokenizer_file"])
    pieces = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
    before = [token.format(source=source) for token in about["source_prefix"]]
    prefix = [token.format(target=target) for token in about["target_prefix"]]
    lines = [
        [*before, *pieces.encode(sentence.text(source), out_type=str), *about["source_suffix"]]
        for sentence in SENTENCES
    ]
    translator = ctranslate2.Translator(str(folder), device="cpu", compute_type="int8")
    results = translator.translate_batch(lines, target_prefix=[prefix] * len(lines), beam_size=1)
    given = [pieces.decode(result.hypotheses[0][len(prefix) :]) for result in results]
    meant = [sentence.text(target) for sentence in SENTENCES]
    right = sum(one == two for one, two in zip(given, meant, strict=True))
    assert right >= 0.95 * len(meant)
    assert expected_text(SENTENCES, target).count("。") == "".join(given).count("。")
