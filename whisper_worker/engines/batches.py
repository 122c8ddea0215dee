"""Several windows of a recording at once, each heard as if it were alone.

A window whose text ends before its sound is looked at again from there, in the next batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import Segment, Word
from faster_whisper.utils import get_end

from whisper_worker.engines import Samples
from whisper_worker.engines.readings import Asked, Pieces, Reading, Whisper


@dataclass(slots=True)
class Row:
    """A window; what is heard of it so far, up to the frame `seek`, with the readings of each
    segment."""

    samples: Samples
    heard: list[tuple[Segment, list[Reading]]] = field(default_factory=list)
    seek: int = 0
    spoken_until: float = 0.0
    features: Any = None
    open: bool = True

    def next_features(self, model: Whisper) -> Any:
        """The frames that are looked at next, at most 30 s."""
        if self.features is None:
            self.features = model.feature_extractor(self.samples)
        return self.features[:, self.seek : self.seek + self._size(model)]

    def _size(self, model: Whisper) -> int:
        left: int = self.features.shape[-1] - 1 - self.seek
        return min(int(model.feature_extractor.nb_max_frames), left)

    def go_on(self, seek: int) -> None:
        """From that frame; a window that does not get any further is done."""
        self.open = self.seek < seek < self.features.shape[-1] - 1
        self.seek = seek
        if not self.open:
            self.features = None


def rows(
    model: Whisper, windows: Sequence[Samples], tokenizer: Tokenizer, options: Asked, size: int
) -> Iterator[Row]:
    """Each window in order, as soon as all of it is heard; `size` is how many are heard at once."""
    waiting = [Row(window) for window in windows]
    while waiting:
        batch = [row for row in waiting if row.open][:size]
        _hear(model, batch, tokenizer, options)
        while waiting and not waiting[0].open:
            yield waiting.pop(0)


def _hear(model: Whisper, batch: Sequence[Row], tokenizer: Tokenizer, options: Asked) -> None:
    """One look at each row, all in one call of the model."""
    looks = [row.next_features(model) for row in batch]
    encoded = model.encode(np.stack([pad_or_trim(look) for look in looks]))
    prompt = model.get_prompt(
        tokenizer, options.initial_prompt or [], prefix=None, hotwords=options.hotwords
    )
    found = model.readings(
        encoded, [prompt] * len(batch), tokenizer, options, options.temperatures[0]
    )
    sizes = [look.shape[-1] for look in looks]
    split = [
        model.pieces(tokenizer, readings[0].tokens, row.seek, size)
        for row, readings, size in zip(batch, found, sizes, strict=True)
    ]
    if options.word_timestamps:
        _add_words(model, batch, split, tokenizer, options, encoded=encoded, sizes=sizes)
    for row, readings, each in zip(batch, found, split, strict=True):
        row.heard += [
            (_segment(row.seek, piece, readings[0], tokenizer), readings)
            for piece in each.segments
            if piece["start"] < piece["end"] and tokenizer.decode(piece["tokens"]).strip()
        ]
        row.go_on(_next(model, row.seek, each, words=options.word_timestamps))


def _next(model: Whisper, seek: int, found: Pieces, *, words: bool) -> int:
    """Where to look next: behind the last word, unless the model says that nothing follows."""
    end = get_end(found.segments) if words and not found.silence_follows else None
    if end is not None and end > seek / model.frames_per_second:
        return round(float(end) * int(model.frames_per_second))
    return found.seek


def _add_words(
    model: Whisper,
    batch: Sequence[Row],
    split: Sequence[Pieces],
    tokenizer: Tokenizer,
    options: Asked,
    *,
    encoded: Any,
    sizes: list[int],
) -> None:
    """Aligned in one call, but placed row by row: faster-whisper would let the times of a row
    depend on the row before it."""
    texts = [
        [token for piece in found.segments for token in piece["tokens"] if token < tokenizer.eot]
        for found in split
    ]
    aligned = model.find_alignment(tokenizer, texts, encoded, sizes)
    for row, found, words in zip(batch, split, aligned, strict=True):
        _Aligned(model, words).add_word_timestamps(
            [found.segments],
            tokenizer,
            encoded,
            0,
            options.prepend_punctuations,
            options.append_punctuations,
            last_speech_timestamp=row.spoken_until,
        )
        row.spoken_until = get_end(found.segments) or row.spoken_until


class _Aligned(WhisperModel):  # type: ignore[misc]  # it is untyped
    """As much of a model as places words, of which the alignment is known already."""

    def __init__(self, model: Whisper, words: list[dict[str, Any]]) -> None:
        self.frames_per_second = model.frames_per_second
        self._words = words

    def find_alignment(self, *_: Any, **__: Any) -> list[list[dict[str, Any]]]:
        return [self._words]


def _segment(seek: int, piece: dict[str, Any], reading: Reading, tokenizer: Tokenizer) -> Segment:
    return Segment(
        id=0,
        seek=seek,
        start=piece["start"],
        end=piece["end"],
        text=tokenizer.decode(piece["tokens"]),
        tokens=piece["tokens"],
        avg_logprob=reading.avg_logprob,
        compression_ratio=reading.compression_ratio,
        no_speech_prob=reading.no_speech_prob,
        words=[Word(**word) for word in piece["words"]] if "words" in piece else None,
        temperature=reading.temperature,
    )
