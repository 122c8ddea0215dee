"""What was heard before in the same sound, by the same model and options, is not heard again.

Only where the task asks for it. The result of any earlier job of the owner answers that still has
its task; where it cannot be read any more, the sound is heard anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from services import logs
from services.model.errors import JobFailed
from services.model.stages import DetectResult, DetectSpec, TranscribeResult, TranscribeSpec
from services.model.transcript import Transcript
from services.model_identity import hash_of
from services.worker.work import Work
from whisper_worker.engines.opening import depends_on

# What is heard does not depend on where it goes, nor on the text that it is held against.
_ASIDE = {
    "pcm",
    "output",
    "output_text",
    "output_differences",
    "reference",
    "parts",
    "reuse",
    "previews",
}

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Reused:
    """What an earlier job reported, and the words that it kept."""

    result: TranscribeResult
    transcript: Transcript


def digest(spec: DetectSpec | TranscribeSpec, on: str) -> str | None:
    """Of the sound and of all that what is heard in it depends on; None where that is not known."""
    if not on or not spec.pcm.sha256:
        return None
    return hash_of([on, spec.pcm.sha256, spec.model_dump(mode="json", exclude=_ASIDE)])


def named(spec: DetectSpec, work: Work) -> DetectResult | None:
    """The language that an earlier job found."""
    name = digest(spec, depends_on(spec.model)) if spec.reuse else None
    found = work.earlier(name).result if name else None
    return found.model_copy(update={"reused": True}) if isinstance(found, DetectResult) else None


def heard(spec: TranscribeSpec, work: Work) -> Reused | None:
    """The words that an earlier job heard."""
    name = digest(spec, depends_on(spec.model)) if spec.reuse else None
    if name is None:
        return None
    found = work.earlier(name)
    if not isinstance(found.result, TranscribeResult):
        return None
    try:
        text = work.read(found.result.transcript, found.url)
        return Reused(found.result, Transcript.model_validate_json(text))
    except (JobFailed, ValidationError) as error:
        log.info("earlier_result_gone", reason=str(error))
        return None
