"""What the client reads of the server's answers; fields of newer servers are read over."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from pydantic import Field

from services.model.differences import Difference
from services.model.glossary import GlossaryUse
from services.model.hotwords import Hinted
from services.model.task import Counts, TaskState
from services.model.transcript import Check, Segment
from services.model.values import Stored


class AttemptView(Stored):
    """A try that ended without a result, and when the job runs again."""

    stage: str
    text_id: str
    language: str | None = None
    part: int = 0
    attempt: int = 1
    attempts: int
    failure: str
    code: str
    message: str
    node: str | None = None
    at: datetime | None = None
    next_attempt_at: datetime | None = None
    dead: bool


class RunningView(Stored):
    """A try that is under way; `hard_limit_s` is when its process is ended."""

    stage: str
    text_id: str
    language: str | None = None
    part: int = 0
    attempt: int = 1
    node: str | None = None
    started_at: datetime | None = None
    progress: float = 0.0
    expected_seconds: float | None = None
    hard_limit_s: float


class StageTiming(Stored):
    """Seconds of work over all jobs of a stage, and from its first claim to its last end."""

    jobs: int
    work_seconds: float
    wall_seconds: float


class Warned(Stored):
    """Something about an item that is no failure."""

    text_id: str
    warning: str


class ErrorView(Stored):
    """A code for programs, and what it means for people."""

    code: str
    message: str


class OutputsView(Stored):
    """What is written under the task's output prefix; `index` is the key of a list of all."""

    prefix: str
    state: str
    count: int = 0
    index: str | None = None
    keys: list[str] = Field(default_factory=list)
    error: ErrorView | None = None
    next_attempt_at: datetime | None = None


class TaskView(Stored):
    """A task; the list leaves out what has a default here."""

    id: str
    state: TaskState
    progress: float
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    priority: str
    items: int
    targets: list[str]
    counts: Counts
    cancel_requested: bool = False
    options: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)
    outputs: OutputsView | None = None
    position: int | None = None
    expected_seconds: float | None = None
    running: list[RunningView] = Field(default_factory=list)
    no_node: list[str] = Field(default_factory=list)
    attempts: list[AttemptView] = Field(default_factory=list)
    warnings: list[Warned] = Field(default_factory=list)
    timings: dict[str, StageTiming] = Field(default_factory=dict)
    media_until: datetime | None = None
    usage: dict[str, Any] | None = None  # what chat services took
    results_until: datetime | None = None
    webhook_secret: str | None = None  # shown once, to who made the task


class CellView(Stored):
    """waiting, running, done, failed or cancelled."""

    state: str
    error: ErrorView | None = None
    version: int = 0
    outdated: bool = False
    glossary: GlossaryUse | None = None
    flags: dict[str, int] = Field(default_factory=dict)  # how many sentences look wrong, and how


class ItemView(Stored):
    """An item; `cells` is language → source → cell."""

    text_id: str
    audio: dict[str, Any] | None = None
    language: str | None = None
    spoken_language: str | None = None
    duration: float | None = None
    coverage: float | None = None
    gaps: list[tuple[float, float]] = Field(default_factory=list)
    channels: list[str] = Field(default_factory=list)
    engine_seconds: float | None = None
    reused: bool = False
    check: Check | None = None
    warnings: list[str] = Field(default_factory=list)
    hotwords: Hinted | None = None
    cells: dict[str, dict[str, CellView]]

    @property
    def tongue(self) -> str:
        """Its language for a person, with the spoken one where that is another."""
        spoken, language = self.spoken_language, self.language or "?"
        return language if spoken in {None, self.language} else f"{spoken} → {language}"


class CorrectionView(Stored):
    """What was saved; while `state` is queued or running translations are made anew."""

    text_id: str
    source: str
    language: str
    version: int
    state: TaskState


class VersionView(Stored):
    """Words that counted, or count; `corrected_by` is a key, None where a model made them."""

    version: int
    at: datetime
    corrected_by: str | None = None


class CheckView(Stored):
    """An item against its text: how far, and a page of the places where the two part."""

    text_id: str
    language: str
    check: Check
    threshold: float | None = None
    action: str = "flag"
    above: bool = False
    differences: list[Difference]
    next: int | None = None


class TranscriptView(Stored):
    """What was heard of an item so far; all of it when `complete`."""

    text_id: str
    source: str = "A"
    language: str | None = None
    spoken_language: str | None = None
    complete: bool
    text: str = ""
    duration: float | None = None
    segments: list[Segment]
    dropped: list[Segment] = Field(default_factory=list)
    version: int = 0
    corrected_by: str | None = None
    corrected_at: datetime | None = None


Result: TypeAlias = dict[str, dict[str, dict[str, str]]]
"""The expanded pack: language → text id → source → text."""


class CodedResult(Stored):
    """The coded pack: languages are numbers of the code book, `missing` lists what failed, and
    `versions` what was corrected."""

    schema_: int = Field(alias="schema")
    codebook: int
    complete: bool
    missing: list[tuple[int, str, str]]
    versions: list[tuple[int, str, str, int]] = Field(default_factory=list)
    data: Result


class CellText(Stored):
    """One cell of the result."""

    language: str
    text_id: str
    source: str
    text: str


class DeadJobView(Stored):
    """A job that is not tried again by itself."""

    id: str
    task: str
    task_state: TaskState
    stage: str
    queue: str
    text_id: str
    language: str | None = None
    source: str | None = None
    part: int = 0
    attempts: int
    failure: str | None = None
    code: str
    message: str
    node: str | None = None
    at: datetime


class SkippedView(Stored):
    """A task that was not retried, and why."""

    task: str
    code: str


class RetriedView(Stored):
    """What became of a wish to retry."""

    retried: list[str] = Field(default_factory=list)
    skipped: list[SkippedView] = Field(default_factory=list)
    next: str | None = None

    def plus(self, other: RetriedView) -> RetriedView:
        """Both together; a task is told once."""
        told = {*self.retried, *(each.task for each in self.skipped)}
        return RetriedView(
            retried=[*self.retried, *(task for task in other.retried if task not in told)],
            skipped=[*self.skipped, *(each for each in other.skipped if each.task not in told)],
            next=other.next,
        )


class PartView(Stored):
    """A part that has come; `etag` is a hash of its bytes in hex."""

    number: int
    size: int
    etag: str


class PartsView(Stored):
    """How a file is cut that comes in parts, and what of it has come."""

    part_bytes: int
    count: int
    direct: bool = False
    received: list[PartView] = Field(default_factory=list)


class UploadView(Stored):
    """A file of its own; tasks name it by its key once it is complete."""

    key: str
    name: str
    size: int
    sha256: str
    complete: bool = True
    parts: PartsView | None = None
