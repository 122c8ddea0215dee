"""Writes down one part of a recording, and names its language."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from services.model.stages import (
    DetectResult,
    DetectSpec,
    PartPlan,
    Place,
    TranscribeResult,
    TranscribeSpec,
)
from services.model.transcript import Segment, Transcript, join_texts
from services.worker.work import Work
from whisper_worker.check import checked
from whisper_worker.engines import Hearing, Samples
from whisper_worker.engines.opening import open_engine
from whisper_worker.guards import flags
from whisper_worker.hotwords import Hints, fit
from whisper_worker.runs import cut_runs
from whisper_worker.timeline import RATE, Timeline

UNKNOWN_LANGUAGE = "und"
_BYTES = 2  # a sample
_DETECT_SAMPLES = 30 * RATE


def detect(spec: DetectSpec, work: Work) -> DetectResult:
    """The language that the windows speak for, weighed by how sure each one is."""
    engine = open_engine(spec.model)
    votes: dict[str, float] = {}
    for window in spec.windows:
        samples = _speech(work, spec.pcm, window)[:_DETECT_SAMPLES]
        if len(samples):
            language, probability = engine.detect(samples, spec.among)
            votes[language] = votes.get(language, 0.0) + probability
        work.check()
    if not votes:
        return DetectResult(language=UNKNOWN_LANGUAGE, probability=0.0)
    language = max(votes, key=lambda name: votes[name])
    return DetectResult(language=language, probability=votes[language] / len(spec.windows))


def transcribe(spec: TranscribeSpec, work: Work) -> TranscribeResult:
    """Segments go out as they are heard; the whole is kept at the end."""
    began = time.monotonic()
    transcript, hints = _heard(spec, work) if spec.part.speech else (_silence(spec), Hints())
    seconds = time.monotonic() - began
    reference = spec.reference if spec.parts == 1 else None
    found, differences = checked(reference, transcript, spec.output_differences, work)
    return TranscribeResult(
        language=transcript.language,
        language_probability=transcript.language_probability,
        text=work.keep(spec.output_text, transcript.text),
        transcript=work.keep(spec.output, transcript.model_dump_json(exclude_none=True)),
        segments=len(transcript.segments),
        runs=cut_runs(transcript.segments),
        no_speech=transcript.no_speech,
        check=found,
        differences=differences,
        warnings=hints.warnings,
        engine_seconds=round(seconds, 3),
    )


def _heard(spec: TranscribeSpec, work: Work) -> tuple[Transcript, Hints]:
    engine = open_engine(spec.model)
    samples = _speech(work, spec.pcm, spec.part)
    timeline = Timeline(spec.part.speech)
    language, probability = spec.language, spec.language_probability
    if language is None:
        language, probability = engine.detect(samples, spec.among)
    hints = fit(spec.decoding.prompt, spec.keywords, engine.count)
    hearing = Hearing(
        decoding=spec.decoding.model_copy(update={"prompt": hints.prompt}),
        word_timestamps=spec.word_timestamps,
        hotwords=hints.hotwords,
        label=work.grant.text_id,
        windows=[(timeline.place(a), timeline.place(b)) for a, b in spec.part.windows],
    )
    kept: list[Segment] = []
    dropped: list[Segment] = []
    for raw in engine.transcribe(samples, language, hearing):
        work.check()
        segment = _placed(raw, timeline, len(kept), spec.part.channel)
        if segment.flags:
            dropped.append(segment)
        elif segment.text:
            kept.append(segment)
            fraction = min(1.0, (raw.end or 0.0) / timeline.seconds)
            work.progress(fraction, segments=[segment], language=language)
    return _transcript(spec, language, probability, kept, dropped), hints


def _placed(raw: Segment, timeline: Timeline, number: int, channel: int | None) -> Segment:
    """A segment with the times of the recording, its channel, and the flags of the guards."""
    start = timeline.start(raw.start or 0.0)
    words = [
        word.model_copy(update={"start": timeline.start(word.start), "end": timeline.end(word.end)})
        for word in raw.words or []
    ]
    return raw.model_copy(
        update={
            "id": number,
            "start": start,
            "end": max(start, timeline.end(raw.end or 0.0)),
            "words": words or None,
            "channel": channel,
            "flags": [*raw.flags, *flags(raw)],
        }
    )


def _transcript(
    spec: TranscribeSpec,
    language: str,
    probability: float | None,
    kept: Sequence[Segment],
    dropped: Sequence[Segment],
) -> Transcript:
    """`duration` is where the part ends in the recording, so the last one's is the whole."""
    return Transcript(
        language=language,
        text=join_texts([segment.text for segment in kept], language),
        segments=list(kept),
        duration=spec.part.end / RATE,
        language_probability=probability,
        no_speech=not kept,
        dropped=list(dropped),
    )


def _silence(spec: TranscribeSpec) -> Transcript:
    return _transcript(spec, spec.language or UNKNOWN_LANGUAGE, None, [], [])


def _speech(work: Work, pcm: Place, part: PartPlan) -> Samples:
    """The speech of a part end to end."""
    first, last = part.at + part.start, part.at + part.end
    data = work.fetch_range(pcm, first * _BYTES, last * _BYTES)
    samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768.0
    stretches = [samples[a - part.start : b - part.start] for a, b in part.speech]
    return np.concatenate(stretches) if stretches else samples[:0]
