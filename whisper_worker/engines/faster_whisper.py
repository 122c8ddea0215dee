"""faster-whisper: CTranslate2's Whisper, one window after the other or several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from faster_whisper.tokenizer import Tokenizer

from services.model.errors import FailureClass, JobFailed
from services.model.languages import from_whisper, whisper_code
from services.model.transcript import Alternative, Segment, Word
from whisper_worker.engines import Hearing, Samples
from whisper_worker.engines.batches import rows
from whisper_worker.engines.readings import Asked, Reading, Whisper
from whisper_worker.engines.rescoring import biased
from whisper_worker.timeline import RATE, Span

Found = tuple[Span, Any, Sequence[Reading]]  # the window, faster-whisper's segment, its readings


class FasterWhisper:
    """One model in memory. Threads come from OMP_NUM_THREADS, which the launcher sets."""

    def __init__(self, folder: Path, device: str, compute_type: str) -> None:
        self._model = Whisper(
            str(folder), device=device, compute_type=compute_type, local_files_only=True
        )

    def detect(self, samples: Samples, among: Sequence[str] = ()) -> tuple[str, float]:
        if not self._model.model.is_multilingual:
            return "en", 1.0  # it knows no other, and cannot be asked
        _, _, probabilities = self._model.detect_language(samples)
        wanted = {whisper_code(tag): tag for tag in reversed(among)}  # of two scripts the first
        known = [each for each in probabilities if each[0] in wanted] or probabilities
        code, share = max(known, key=lambda each: each[1])
        return wanted.get(code) or from_whisper(code), float(share)

    def count(self, text: str) -> int:
        return len(self._model.hf_tokenizer.encode(text, add_special_tokens=False).ids)

    def transcribe(self, samples: Samples, language: str, hearing: Hearing) -> Iterator[Segment]:
        """Thresholds only choose the temperature here; what to leave out is the guards' say."""
        code = whisper_code(language)
        if code is None:
            raise JobFailed(
                FailureClass.PERMANENT,
                "language_not_heard",
                f"This speech model does not know the language {language!r}.",
            )
        options = hearing.decoding
        tokenizer = Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task=options.task,
            language=code,
        )
        asked = self._model.asked(
            options, tokenizer, words=hearing.word_timestamps, hotwords=hearing.hotwords
        )
        hear = self._batched if options.mode == "batched" else self._one_by_one
        number = count()
        windows = hearing.windows or [(0, len(samples))]
        with biased(self._model, hearing.bias):
            for window, segment, readings in hear(samples, windows, tokenizer, asked, hearing):
                found = self._model.alternatives(segment, tokenizer, readings)
                start, end = (place / RATE for place in window)
                yield _segment(next(number), segment, start, end, found[: options.n_best - 1])

    def _one_by_one(
        self,
        samples: Samples,
        windows: Sequence[Span],
        tokenizer: Tokenizer,
        asked: Asked,
        hearing: Hearing,
    ) -> Iterator[Found]:
        """By faster-whisper's own loop; a window follows on the text of the one before if that is
        asked for, else on the prompt."""
        prompt = self._tokens(hearing.decoding.prompt, tokenizer)
        asked.prefix = hearing.decoding.prefix or None
        before = prompt
        for start, end in windows:
            asked.initial_prompt = before
            features = self._model.feature_extractor(samples[start:end])
            heard: list[int] = []
            for segment in self._model.generate_segments(features, tokenizer, asked, False):
                follows = segment.temperature <= asked.prompt_reset_on_temperature
                heard = heard + segment.tokens if follows else []
                yield (start, end), segment, asked.readings
            asked.prefix = None
            before = [*before, *heard] if asked.condition_on_previous_text else prompt

    def _batched(
        self,
        samples: Samples,
        windows: Sequence[Span],
        tokenizer: Tokenizer,
        asked: Asked,
        hearing: Hearing,
    ) -> Iterator[Found]:
        asked.initial_prompt = self._tokens(hearing.decoding.prompt, tokenizer)
        cut = [samples[start:end] for start, end in windows]
        size = hearing.decoding.batch_size
        for window, row in zip(
            windows, rows(self._model, cut, tokenizer, asked, size), strict=True
        ):
            for segment, readings in row.heard:
                yield window, segment, readings

    @staticmethod
    def _tokens(prompt: str, tokenizer: Tokenizer) -> list[int]:
        text = prompt.strip()
        return list(tokenizer.encode(f" {text}")) if text else []


def _segment(
    index: int, segment: Any, shift: float, last: float, alternatives: list[Alternative]
) -> Segment:
    """With the times of the whole; in the silence that fills a window up nobody speaks."""

    def at(seconds: Any) -> float:
        return min(last, shift + float(seconds))

    words = [
        Word(start=at(w.start), end=at(w.end), text=w.word, probability=w.probability)
        for w in segment.words or []
    ]
    return Segment(
        id=index,
        start=at(segment.start),
        end=at(segment.end),
        text=segment.text.strip(),
        words=words or None,
        avg_logprob=segment.avg_logprob,
        no_speech_prob=segment.no_speech_prob,
        compression_ratio=segment.compression_ratio,
        temperature=segment.temperature,
        alternatives=alternatives or None,
    )
