"""What a user asked for: numbered items × target languages, and how far it has come."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from services.model.correction import Correction
from services.model.decoding import Decoding
from services.model.export import USUAL_FORMS, Export, Form
from services.model.glossary import Glossary
from services.model.hotwords import Hotwords
from services.model.retention import Retention
from services.model.stages import Channels, Unsure
from services.model.values import Stored
from services.model.webhook import TaskWebhook


class TaskState(StrEnum):
    """Where a task stands; derived from its jobs and outputs, never set by hand."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in {TaskState.QUEUED, TaskState.RUNNING}


class Source(StrEnum):
    """Which words were translated."""

    AUDIO = "A"  # what was heard
    TEXT = "T"  # the reference text


class Priority(IntEnum):
    """Lower runs first."""

    URGENT = 0
    NORMAL = 5
    BULK = 9


class AudioInput(Stored):
    """An uploaded object by `key`: `size` in bytes, `sha256` in hex, `name` as the user called the
    file. Or a user's `url`, which a worker will fetch, with nothing known of it yet."""

    key: str
    size: int
    sha256: str
    name: str = ""
    url: str = ""


class ItemSpec(Stored):
    """One entry of the manifest; `language` is a BCP-47 tag, or None to detect it."""

    text_id: str
    audio: AudioInput | None = None
    text: str | None = None
    language: str | None = None


class Target(Stored):
    """A target language as we name it, and as the caller spelt it."""

    language: str
    spelling: str


Segments = Literal["auto", "sentences", "engine"]


ANY_TARGET = "*"  # of `translate_models`: for every target without a list of its own


class Options(Stored):
    """How the task is run; every field is validated when the task is created."""

    transcribe_model: str
    translate_model: str | None = None  # None: the catalog chooses by language pair
    translate_models: dict[str, list[str]] = Field(default_factory=dict)  # by target, or ANY_TARGET
    decoding: Decoding = Decoding()
    word_timestamps: bool = False
    segments: Segments = "auto"
    vad: bool = True
    channels: Channels = "mix"
    keywords: list[str] = Field(default_factory=list)  # terms that the engine shall expect
    hotwords: Hotwords | None = None  # the same with a method and boosts
    glossary: Glossary | None = None  # how terms are translated
    spoken: list[str] = Field(default_factory=list)  # one of these languages, where none is stated
    language_threshold: float = 0.5  # a language that is less probable is only a guess
    language_unsure: Unsure = "warn"
    multilingual: bool = False  # each stretch of speech in a language of its own
    reuse: bool = False  # what was heard before in the same sound is taken over
    previews: bool = False  # translate sentences while the rest of their part is being heard
    only_detect: bool = False  # name the language, and write nothing down
    check_threshold: float | None = None  # the error rate that an item may have
    check_action: Literal["flag", "fail"] = "flag"  # what becomes of items above it
    language_spelling: Literal["canonical", "caller"] = "canonical"
    output_forms: list[Form] = Field(default_factory=lambda: [*USUAL_FORMS])  # of files in a bucket
    output_bilingual: bool = False  # files of each translation with its source, too
    node_label: str = ""  # `name=value` that a node must have to work on the task

    @model_validator(mode="before")
    @classmethod
    def _of_older_release(cls, found: Any) -> Any:
        """Three options of the decoder stood here by themselves."""
        if not isinstance(found, dict) or "decoding" in found:
            return found
        old = {name: found[name] for name in ("beam_size", "prompt") if name in found}
        if found.get("temperature"):
            old["temperature"] = [found["temperature"]]
        return {**found, "decoding": old}

    def comparable(self, item: ItemSpec) -> str | None:
        """The text that what is heard of an item can be held against: one in the same language."""
        heard = self.decoding.language(item.language or "")
        return item.text if heard == item.language else None

    @property
    def recut(self) -> bool:
        """Whether segments are cut anew, from words into sentences: by default where words are
        timed anyway, or an engine cuts every 30 seconds."""
        if self.segments == "auto":
            return self.word_timestamps or self.decoding.mode == "batched"
        return self.segments == "sentences"

    def translators(self, target: str) -> list[str] | None:
        """The models of which the first that serves the pair is taken; None where the catalog
        chooses."""
        if self.translate_model is not None:
            return [self.translate_model]
        return self.translate_models.get(target) or self.translate_models.get(ANY_TARGET)


class Manifest(Stored):
    """The whole request in canonical form; expansions read nothing else. Without a target it asks
    for the words themselves, and those of each item are its one cell."""

    items: list[ItemSpec]
    targets: list[Target]
    options: Options

    @property
    def languages(self) -> list[str]:
        """The target languages, as requested."""
        return [target.language for target in self.targets]

    def sources(self, item: ItemSpec) -> list[Source]:
        """Which cells an item gives for each language, in the pack's order."""
        given = [(Source.AUDIO, item.audio), (Source.TEXT, item.text)]
        return [source for source, value in given if value is not None]

    @property
    def cells(self) -> int:
        """How many cells the whole task has."""
        return max(1, len(self.targets)) * sum(len(self.sources(item)) for item in self.items)

    def stated(self, item: ItemSpec) -> list[str]:
        """The languages that an item is translated from, as far as they are known beforehand."""
        heard = self.options.decoding.language(item.language or "") if item.audio else None
        read = item.language if item.text is not None else None
        return list(dict.fromkeys(language for language in (heard, read) if language))

    def own_words_count(self, language: str) -> bool:
        """Whether an item's own words, in this language, are a cell of the task."""
        return not self.targets or language in self.languages


class Counts(Stored):
    """A snapshot of a task's jobs by state and its cells; refreshed at most once a second."""

    waiting: int = 0
    running: int = 0
    succeeded: int = 0
    dead: int = 0
    cancelled: int = 0
    cells: int = 0
    cells_done: int = 0


class Task(Stored):
    """The document of a task. Times are seconds since 1970 by the store's clock.

    `revision` rises with cancel, retry, added languages, delete and finalise, which are
    compare-and-set on it. `expand` is "pending" until the items and first jobs are written, or,
    of a task that was opened again, the jobs of the languages `added` to it, or what is to follow
    from a `correction`; `corrections` counts those that were saved. `look_at` is when the
    settle loop looks next; None once the task has ended. From then on `expire_at` is when
    something of it is removed next, and `media_gone_at` when its media were. `ends` counts how
    often it has ended, which what opens it again undoes; `export` is what was written under
    `output_prefix` for one of these ends.
    """

    id: str
    owner: str
    created_at: float
    manifest: Manifest
    priority: int = Priority.NORMAL
    metadata: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = None
    idempotency_digest: str | None = None
    webhook: TaskWebhook | None = None
    output_prefix: str = ""
    state: TaskState = TaskState.QUEUED
    revision: int = 0
    cancel: bool = False
    expand: Literal["pending", "done"] = "pending"
    revive: bool = False  # a retry asked for it: the pending expansion also revives dead jobs
    added: list[str] = Field(default_factory=list)
    correction: Correction | None = None
    corrections: int = 0
    look_at: float | None = None
    counts: Counts = Counts()
    counts_at: float = 0.0
    progress: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    ends: int = 0
    export: Export | None = None
    deleted_at: float | None = None
    purged_at: float | None = None
    retention: Retention = Retention()
    expire_at: float | None = None
    media_gone_at: float | None = None

    @property
    def awaits_export(self) -> bool:
        """It has ended, and what it asked to have written is neither there nor given up."""
        written = self.export is not None and self.export.end == self.ends
        return bool(self.output_prefix) and self.state.ended and not written


class Item(Stored):
    """One numbered entry of a task as the store keeps it; what was learnt stands in its jobs."""

    id: str  # <task>/<ordinal>
    task_id: str
    ordinal: int
    text_id: str
    audio: AudioInput | None = None
    text: str | None = None
    language: str | None = None


class Upload(Stored):
    """A file that came by itself and waits to be named by a task. One in parts is not complete
    before its end: until then `size` and `sha256` are what was announced, the hash perhaps "",
    and `parts` is what the store calls its parts, which have `part_bytes` each but the last."""

    key: str
    owner: str
    name: str
    size: int
    sha256: str
    created_at: float
    complete: bool = True
    parts: str = ""
    part_bytes: int = 0


class TaskEvent(Stored):
    """One line of a task's log; `number` starts at 1 and has no gaps.

    `position` is its place among all events of the owner: microseconds since 1970 or a little
    more, unique, and rising within a task. Lines of older releases have none, which is 0.
    """

    task_id: str
    owner: str = ""
    number: int
    position: int = 0
    at: float
    kind: str  # state · progress · segments · preview · language · item · cell · asked · left
    data: dict[str, Any] = Field(default_factory=dict)
