"""Joins the parts of a transcript, or of a translation, into one; what channels said apart comes
together in the order in which it was said."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.stages import AssembleResult, AssembleSpec
from services.model.transcript import Segment, Transcript, join_segments, join_texts
from services.worker.work import Work
from whisper_worker.check import checked
from whisper_worker.runs import cut_runs


def assemble(spec: AssembleSpec, work: Work) -> AssembleResult:
    """Parts in order, segments numbered anew; a transcript also gets its runs and its check."""
    parts = []
    for body in spec.parts:
        text = work.read(body, spec.urls.get(body.key or ""))
        parts.append(Transcript.model_validate_json(text))
        work.progress(len(parts) / len(spec.parts))
        work.check()
    whole = join(parts, spec.language)
    heard = spec.kind == "transcript"
    reference = spec.reference if heard else None
    found, differences = checked(reference, whole, spec.output_differences, work)
    return AssembleResult(
        text=work.keep(spec.output_text, whole.text),
        transcript=work.keep(spec.output, whole.model_dump_json(exclude_none=True)),
        segments=len(whole.segments),
        runs=cut_runs(whole.segments) if heard else [],
        no_speech=whole.no_speech,
        check=found,
        differences=differences,
    )


def join(parts: Sequence[Transcript], language: str) -> Transcript:
    """One transcript; it is sure of its language as far as its first part was."""
    segments = _in_time([segment for part in parts for segment in part.segments])
    apart = any(each.channel is not None or each.language for each in segments)
    return Transcript(
        language=language,
        text=join_segments(segments, language)
        if apart
        else join_texts([part.text for part in parts], language),
        segments=_numbered(segments),
        duration=max((part.duration for part in parts if part.duration), default=None),
        language_probability=parts[0].language_probability if parts else None,
        no_speech=all(part.no_speech for part in parts),
        dropped=_in_time([segment for part in parts for segment in part.dropped]),
    )


def _in_time(segments: Sequence[Segment]) -> list[Segment]:
    """As they began, where several channels were heard; else as they stand."""
    if len({segment.channel for segment in segments}) < 2:
        return list(segments)
    return sorted(segments, key=lambda segment: (segment.start or 0.0, segment.channel or 0))


def _numbered(segments: Sequence[Segment]) -> list[Segment]:
    return [segment.model_copy(update={"id": i}) for i, segment in enumerate(segments)]
