"""The four stages of this worker, each a function from its spec to its result."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from services.model.job import Stage, queue_name
from services.model.stages import PartPlan, PrepareResult, PrepareSpec
from services.worker import bundle
from services.worker.work import Work
from whisper_worker.assembling import assemble
from whisper_worker.check import checked, nothing
from whisper_worker.listening import detect, transcribe
from whisper_worker.media import Decoder, Pcm
from whisper_worker.segmenter import cut, spans
from whisper_worker.timeline import RATE
from whisper_worker.voice import WINDOW, Probabilities, probabilities
from whisper_worker.windows import Sound, dips, plan, quietest

_DECODING = 0.6  # of the time of a prepare; finding the speech is the rest


def prepare(spec: PrepareSpec, work: Work) -> PrepareResult:
    """Decodes, finds the speech, cuts into parts at silence, stores one PCM object."""
    source = work.fetch(spec.audio)

    def tell_decoded(fraction: float) -> None:
        work.check()
        work.progress(_DECODING * fraction)

    target = work.folder / "pcm"
    apart = spec.channels == "each"
    pcm = _decoder().decode(source, target, spec.max_seconds, tell=tell_decoded, apart=apart)

    def tell_found(fraction: float) -> None:
        work.check()
        work.progress(_DECODING + (1 - _DECODING) * fraction)

    parts = _parts(spec, pcm, tell_found)
    reference = None if parts else spec.reference
    check, _ = checked(reference, nothing(spec.language), None, work)
    return PrepareResult(
        pcm=work.keep_file(spec.pcm, target),
        seconds=pcm.seconds,
        declared_seconds=pcm.declared_seconds,
        coverage=pcm.coverage,
        format=pcm.format,
        warnings=pcm.warnings,
        gaps=pcm.gaps,
        channels=pcm.channels,
        parts=parts,
        check=check,
    )


def _parts(spec: PrepareSpec, pcm: Pcm, tell: Callable[[float], None]) -> list[PartPlan]:
    """Of all channels, as they begin: so the first few tell of each of them."""
    count = max(1, len(pcm.channels))
    total = pcm.path.stat().st_size // 2 // count
    longest = round(spec.part_seconds * RATE)
    parts: list[PartPlan] = []
    for number in range(count):
        at = number * total

        def tell_found(done: int, number: int = number) -> None:
            tell((number + done / total) / count)

        found = probabilities(pcm.path, tell_found, at, total)
        its = {"channel": number if pcm.channels else None, "at": at}
        of_channel = _of_channel(found, total, longest, vad=spec.vad)
        parts += [part.model_copy(update=its) for part in of_channel]
    return sorted(parts, key=lambda part: (part.start, part.at))


def _of_channel(found: Probabilities, total: int, longest: int, *, vad: bool) -> list[PartPlan]:
    """Without `vad` all is listened to, and silence only says where to cut."""
    speech = spans(found, window=WINDOW, total=total) if vad else [(0, total)]
    sound = Sound(speech, dips(found, window=WINDOW, total=total), total)
    return cut(sound, plan(sound, longest, quietest(found, WINDOW)), longest)


def get_ready(queues: list[str]) -> None:
    """What a fresh child does ahead of its first job, if it may be one that decodes."""
    if queue_name(Stage.PREPARE) in queues:
        _decoder().start()


@cache
def _decoder() -> Decoder:
    return Decoder()


STAGES: dict[str, bundle.Stage] = {
    "prepare": prepare,
    "detect": detect,
    "transcribe": transcribe,
    "assemble": assemble,
}
