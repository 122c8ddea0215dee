"""faster-whisper: CTranslate2's Whisper, one window after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from faster_whisper import WhisperModel

from services.model.errors import FailureClass, JobFailed
from services.model.languages import from_whisper, whisper_code
from services.model.transcript import Segment, Word
from whisper_worker.engines import Hearing, Samples
from whisper_worker.timeline import RATE


class FasterWhisper:
    """One model in memory. Threads come from OMP_NUM_THREADS, which the launcher sets."""

    def __init__(self, folder: Path, device: str, compute_type: str) -> None:
        self._model = WhisperModel(
            str(folder), device=device, compute_type=compute_type, local_files_only=True
        )

    def detect(self, samples: Samples, among: Sequence[str] = ()) -> tuple[str, float]:
        if not self._model.model.is_multilingual:
            return "en", 1.0  # it knows no other, and cannot be asked
        _, _, probabilities = self._model.detect_language(samples)
        known = [(from_whisper(code), float(share)) for code, share in probabilities]
        wanted = [each for each in known if not among or each[0] in among]
        return max(wanted or known, key=lambda each: each[1])

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
        number = count()
        for start, end in hearing.windows or [(0, len(samples))]:
            for segment in self._window(samples[start:end], code, hearing):
                yield _segment(next(number), segment, start / RATE, end / RATE)

    def _window(self, samples: Samples, code: str, hearing: Hearing) -> Iterator[Any]:
        options = hearing.decoding
        heard, _ = self._model.transcribe(
            samples,
            language=code,
            beam_size=options.beam_size,
            temperature=options.temperature,
            word_timestamps=hearing.word_timestamps,
            initial_prompt=options.prompt or None,
            hotwords=hearing.hotwords or None,
            condition_on_previous_text=False,
            no_speech_threshold=None,
            vad_filter=False,
        )
        yield from heard


def _segment(index: int, segment: Any, shift: float, last: float) -> Segment:
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
    )
