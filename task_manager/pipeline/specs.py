"""What a claim's answer carries: the inputs, places and limits of exactly one attempt."""

from __future__ import annotations

from urllib.parse import urlsplit

from services.model.decoding import Decoding
from services.model.errors import FailureClass, JobFailed
from services.model.job import Job, Stage
from services.model.messages import Grant
from services.model.stages import (
    AssembleSpec,
    DetectSpec,
    Place,
    PrepareSpec,
    Spec,
    TranscribeResult,
    TranscribeSpec,
    TranslateResult,
    TranslateSpec,
)
from services.model.task import AudioInput, ItemSpec, Options, Source, Task
from services.model.transcript import Body, output_id
from services.model.voiced import spread
from services.storage import keys
from services.storage.named import SCHEMES
from services.storage.protocol import ObjectMissing
from task_manager.pipeline import limits
from task_manager.pipeline.expand import parts_of, prepared_item
from task_manager.pipeline.ports import Ports


def grant(ports: Ports, task: Task, job: Job) -> Grant:
    """Everything for this attempt; raises JobFailed when an input has gone."""
    item = task.manifest.items[job.item]
    spec = spec_of(ports, task, job)
    return Grant(
        job=job.id,
        task=task.id,
        text_id=item.text_id,
        attempt=job.attempt,
        spec=spec,
        limits=limits.grant(ports, job),
    )


def urls(spec: Spec) -> dict[str, str]:
    """Every URL of a spec by its key, as beats renew them."""
    places = [value for _, value in spec if isinstance(value, Place)]
    found = {place.key: place.url for place in places}
    if isinstance(spec, AssembleSpec):
        found |= spec.urls
    if isinstance(spec, TranslateSpec) and spec.transcript and spec.transcript.key:
        found[spec.transcript.key] = spec.transcript_url or ""
    return found


def spec_of(ports: Ports, task: Task, job: Job) -> Spec:
    """What the attempt works on; raises JobFailed when an input has gone."""
    item = task.manifest.items[job.item]
    match job.stage:
        case Stage.PREPARE:
            return _prepare(ports, task, job)
        case Stage.DETECT:
            prepared = prepared_item(ports, job.task_id, job.item)
            return DetectSpec(
                pcm=_input(ports, prepared.pcm),
                model=job.model,
                windows=spread(prepared.parts),
                among=task.manifest.options.spoken,
                threshold=task.manifest.options.language_threshold,
                unsure=task.manifest.options.language_unsure,
            )
        case Stage.TRANSCRIBE:
            return _transcribe(ports, task, job)
        case Stage.ASSEMBLE:
            return _assemble(ports, task, job)
        case Stage.TRANSLATE:
            return _translate(ports, job, item)


def _prepare(ports: Ports, task: Task, job: Job) -> PrepareSpec:
    item = task.manifest.items[job.item]
    if item.audio is None:
        raise JobFailed(FailureClass.PERMANENT, "input_gone", "The item has no audio.")
    return PrepareSpec(
        audio=_audio(ports, item.audio),
        pcm=_output(ports, job, "pcm"),
        vad=task.manifest.options.vad,
        channels=task.manifest.options.channels,
        max_seconds=ports.settings.max_audio_seconds,
        part_seconds=ports.settings.part_seconds,
        reference=item.text,
        language=item.language,
    )


def _audio(ports: Ports, audio: AudioInput) -> Place:
    most = ports.settings.max_upload_bytes
    if urlsplit(audio.url).scheme in SCHEMES:
        return _in_bucket(ports, audio.url, most)
    if audio.url:
        return Place(key="", url=audio.url, size=most, of_user=True)
    return _input(ports, Body(key=audio.key, size=audio.size, sha256=audio.sha256))


def _in_bucket(ports: Ports, url: str, most: int) -> Place:
    """Signed when it is fetched; the URL is its key, by which beats renew the signature."""
    try:
        size = ports.buckets.head(url).size
    except ObjectMissing as missing:
        text = "There is no such object in the bucket."
        raise JobFailed(FailureClass.PERMANENT, "input_gone", text) from missing
    if 0 < most < size:
        raise JobFailed(FailureClass.PERMANENT, "too_large", f"A file has up to {most} bytes.")
    signed = ports.buckets.url_to_get(url, ports.settings.url_expires_s)
    return Place(key=url, url=signed, size=size)


def _transcribe(ports: Ports, task: Task, job: Job) -> TranscribeSpec:
    prepared = prepared_item(ports, job.task_id, job.item)
    options = task.manifest.options
    alone = job.inputs["parts"] == 1
    return TranscribeSpec(
        pcm=_input(ports, prepared.pcm),
        part=prepared.parts[job.part],
        parts=job.inputs["parts"],
        model=job.model,
        language=job.inputs.get("language"),
        language_probability=job.inputs.get("language_probability"),
        decoding=_decoding(options, job),
        word_timestamps=options.word_timestamps,
        recut=options.recut,
        keywords=options.keywords,
        hotwords=options.hotwords,
        among=options.spoken,
        threshold=options.language_threshold,
        unsure=options.language_unsure,
        multilingual=options.multilingual,
        reference=options.comparable(task.manifest.items[job.item]) if alone else None,
        output=_output(ports, job, "transcript.json"),
        output_text=_output(ports, job, "transcript.txt"),
        output_differences=_output(ports, job, "differences.json"),
    )


def _decoding(options: Options, job: Job) -> Decoding:
    """The words that a recording begins with are in its first part only."""
    decoding = options.decoding.safer() if job.safer else options.decoding
    return decoding.model_copy(update={"prefix": ""}) if job.part else decoding


def _assemble(ports: Ports, task: Task, job: Job) -> AssembleSpec:
    item = task.manifest.items[job.item]
    parts = parts_of(ports, job)
    results: list[TranscribeResult | TranslateResult] = [
        TranslateResult.model_validate(part.result)
        if job.language
        else TranscribeResult.model_validate(part.result)
        for part in parts
    ]
    bodies = [result.transcript for result in results]
    first = results[0]
    return AssembleSpec(
        kind="translation" if job.language else "transcript",
        language=first.language if isinstance(first, TranscribeResult) else job.language,
        parts=bodies,
        urls={body.key: _get(ports, body.key) for body in bodies if body.key},
        reference=None if job.language else task.manifest.options.comparable(item),
        output=_output(ports, job, "transcript.json"),
        output_text=_output(ports, job, "transcript.txt"),
        output_differences=_output(ports, job, "differences.json"),
    )


def _translate(ports: Ports, job: Job, item: ItemSpec) -> TranslateSpec:
    language = job.inputs["source_language"]
    body: Body | None = None
    if job.source == Source.AUDIO:
        heard = ports.store.output(output_id(job.task_id, job.item, job.source, language))
        if heard is None or heard.body is None:
            raise JobFailed(FailureClass.PERMANENT, "input_gone", "The transcript is gone.")
        body = heard.body
    return TranslateSpec(
        model=job.model,
        source_language=language,
        target_language=job.language,
        text=item.text if body is None else None,
        transcript=body,
        transcript_url=_get(ports, body.key) if body and body.key else None,
        first=job.inputs["first"],
        last=job.inputs["last"],
        parts=job.inputs["parts"],
        output=_output(ports, job, "translation.json"),
        output_text=_output(ports, job, "translation.txt"),
    )


def _input(ports: Ports, body: Body) -> Place:
    if body.key is None:
        raise JobFailed(FailureClass.PERMANENT, "input_gone", "The input has no object.")
    return Place(key=body.key, url=_get(ports, body.key), size=body.size, sha256=body.sha256)


def _output(ports: Ports, job: Job, name: str) -> Place:
    key = keys.attempt_file(job.id, job.attempt, name)
    return Place(key=key, url=ports.objects.url_to_put(key, ports.settings.url_expires_s))


def _get(ports: Ports, key: str) -> str:
    return ports.objects.url_to_get(key, ports.settings.url_expires_s)
