"""Writes down one part of a recording, and names its language."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.model.decoding import Decoding
from services.model.hotwords import Hinted
from services.model.scripts import is_same_speech
from services.model.stages import (
    DetectResult,
    DetectSpec,
    PartPlan,
    Place,
    TranscribeResult,
    TranscribeSpec,
)
from services.model.transcript import Segment, Transcript, Word, join_segments
from services.model.voiced import spread, within
from services.worker.work import Work
from whisper_worker import reusing
from whisper_worker.check import checked
from whisper_worker.confidence import confidence
from whisper_worker.engines import Engine, Hearing, Samples
from whisper_worker.engines.opening import open_engine
from whisper_worker.finished import Batches, Finished
from whisper_worker.guards import Loops, flags
from whisper_worker.hotwords import hint
from whisper_worker.recut import Sentences
from whisper_worker.runs import cut_runs
from whisper_worker.scripts import in_its_script
from whisper_worker.sounding import Sounding, is_sifted
from whisper_worker.timeline import RATE, Span, Timeline
from whisper_worker.tongues import UNKNOWN, decide, doubts, runs, turns

_BYTES = 2  # a sample
_DETECT_SAMPLES = 30 * RATE


def detect(spec: DetectSpec, work: Work) -> DetectResult:
    """The language that the windows speak for."""
    if (earlier := reusing.named(spec, work)) is not None:
        return earlier
    loaded = open_engine(spec.model)
    engine = loaded.engine

    def votes() -> Iterator[tuple[str, float]]:
        for window in spec.windows:
            samples = _speech(work, spec.pcm, window)[:_DETECT_SAMPLES]
            if len(samples):
                yield engine.detect(samples, spec.among)
            work.check()

    language, probability = decide(votes())
    warnings = doubts(language, probability, spec.threshold, spec.unsure)
    return DetectResult(
        language=language,
        probability=probability,
        warnings=warnings,
        digest=reusing.digest(spec, loaded.on),
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was said, what could not be done as it was asked for, in which language it was spoken
    where that is not the one it is written in, what came of the terms, and what all that depends
    on."""

    transcript: Transcript
    warnings: list[str]
    spoken: str | None = None
    hinted: Hinted | None = None
    digest: str | None = None
    reused: bool = False


def transcribe(spec: TranscribeSpec, work: Work) -> TranscribeResult:
    """Segments go out as they are heard; the whole is kept at the end."""
    heard = _reused(spec, work) if spec.part.speech else _Heard(_silence(spec), [])
    began = time.monotonic()
    if heard is None:
        heard = _heard(spec, work)
    seconds = time.monotonic() - began
    transcript = heard.transcript
    reference = spec.reference if spec.parts == 1 else None
    found, differences = checked(reference, transcript, spec.output_differences, work)
    return TranscribeResult(
        language=transcript.language,
        spoken=heard.spoken,
        language_probability=transcript.language_probability,
        text=work.keep(spec.output_text, transcript.text),
        transcript=work.keep(spec.output, transcript.model_dump_json(exclude_none=True)),
        segments=len(transcript.segments),
        runs=cut_runs(transcript.segments),
        no_speech=transcript.no_speech,
        check=found,
        differences=differences,
        warnings=heard.warnings,
        hotwords=heard.hinted,
        engine_seconds=round(seconds, 3),
        digest=heard.digest,
        reused=heard.reused,
    )


def _reused(spec: TranscribeSpec, work: Work) -> _Heard | None:
    """What an earlier job heard; it is told as if it were heard now."""
    earlier = reusing.heard(spec, work)
    if earlier is None:
        return None
    result, transcript = earlier.result, earlier.transcript
    work.progress(1.0, segments=transcript.segments, language=transcript.language)
    return _Heard(
        transcript, result.warnings, result.spoken, result.hotwords, result.digest, reused=True
    )


def _heard(spec: TranscribeSpec, work: Work) -> _Heard:
    loaded = open_engine(spec.model)
    engine = loaded.engine
    part = _Part(_speech(work, spec.pcm, spec.part), spec.part)
    language, probability = spec.language, spec.language_probability
    if language is None:
        windows = (part.of(window) for window in spread([spec.part]))
        language, probability = decide(engine.detect(each, spec.among) for each in windows)
    warnings = doubts(language, probability, spec.threshold, spec.unsure)
    written = spec.decoding.language(language)
    hints = hint(spec.decoding.prompt, spec.keywords, spec.hotwords, engine.count)
    hearing = Hearing(
        decoding=spec.decoding.model_copy(update={"prompt": hints.prompt}),
        word_timestamps=spec.word_timestamps or spec.recut,
        hotwords=hints.hotwords,
        bias=hints.bias,
        label=work.grant.text_id,
        windows=part.windows,
    )
    kept: list[Segment] = []
    dropped: list[Segment] = []

    finished, batches = Finished(written), Batches()

    def tell(segments: Sequence[Segment], fraction: float) -> None:
        numbered = [_shown(each, len(kept) + n, spec) for n, each in enumerate(segments)]
        kept.extend(numbered)
        whole = batches.take(finished.hear(numbered), time.monotonic()) if spec.previews else ()
        work.progress(fraction, segments=numbered, sentences=whole, language=written)

    sentences = Sentences(written)

    def take(segments: Sequence[Segment], fraction: float) -> None:
        for segment in segments:
            if segment.flags:
                dropped.append(_shown(segment, len(kept), spec))
            elif segment.text:
                tell(sentences.hear(segment) if spec.recut else [segment], fraction)

    loops = Loops(on="loop" in spec.decoding.guards)
    for raw in _said(engine, part, language, hearing, spec):
        work.check()
        spelt = in_its_script(raw, raw.language or written)
        segment = _placed(spelt, part, spec.part.channel, spec.decoding)
        judged = [segment] if segment.flags else loops.hear(segment)
        take(judged, min(1.0, (raw.end or 0.0) / part.timeline.seconds))
    take(loops.rest(), 1.0)
    if left := sentences.rest():
        tell(left, 1.0)
    transcript = _transcript(spec, written, probability, kept, dropped)
    warnings += [*hints.warnings, *spec.decoding.warnings]
    spoken = None if language == written else language
    return _Heard(transcript, warnings, spoken, hints.hinted, reusing.digest(spec, loaded.on))


def _said(
    engine: Engine, part: _Part, language: str, hearing: Hearing, spec: TranscribeSpec
) -> Iterator[Segment]:
    """Segments with times in the speech of the part."""
    if not spec.multilingual:
        yield from engine.transcribe(part.samples, language, hearing)
        return

    def sounds_like(turn: Span) -> str:
        samples = part.samples[slice(*turn)][:_DETECT_SAMPLES]
        found, probability = engine.detect(samples, spec.among)
        is_other = probability >= spec.threshold and not is_same_speech(found, language)
        return found if is_other else language

    for window in part.turns():
        for run, own in runs((turn, sounds_like(turn)) for turn in window):
            for segment in engine.transcribe(part.samples, own, replace(hearing, windows=[run])):
                yield segment.model_copy(update={"language": spec.decoding.language(own)})


class _Part:
    """A part as it is heard: its speech end to end, and the windows of that."""

    def __init__(self, samples: Samples, plan: PartPlan) -> None:
        self.samples = samples
        self.timeline = Timeline(plan.speech)
        sifted = is_sifted(plan.speech, plan.start, plan.end)
        self.sounding = Sounding(samples, sifted=sifted)
        self._plan = plan

    @property
    def windows(self) -> list[Span]:
        return [self._place(window) for window in self._plan.windows]

    def of(self, window: PartPlan) -> Samples:
        """The speech of a window."""
        return self.samples[slice(*self._place((window.start, window.end)))]

    def turns(self) -> Iterator[list[Span]]:
        """Window by window."""
        for start, end in self._plan.windows or [(self._plan.start, self._plan.end)]:
            yield [self._place(turn) for turn in turns(within(self._plan.speech, start, end))]

    def _place(self, span: Span) -> Span:
        return self.timeline.place(span[0]), self.timeline.place(span[1])


def _placed(raw: Segment, part: _Part, channel: int | None, decoding: Decoding) -> Segment:
    """A segment with the times of the recording, its channel, and the flags of the guards."""
    timeline = part.timeline
    words = [_word(word, timeline) for word in raw.words or []]
    start = words[0].start if words else timeline.start(raw.start or 0.0)
    end = words[-1].end if words else timeline.end(raw.end or 0.0)
    sound = part.sounding.of(raw.start or 0.0, raw.end or 0.0)
    return raw.model_copy(
        update={
            "start": start,
            "end": max(start, end),
            "words": words or None,
            "confidence": confidence(raw),
            "channel": channel,
            "flags": [*raw.flags, *flags(raw, decoding, sound)],
        }
    )


def _word(word: Word, timeline: Timeline) -> Word:
    start, end = timeline.word(word.start, word.end)
    return word.model_copy(update={"start": start, "end": end})


def _shown(segment: Segment, number: int, spec: TranscribeSpec) -> Segment:
    """With words only where they were asked for."""
    words = segment.words if spec.word_timestamps else None
    return segment.model_copy(update={"id": number, "words": words})


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
        text=join_segments(kept, language),
        segments=list(kept),
        duration=spec.part.end / RATE,
        language_probability=probability,
        no_speech=not kept,
        dropped=list(dropped),
    )


def _silence(spec: TranscribeSpec) -> Transcript:
    return _transcript(spec, spec.language or UNKNOWN, None, [], [])


def _speech(work: Work, pcm: Place, part: PartPlan) -> Samples:
    """The speech of a part end to end."""
    first, last = part.at + part.start, part.at + part.end
    data = work.fetch_range(pcm, first * _BYTES, last * _BYTES)
    samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768.0
    stretches = [samples[a - part.start : b - part.start] for a, b in part.speech]
    return np.concatenate(stretches) if stretches else samples[:0]
