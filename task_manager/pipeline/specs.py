"""What a claim's answer carries: the inputs, places and limits of exactly one attempt."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from services.model.decoding import Decoding
from services.model.errors import FailureClass, JobFailed
from services.model.job import Job, Stage
from services.model.messages import Grant
from services.model.stages import (
    AssembleSpec,
    DetectSpec,
    Former,
    Place,
    PrepareSpec,
    Spec,
    TranscribeResult,
    TranscribeSpec,
    TranslateResult,
    TranslateSpec,
    as_stored,
)
from services.model.task import AudioInput, Options, Source, Task
from services.model.transcript import Body, output_id
from services.model.voiced import spread
from services.storage import keys
from services.storage.named import SCHEMES
from services.storage.protocol import ObjectMissing
from task_manager.pipeline import limits
from task_manager.pipeline.expand import parts_of, prepared_item
from task_manager.pipeline.packing import read_body
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
    if isinstance(spec, TranslateSpec):
        found |= dict(_read_by(spec))
    return found


def _read_by(spec: TranslateSpec) -> Iterator[tuple[str, str]]:
    """The objects that a translation is made from, with their URLs."""
    given = [(spec.transcript, spec.transcript_url)]
    if spec.former is not None:
        given.append((spec.former.transcript, spec.former.transcript_url))
        given.append((spec.former.translation, spec.former.translation_url))
    yield from ((body.key, url or "") for body, url in given if body is not None and body.key)


def spec_of(ports: Ports, task: Task, job: Job) -> Spec:
    """What the attempt works on; raises JobFailed when an input has gone."""
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
                reuse=task.manifest.options.reuse,
            )
        case Stage.TRANSCRIBE:
            return _transcribe(ports, task, job)
        case Stage.ASSEMBLE:
            return _assemble(ports, task, job)
        case Stage.TRANSLATE:
            return _translate(ports, task, job)


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
        reuse=options.reuse,
        previews=options.previews and bool(task.manifest.languages),
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
        as_stored(TranslateResult, part.result)
        if job.language
        else as_stored(TranscribeResult, part.result)
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


def _translate(ports: Ports, task: Task, job: Job) -> TranslateSpec:
    item = task.manifest.items[job.item]
    glossary = task.manifest.options.glossary
    language = job.inputs["source_language"]
    body: Body | None = None
    text = item.text
    if job.source == Source.AUDIO or job.version:
        own = ports.store.output(output_id(job.task_id, job.item, job.source, language))
        if own is None or (own.body is None and job.source == Source.AUDIO):
            raise JobFailed(FailureClass.PERMANENT, "input_gone", "The transcript is gone.")
        body = own.body
        text = read_body(ports, own.text) if job.source == Source.TEXT else None
    return TranslateSpec(
        model=job.model,
        source_language=language,
        target_language=job.language,
        text=text,
        transcript=body,
        transcript_url=url_of(ports, body),
        first=job.inputs["first"],
        last=job.inputs["last"],
        parts=job.inputs["parts"],
        former=_former(ports, job, language),
        glossary=[] if glossary is None else glossary.rules(language, job.language),
        output=_output(ports, job, "translation.json"),
        output_text=_output(ports, job, "translation.txt"),
    )


def _former(ports: Ports, job: Job, language: str) -> Former | None:
    """What the cell holds, made from words that were corrected since, and those words."""
    if not job.version:
        return None
    cell = ports.store.output(output_id(job.task_id, job.item, job.source, job.language))
    if cell is None or cell.body is None:
        return None
    own = output_id(job.task_id, job.item, job.source, language)
    words = ports.store.version(own, at_most=cell.version)
    if words is None:
        return None
    return Former(
        text=read_body(ports, words.text) if words.body is None else None,
        transcript=words.body,
        transcript_url=url_of(ports, words.body),
        translation=cell.body,
        translation_url=url_of(ports, cell.body),
    )


def _input(ports: Ports, body: Body) -> Place:
    if body.key is None:
        raise JobFailed(FailureClass.PERMANENT, "input_gone", "The input has no object.")
    return Place(key=body.key, url=_get(ports, body.key), size=body.size, sha256=body.sha256)


def _output(ports: Ports, job: Job, name: str) -> Place:
    key = keys.attempt_file(job.id, job.attempt, name)
    return Place(key=key, url=ports.objects.url_to_put(key, ports.settings.url_expires_s))


def url_of(ports: Ports, body: Body | None) -> str | None:
    """Where a worker gets it from, unless it is inline."""
    return _get(ports, body.key) if body is not None and body.key else None


def _get(ports: Ports, key: str) -> str:
    return ports.objects.url_to_get(key, ports.settings.url_expires_s)
