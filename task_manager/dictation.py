"""One audio whose caller waits: from a form to a task, the same one when it is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import Request

from services.model.catalog import ModelEntry
from services.model.decoding import Decoding, ladder
from services.model.errors import Invalid, TooLarge, UnsupportedContent
from services.model.languages import parse_language
from services.model.retention import Retention
from services.model.task import (
    AudioInput,
    ItemSpec,
    Manifest,
    Options,
    Priority,
    Target,
    Task,
    TaskState,
)
from services.storage import keys
from task_manager.audit import Clerk
from task_manager.intake import read_in_thread
from task_manager.manifests import check_hints, named_after
from task_manager.multipart import Part, parts
from task_manager.pipeline import attendance
from task_manager.pipeline.accept import request_digest
from task_manager.submission import Submission, check_key
from task_manager.tongues import check_heard

MAX_FIELDS = 1024 * 1024  # characters of all fields of a form together
ENGLISH = "en"

T = TypeVar("T")
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Dictation:
    """What is wanted: the words as they are spoken, or in `english`, or only their language.
    `language` is a tag or a name of it; without one it is one of `spoken`, if any are given.

    A speech model that was trained to write English does so itself, in one go and with nothing
    else installed; what another one hears goes on to a translation model."""

    model: ModelEntry
    language: str | None = None
    spoken: Sequence[str] = ()
    english: bool = False
    only_detect: bool = False
    prompt: str = ""
    keywords: Sequence[str] = ()
    temperature: float | None = None
    word_timestamps: bool = False
    vad: bool = True

    def manifest(self, audio: AudioInput) -> Manifest:
        """Raises Invalid."""
        check_hints(self.prompt, list(self.keywords))
        language = self._tag(self.language, "language") if self.language else None
        spoken = [self._tag(tag, f"languages.{n}") for n, tag in enumerate(self.spoken) if tag]
        if language is None and len(spoken) == 1:
            language = spoken[0]
        return Manifest(
            items=[ItemSpec(text_id=named_after(audio.name), audio=audio, language=language)],
            targets=self._targets(),
            options=Options(
                transcribe_model=self.model.name,
                decoding=Decoding(
                    task="translate" if self._by_itself else "transcribe",
                    prompt=self.prompt,
                    temperature=ladder(self.temperature),
                ),
                keywords=list(self.keywords),
                spoken=[] if language else spoken,
                word_timestamps=self.word_timestamps,
                vad=self.vad,
                only_detect=self.only_detect,
            ),
        )

    @property
    def _by_itself(self) -> bool:
        """Whether the speech model writes the English."""
        return self.english and self.model.writes_english

    def _targets(self) -> list[Target]:
        if not self.english or self._by_itself:
            return []
        return [Target(language=ENGLISH, spelling=ENGLISH)]

    def _tag(self, written: str, field: str) -> str:
        tag = parse_language(written, field=field)
        check_heard(self.model, tag, field)
        return tag


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the form of one route is taken in: its file stands in the field `file`, and is stored
    as `wrap` makes it."""

    submission: Submission
    clerk: Clerk
    file: str
    route: str
    wrap: Callable[[Iterator[bytes]], Iterator[bytes]] = iter

    def take(
        self,
        body: Iterable[bytes],
        content_type: str,
        understand: Callable[[Fields], tuple[Dictation, T]],
    ) -> tuple[Task, T]:
        """The task that does what the form asks for, and what else was understood of it. A
        request that comes again, by its Idempotency-Key or else by its content, finds its task
        again, unless that has come to nothing. Raises RequestRefused."""
        understood: list[T] = []

        def taken(task_id: str) -> Task:
            form = _Form(self, task_id)
            for part in parts(body, content_type):
                form.take(part)
            wanted, more = understand(form.fields)
            understood.append(more)
            return self._accept(task_id, wanted.manifest(form.required_audio()))

        return self.submission.taking(taken), understood[0]

    def _accept(self, task_id: str, manifest: Manifest) -> Task:
        pipeline, owner = self.submission.pipeline, self.submission.owner
        store = pipeline.ports.store
        metadata = {"route": self.route}
        kept = Retention(results_s=pipeline.ports.settings.keep_dictations_s)
        name = check_key(self.submission.idempotency_key) or request_digest(
            manifest, Priority.URGENT, metadata, kept
        )

        def is_free(number: int) -> bool:
            known = store.task_by_key(owner, f"{self.route}:{name}:{number}")
            return known is None or not _came_to_nothing(known)

        task, made = pipeline.accept(
            task_id=task_id,
            owner=owner,
            manifest=manifest,
            priority=Priority.URGENT,
            metadata=metadata,
            idempotency_key=f"{self.route}:{name}:{first(is_free)}",
            retention=kept,
        )
        if not made:
            attendance.come(pipeline.ports, task)
        return task


async def dictated(
    request: Request, desk: Desk, understand: Callable[[Fields], tuple[Dictation, T]]
) -> tuple[Task, T]:
    """The task of a request and what else was understood of it. Raises RequestRefused."""
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise UnsupportedContent("Send multipart/form-data, and say so in Content-Type.")
    with desk.clerk.noting("task.create") as note:
        task, more = await read_in_thread(
            request, lambda body: desk.take(body, content_type, understand)
        )
        note.subject = task.id
    return task, more


def _came_to_nothing(task: Task) -> bool:
    failed = task.state.ended and task.state is not TaskState.SUCCEEDED
    return failed or task.cancel or task.deleted_at is not None


def first(is_free: Callable[[int], bool]) -> int:
    """The first number that is free, where all below a free one are taken, in a few looks."""
    taken, free = -1, 0
    while not is_free(free):
        taken, free = free, 2 * free + 1
    while free - taken > 1:
        middle = (taken + free) // 2
        if is_free(middle):
            free = middle
        else:
            taken = middle
    return free


@dataclass(slots=True)
class _Form:
    """What the parts of the form have told so far; arrays come with and without brackets."""

    desk: Desk
    task_id: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    audio: AudioInput | None = None
    size: int = 0

    def take(self, part: Part) -> None:
        if part.name == self.desk.file:
            self._take_file(part)
            return
        text = part.text()
        self.size += len(part.name) + len(text)
        if self.size > MAX_FIELDS:
            raise TooLarge(f"The fields of this form have up to {MAX_FIELDS} characters together.")
        self.fields.setdefault(part.name.removesuffix("[]"), []).append(text)

    def required_audio(self) -> AudioInput:
        if self.audio is None:
            raise Invalid(
                f"Send the audio as a file in the form field {self.desk.file!r}.",
                code="required",
                field=self.desk.file,
            )
        return self.audio

    def _take_file(self, part: Part) -> None:
        if self.audio is not None:
            raise Invalid("This field is given twice.", code="repeated_field", field=part.name)
        key = keys.audio(self.task_id, 0)
        name = part.filename or ""
        store = self.desk.submission.intake.store
        self.audio = store(key, name, self.desk.wrap(part.chunks), field=part.name)
