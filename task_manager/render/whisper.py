"""Transcripts in the shapes of Whisper's own programs, which OpenAI's API and others have kept."""

from __future__ import annotations

from typing import Any

from services.model.languages import english_name, from_whisper, whisper_code
from services.model.transcript import Segment, Transcript, Word
from task_manager.render.columns import clean

UNKNOWN = "unknown"
_SEEK = 100  # a second, in the frames that Whisper counts


def language_name(tag: str | None) -> str:
    """`zh` → `chinese`, in whichever script; `unknown` where nobody spoke."""
    code = whisper_code(tag) if tag else None
    return english_name(from_whisper(code)).lower() if code else UNKNOWN


def language_code(tag: str | None) -> str:
    """Whisper's code, which for a few languages is not ours."""
    return (whisper_code(tag) if tag else None) or tag or "und"


def segments(transcript: Transcript, *, words: bool = False) -> list[dict[str, Any]]:
    """Token ids are not kept, so `tokens` is empty; `seek` is where the segment itself begins.
    What is not known, as of a translation, is null."""
    return [_segment(each, words=words) for each in transcript.segments]


def _segment(segment: Segment, *, words: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": segment.id,
        "seek": round((segment.start or 0.0) * _SEEK),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": [],
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
        "confidence": segment.confidence,
    }
    if words:
        shown["words"] = [_word(word) for word in segment.words or []]
    return shown


def words(transcript: Transcript) -> list[dict[str, Any]]:
    """All words with their times, without the spaces around them."""
    return [_word(word) for segment in transcript.segments for word in segment.words or []]


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text.strip(),
        "start": word.start,
        "end": word.end,
        "probability": word.probability,
    }


def tsv(transcript: Transcript) -> str:
    """One line a segment: start and end in milliseconds, and the text."""
    lines = [
        f"{_milliseconds(each.start)}\t{_milliseconds(each.end)}\t{clean(each.text)}"
        for each in transcript.segments
    ]
    return "\n".join(["start\tend\ttext", *lines]) + "\n"


def _milliseconds(seconds: float | None) -> int:
    return round((seconds or 0.0) * 1000)
