"""A new task: its files are sent, and then it is made, once however often that must be repeated."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, TypedDict

from services.client.calls.reading import a
from services.client.calls.uploads import Tell, forget, upload
from services.client.steps import Steps, ask, call
from services.client.views import TaskView, UploadView
from services.model.export import Form
from services.model.webhook import Happening, Payload

Audio: TypeAlias = str | Path | bytes | BinaryIO | UploadView
"""A file on disk, a URL (a string with `://` in it), bytes, an open file, or what `upload` gave."""

Priority: TypeAlias = Literal["urgent", "normal", "bulk"]
CheckAction: TypeAlias = Literal["flag", "fail"]
Channels: TypeAlias = Literal["mix", "each"]


class Hotwords(TypedDict, total=False):
    """Terms that the speech model shall expect; docs/hotwords.md says what each method does."""

    terms: Sequence[str | dict[str, str | float]]
    list: str
    method: Literal["prompt", "bias"]
    boost_factor: float


class Glossary(TypedDict, total=False):
    """How terms are translated; docs/glossaries.md says how they are found."""

    terms: Sequence[dict[str, Any]]
    lists: Sequence[str]


class DecodeOptions(TypedDict, total=False):
    """How a speech model writes down what it hears; docs/transcription.md has ranges and defaults,
    and what goes together."""

    mode: Literal["sequential", "batched"]
    batch_size: int
    task: Literal["transcribe", "translate"]
    beam_size: int
    best_of: int
    n_best: int
    patience: float
    length_penalty: float
    repetition_penalty: float
    no_repeat_ngram_size: int
    temperature: float | list[float]
    sampling_top_k: int
    compression_ratio_threshold: float | None
    log_prob_threshold: float | None
    no_speech_threshold: float | None
    hallucination_silence_threshold: float
    prompt: str
    prefix: str
    condition_on_previous_text: bool
    max_new_tokens: int
    max_length: int
    suppress_tokens: list[int]
    suppress_blank: bool
    guards: bool | list[str]
    num_beams: int
    num_return_sequences: int
    top_k: int
    do_sample: bool
    early_stopping: bool


class Options(DecodeOptions, total=False):
    """How a task is run; docs/api.md says what each option does."""

    model: str
    translate_model: str
    translate_models: dict[str, list[str]]
    vad: bool
    word_timestamps: bool
    segments: Literal["auto", "sentences", "engine"]
    spoken: list[str]
    language_threshold: float
    language_unsure: Literal["warn", "fail"]
    multilingual: bool
    reuse: bool
    previews: bool
    keywords: list[str]
    hotwords: Hotwords
    glossary: Glossary
    channels: Channels
    check_threshold: float
    check_action: CheckAction
    language_spelling: Literal["canonical", "caller"]
    output_forms: list[Form]
    output_bilingual: bool
    node_label: str


class Retention(TypedDict, total=False):
    """How long to keep what belongs to a task, in seconds after its end."""

    media_seconds: float
    results_seconds: float


class _Url(TypedDict):
    url: str


class TaskWebhook(_Url, total=False):
    """Where to tell of one task."""

    events: Sequence[Happening | str]
    payload: Payload
    secret: str


@dataclass(frozen=True, slots=True)
class Item:
    """An audio, a reference text, or both. A text needs a language; that of an audio is heard where
    none is stated. The text id is by default the stem of the file's name, or the item's number."""

    audio: Audio | None = None
    text: str | None = None
    text_id: str | None = None
    language: str | None = None


def submit(
    *items: Item | Audio,
    targets: Sequence[str],
    language: str | None = None,
    options: Options | None = None,
    priority: Priority | None = None,
    metadata: Mapping[str, Any] | None = None,
    retention: Retention | None = None,
    webhook: TaskWebhook | None = None,
    output_prefix: str | None = None,
    idempotency_key: str | None = None,
    on_upload: Tell | None = None,
) -> Steps[TaskView]:
    """Sends the files of a new task and makes it. When this returns, none of it will be lost.

    The same `idempotency_key` with the same request is answered with the first task; without one
    each call makes a task of its own.
    """
    given = [each if isinstance(each, Item) else Item(each) for each in items]
    described = []
    for item in given:
        about = yield from _described(item, on_upload)
        described.append(about)
    rest = {
        "language": language,
        "options": options,
        "priority": priority,
        "metadata": metadata,
        "retention": retention,
        "webhook": webhook,
        "output_prefix": output_prefix,
    }
    body = {"items": described, "targets": list(targets)}
    body |= {name: value for name, value in rest.items() if value is not None}
    headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
    wanted = call("POST", "/v1/tasks", a(TaskView), json=body, headers=headers, repeatable=True)
    task = yield from ask(wanted)
    yield from forget([path for item in given if (path := _path(item.audio)) is not None])
    return task


def _described(item: Item, on_upload: Tell | None) -> Steps[dict[str, Any]]:
    """The item as the server takes it; its file is sent first."""
    audio = item.audio
    if isinstance(audio, UploadView):
        audio = audio.key
    elif audio is not None and not _is_url(audio):
        sent = yield from upload(audio, on_progress=on_upload)
        audio = sent.key
    about = {
        "text_id": item.text_id,
        "audio": audio,
        "text": item.text,
        "language": item.language,
    }
    return {name: value for name, value in about.items() if value is not None}


def _is_url(audio: Audio) -> bool:
    return isinstance(audio, str) and "://" in audio


def _path(audio: Audio | None) -> Path | None:
    """Where a file that was sent lies on disk."""
    return Path(audio) if isinstance(audio, str | Path) and not _is_url(audio) else None
