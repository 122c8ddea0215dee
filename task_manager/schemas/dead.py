"""Jobs that died, and which of their tasks to run again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.model.errors import FailureClass
from services.model.job import Stage
from services.model.task import TaskState
from task_manager.schemas.request import AnswerModel, RequestModel

PAGE = 200  # jobs that one call to retry looks at

Name = Annotated[str, Field(max_length=300)]


class DeadJob(AnswerModel):
    """A job that is not tried again by itself, and the last thing that went wrong."""

    id: str
    task: str
    task_state: TaskState = Field(description="A task that has not ended cannot be retried yet.")
    stage: Stage
    queue: str
    text_id: str
    language: str | None = Field(description="Target language of a translation.")
    source: str | None
    part: int
    attempts: int
    failure: FailureClass | None
    code: str
    message: str
    node: str | None
    at: datetime


class DeadJobs(AnswerModel):
    jobs: list[DeadJob]
    next: str | None = Field(description="The cursor of the next page.")


class RetryDead(RequestModel):
    """Either `tasks`, or `all` of those that the filters leave."""

    tasks: list[Name] = Field(default_factory=list, max_length=PAGE)
    all: Literal[True] | None = None
    queue: Name | None = None
    code: Name | None = None
    cursor: str | None = Field(
        default=None, max_length=1000, description="The `next` of the call before."
    )


class Skipped(AnswerModel):
    """A task that was left as it is."""

    task: str
    code: str = Field(description="`not_terminal`, `nothing_to_retry`, `not_found` or `gone`.")


class Retried(AnswerModel):
    retried: list[str]
    skipped: list[Skipped]
    next: str | None = Field(description="There is more: send it as `cursor` to go on.")
