"""Tables for whisper-demo: held-out sentences in held-out voices, long files, silence and noise."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from faster_whisper import WhisperModel

from demo import speech
from demo.grammar import Sentence, sentences
from demo.sample import expected_text

Rows = list[dict[str, str]]

SPOKEN = ("en", "zh")
_NO_SPEECH_CLIPS = 40


@dataclass
class Heard:
    """What a number of clips gave."""

    meant: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    languages_right: int = 0
    counts_right: int = 0
    off: list[float] = field(default_factory=list)

    def add(self, segments: list[Any], meant: list[Sentence], language: str, times: Any) -> None:
        """Compare the segments of one file with its sentences and their times."""
        joint = " " if language == "en" else ""
        self.meant.append(expected_text(meant, language))
        self.given.append(joint.join(segment.text.strip() for segment in segments))
        if len(segments) == len(meant):
            self.counts_right += 1
            for segment, (start, end) in zip(segments, times, strict=True):
                self.off += [abs(segment.start - start), abs(segment.end - end)]

    def error(self, language: str) -> str:
        """Word error rate for English, character error rate for Chinese."""
        measure = jiwer.wer if language == "en" else jiwer.cer
        name = "WER" if language == "en" else "CER"
        return f"{name} {100 * float(measure(self.meant, self.given)):.2f} %"

    def times(self) -> dict[str, str]:
        """How far the sentence times are off."""
        off = np.array(self.off or [9.99])
        return {
            "time off, mean": f"{off.mean():.3f} s",
            "time off, 95 %": f"{np.quantile(off, 0.95):.3f} s",
            "within 0.3 s": f"{100 * float((off <= 0.3).mean()):.1f} %",
        }


def speech_tables(folder: Path, *, clips: int) -> Iterator[tuple[str, Rows]]:
    """Clips of one to four sentences, long files, and files without speech."""
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
    yield (
        f"whisper-demo: {clips} held-out clips a language",
        [_clips(model, language, clips) for language in SPOKEN],
    )
    yield (
        "whisper-demo: files of several minutes, sequential windows, no VAD",
        [_long(model, language, 10 if clips < 100 else 60) for language in SPOKEN],
    )
    yield "whisper-demo: silence and noise, 8 s each, no VAD", _no_speech(model)


def _transcribe(model: WhisperModel, audio: speech.Audio, **options: Any) -> tuple[list[Any], str]:
    segments, about = model.transcribe(
        audio, beam_size=5, temperature=0.0, condition_on_previous_text=False, **options
    )
    return list(segments), about.language


def _noisy(audio: speech.Audio, chance: random.Random) -> speech.Audio:
    """Every second clip has white noise, 15 to 40 dB below the speech."""
    if chance.random() < 0.5:
        return audio
    source = np.random.default_rng(chance.getrandbits(32))
    level = float(np.sqrt(np.mean(audio**2))) * 10 ** (-chance.uniform(15, 40) / 20)
    return audio + source.standard_normal(len(audio), dtype=np.float32) * np.float32(level)


def _clips(model: WhisperModel, language: str, count: int) -> dict[str, str]:
    chance = random.Random(f"clips/{language}")
    pool = speech.voices(language, held_out=True)
    known = iter(sentences(4 * count, seed=60, held_out=True))
    heard, words_fit = Heard(), 0
    for number in range(count):
        spoken = [next(known) for _ in range(1 + number % 4)]
        voice = chance.choice(pool)
        clips = [speech.speak(sentence.text(language), language, voice) for sentence in spoken]
        # Whisper's rules start a lone sentence with the window, so the gap before it is short,
        # as voice activity detection leaves it
        gaps = [chance.uniform(0.1, 0.8) for _ in clips]
        gaps[0] = chance.uniform(0.1, 0.25)
        gaps.append(chance.uniform(0.1, 0.8))
        audio, times = speech.join(clips, gaps)
        heard_as = _noisy(audio, chance)
        segments, found = _transcribe(model, heard_as)
        heard.languages_right += found == language
        heard.add(segments, spoken, language, times)
        if number % 5 == 0:
            timed, _ = _transcribe(model, heard_as, word_timestamps=True)
            words = [word for segment in timed for word in segment.words]
            ordered = all(word.start <= word.end for word in words)
            words_fit += bool(words) and ordered
    return {
        "language": language,
        "error": heard.error(language),
        "language found": f"{100 * heard.languages_right / count:.1f} %",
        "sentences counted right": f"{100 * heard.counts_right / count:.1f} %",
        **heard.times(),
        "word times": f"{words_fit} of {(count + 4) // 5}",
    }


def _long(model: WhisperModel, language: str, count: int) -> dict[str, str]:
    chance = random.Random(f"long/{language}")
    pool = speech.voices(language, held_out=True)
    heard, seconds, expected, found = Heard(), 0.0, 0, 0
    for file in range(2):
        spoken = sentences(count, seed=70 + file, held_out=True)
        voice = chance.choice(pool)
        clips = [speech.speak(sentence.text(language), language, voice) for sentence in spoken]
        audio, times = speech.join(clips, [chance.uniform(0.2, 0.8) for _ in range(count + 1)])
        segments, _ = _transcribe(model, audio, language=language)
        heard.add(segments, spoken, language, times)
        seconds += len(audio) / speech.SAMPLE_RATE
        expected, found = expected + len(spoken), found + len(segments)
    return {
        "language": language,
        "files": f"2, {seconds / 60:.1f} min",
        "error": heard.error(language),
        "sentences": f"{found} of {expected}",
        **heard.times(),
    }


def _no_speech(model: WhisperModel) -> Rows:
    source = np.random.default_rng(8)
    samples = 8 * speech.SAMPLE_RATE
    invented = {"silence": 0, "white noise": 0, "low noise": 0}
    for number in range(_NO_SPEECH_CLIPS):
        white: speech.Audio = source.standard_normal(samples).astype(np.float32)
        spectrum = np.fft.rfft(white) / np.sqrt(np.arange(samples // 2 + 1) + 20.0)
        low: speech.Audio = np.fft.irfft(spectrum, samples).astype(np.float32)
        level = np.float32(10 ** (-1.0 - number / 20))
        for kind, audio in (
            ("silence", np.zeros(samples, np.float32)),
            ("white noise", white * level),
            ("low noise", low * np.float32(level / np.std(low))),
        ):
            if kind != "silence" or number == 0:
                segments, _ = _transcribe(model, audio)
                invented[kind] += any(segment.text.strip() for segment in segments)
    return [
        {"sound": kind, "clips": str(1 if kind == "silence" else _NO_SPEECH_CLIPS),
         "clips with invented words": str(number)}
        for kind, number in invented.items()
    ]  # fmt: skip
