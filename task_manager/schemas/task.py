"""What a caller sees of a task: its state, how far it is, what failed and when it runs again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from services.model.errors import FailureClass
from services.model.job import Stage
from services.model.task import Counts, Options, TaskState
from task_manager.schemas.new_task import PriorityName
from task_manager.schemas.request import AnswerModel


class TaskSummary(AnswerModel):
    """A task as the list shows it. Times are UTC."""

    id: str = Field(examples=["01k9x3v0s8h2m4q6r7t5w1y3z9"])
    state: TaskState
    progress: float = Field(description="0…1; 1 only when everything succeeded.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    priority: PriorityName
    items: int = Field(description="How many items the task has.")
    targets: list[str] = Field(description="In the order and spelling of the results.")
    counts: Counts = Field(description="Jobs by state, and cells; at most a second old.")
    cancel_requested: bool
    metadata: dict[str, Any]


class AcceptedTask(TaskSummary):
    """A task that was taken."""

    webhook_secret: str | None = Field(
        description="What its webhook is signed with, where the request gave no secret of its "
        "own. It is shown here only, and again to the same Idempotency-Key."
    )


class JobName(AnswerModel):
    """Which job of the task it is."""

    stage: Stage
    text_id: str
    language: str | None = Field(description="Target language of a translation.")
    source: str | None
    part: int
    attempt: int = Field(description="Which try it was or is; the first is 1.")


class Attempt(JobName):
    """A try that ended without a result."""

    attempts: int = Field(description="How many tries the job has had by now.")
    failure: FailureClass = Field(description="The class, which decides about retries.")
    code: str
    message: str
    node: str | None
    started_at: datetime | None
    at: datetime = Field(description="When it failed.")
    next_attempt_at: datetime | None = Field(
        description="When the job, which waits, is tried again; None for tries that were not the "
        "last, and where it is not tried again by itself."
    )
    dead: bool = Field(description="With this try the job has failed for good.")


class RunningJob(JobName):
    """A try that is under way, and the time that it is given."""

    node: str | None
    started_at: datetime | None
    progress: float = Field(description="0…1.")
    expected_seconds: float | None = Field(
        description="How long such work takes in all; None while none was measured."
    )
    soft_limit_s: float = Field(description="After so long the work is asked to stop.")
    hard_limit_s: float = Field(description="After so long its process is ended.")


class StageTiming(AnswerModel):
    """How long a stage took: seconds of work over all jobs, and from the first claim to the
    last end."""

    jobs: int
    work_seconds: float
    wall_seconds: float


class Warned(AnswerModel):
    """Something about an item that is no failure."""

    text_id: str
    warning: str


class OutputsError(AnswerModel):
    """Why the last try to write came to nothing."""

    code: str
    message: str


class Outputs(AnswerModel):
    """What is written under the task's output prefix, and what became of it."""

    prefix: str
    state: Literal["pending", "written", "failed"] = Field(
        description="`pending` until all is written, or given up after some tries."
    )
    count: int = Field(description="How many objects were written.")
    index: str | None = Field(description="The key of the object that lists all keys.")
    keys: list[str] = Field(
        description="Of all objects, up to 100; of more than that, those of the whole task."
    )
    error: OutputsError | None
    next_attempt_at: datetime | None = Field(description="When it is tried again.")


class TaskOptions(Options):
    """How the task is run, what was not stated at its default; the three options of the decoder
    that were there first are also named by themselves."""

    beam_size: int
    prompt: str
    temperature: float | None = Field(description="None: 0, and more where a window goes wrong.")

    @classmethod
    def of(cls, options: Options) -> TaskOptions:
        decoding = options.decoding
        one = decoding.temperature[0] if len(decoding.temperature) == 1 else None
        named = {"beam_size": decoding.beam_size, "prompt": decoding.prompt, "temperature": one}
        return cls.model_validate({**dict(options), **named})


class UsageView(AnswerModel):
    """What chat services took, over all tries, also those that failed."""

    requests: int
    input_tokens: int
    output_tokens: int
    cost: float | None = Field(
        description="In the currency of the catalog's prices; None where it has none."
    )
    estimated: bool = Field(description="A service did not count some of the tokens.")


class TaskDetail(TaskSummary):
    """A task by itself. Attempts, running jobs, warnings and timings cover the first 100 items."""

    options: TaskOptions
    media_until: datetime | None = Field(
        description="When its audio is removed; None while it has not ended, and where it is kept."
    )
    results_until: datetime | None = Field(
        description="When the task is deleted; None while it has not ended, and where it is kept."
    )
    outputs: Outputs | None = Field(description="None where the task names no output prefix.")
    usage: UsageView | None = Field(description="None where no chat service was asked.")
    position: int | None = Field(
        description="How many jobs stand before its first waiting one in that queue, up to "
        "10,000; None where none of its jobs waits."
    )
    expected_seconds: float | None = Field(
        description="Until it has ended, by what was measured; None while that is not known."
    )
    expected_at: datetime | None
    running: list[RunningJob] = Field(description="Up to 100.")
    no_node: list[str] = Field(
        description="Queues in which its jobs wait and that no live node serves."
    )
    attempts: list[Attempt] = Field(
        description="Tries that ended without a result, newest last; the newest 100."
    )
    warnings: list[Warned]
    timings: dict[str, StageTiming] = Field(description="By stage.")


class TaskPage(AnswerModel):
    """Newest first; `next` is the cursor of the page that follows, None on the last."""

    tasks: list[TaskSummary]
    next: str | None
