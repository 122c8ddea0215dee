"""What a caller sees of a task: its state, how far it is, what failed and when it runs again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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


class Attempt(AnswerModel):
    """The last attempt of a job that failed at least once."""

    stage: Stage
    text_id: str
    language: str | None = Field(description="Target language of a translation.")
    source: str | None
    part: int
    attempts: int
    failure: FailureClass = Field(description="The class, which decides about retries.")
    code: str
    message: str
    at: datetime
    node: str | None
    next_attempt_at: datetime | None = Field(description="None: it is not tried again by itself.")
    dead: bool


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


class TaskDetail(TaskSummary):
    """A task by itself. Attempts, warnings and timings cover the first 100 items."""

    options: Options
    attempts: list[Attempt] = Field(description="Jobs that failed at least once; up to 100.")
    warnings: list[Warned]
    timings: dict[str, StageTiming] = Field(description="By stage.")


class TaskPage(AnswerModel):
    """Newest first; `next` is the cursor of the page that follows, None on the last."""

    tasks: list[TaskSummary]
    next: str | None
