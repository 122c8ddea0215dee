"""One unit of queue work in a stage, with its lease, its attempts and their history."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from services.model.chat import Usage
from services.model.errors import FailureClass
from services.model.states import JobState
from services.model.values import Stored

JOB_VERSION = 0  # of an item's words; rises when a correction is saved


class Stage(StrEnum):
    """What kind of work a job is; the order is the pipeline's."""

    PREPARE = "prepare"
    DETECT = "detect"
    TRANSCRIBE = "transcribe"
    ASSEMBLE = "assemble"
    TRANSLATE = "translate"


class Lease(Stored):
    """Who has the job. `beat` rises with every sign of life of that worker."""

    node: str
    token: str
    beat: int = 0


class JobLimits(Stored):
    """What the running attempt may take, and the estimate that it was made from; `expected_s` is
    None while nothing was measured."""

    soft_s: float
    hard_s: float
    stuck_s: float
    expected_s: float | None = None


class HistoryEntry(Stored):
    """How one attempt ended without a result."""

    attempt: int
    at: float
    failure: FailureClass
    code: str
    message: str
    node: str | None = None
    started_at: float | None = None
    next_attempt_at: float | None = None


class Job(Stored):
    """The document of a job.

    `due` is when it may run (store clock, seconds). `size` is how much work it is, in seconds of
    audio or their equivalent. `label` is what a node must have to get it, as `name=value`. `open`
    is true while it is waiting, running or its expansion is pending, and is written together with
    the state. `inputs` is what its plan gave it; `result` is what its successful attempt
    reported, and the plan its children are expanded from. `reported` is the attempt whose final
    report was taken, so that a doubled report is known for what it is.
    """

    id: str
    task_id: str
    stage: Stage
    item: int
    language: str = ""  # target language of a translation, else empty
    source: str = ""  # "A" or "T" for a translation, else empty
    part: int = 0
    version: int = JOB_VERSION
    owner: str
    queue: str
    model: str = ""
    label: str = ""
    size: float = 0.0
    priority: int
    rank: int = 0  # fair share: in which turn of its owner it comes, see expand.next_rank
    created_at: float
    due: float
    announced_at: float | None = None
    state: JobState = JobState.WAITING
    open: bool = True
    expand: Literal["none", "pending", "done"] = "none"
    attempt: int = 0
    reported: int = 0
    lease: Lease | None = None
    losses: int = 0
    retries: dict[FailureClass, int] = Field(default_factory=dict)
    avoid: list[str] = Field(default_factory=list)
    safer: bool = False
    history: list[HistoryEntry] = Field(default_factory=list)
    inputs: dict[str, Any] = Field(default_factory=dict)
    result: dict[str, Any] | None = None
    usage: Usage | None = None  # what chat services took, over all its attempts
    limits: JobLimits | None = None  # None: the least that any attempt is given
    progress: float = 0.0
    progress_number: int = 0
    claimed_at: float | None = None
    finished_at: float | None = None

    @property
    def alone(self) -> bool:
        """A job that failed or was lost once is never bundled with healthy ones."""
        return bool(self.history)

    def is_held_by(self, token: str, attempt: int) -> bool:
        """Whether this attempt has the lease, or had it last."""
        return self.attempt == attempt and self.lease is not None and self.lease.token == token


WORDY = frozenset({Stage.TRANSCRIBE, Stage.ASSEMBLE, Stage.TRANSLATE})
"""Stages whose results hold texts, up to 64 KB of them inline; those of the others are small."""


def job_id(
    task_id: str,
    stage: Stage,
    item: int,
    *,
    language: str = "",
    source: str = "",
    part: int = 0,
    version: int = JOB_VERSION,
) -> str:
    """`<task>/<stage>/<item ordinal>/<language>/<source>/<part>/<version>`, `-` where empty.

    The id is a function of the committed plan, so an expansion that runs twice names the same
    jobs. Ordinals, never text ids: those are the caller's and may hold anything.
    """
    return f"{task_id}/{stage}/{item}/{language or '-'}/{source or '-'}/{part}/{version}"


def version_of(job_id: str) -> int:
    """Which version of an item's words the job is about, as its id says."""
    return int(job_id.rpartition("/")[2])


def queue_name(stage: Stage, model: str = "", label: str = "") -> str:
    """`prepare`, `assemble`, `transcribe.<model>`, `translate.<model>`; detect shares the
    transcribe queue of its model. Jobs that ask for a node's label have a queue of their own,
    `<queue>@<name>=<value>`, so that nobody else is rung for them."""
    tail = f"@{label}" if label else ""
    if stage in {Stage.DETECT, Stage.TRANSCRIBE}:
        return f"transcribe.{model}{tail}"
    if stage is Stage.TRANSLATE:
        return f"translate.{model}{tail}"
    return f"{stage.value}{tail}"


def base_queue(queue: str) -> str:
    """The queue without the label that it asks for."""
    return queue.partition("@")[0]
