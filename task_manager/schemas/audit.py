"""The audit log as administrators read it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from task_manager.schemas.request import AnswerModel


class AuditEntry(AnswerModel):
    """Who did what, on what, and how it ended."""

    id: str
    at: datetime
    key: str = Field(description="A key's id; `static`: the server's own key; `local`: no key.")
    owner: str
    action: str = Field(description="Such as `task.cancel` or `key.create`.")
    subject: str = Field(description="The id of the task, upload, node or key.")
    outcome: str = Field(description="`ok`, or the code of the refusal.")
    address: str = Field(description="Who connected; behind a proxy that is the proxy.")


class AuditPage(AnswerModel):
    entries: list[AuditEntry]
    next: str | None = Field(description="The cursor of the next page.")
