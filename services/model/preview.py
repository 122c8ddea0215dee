"""A preview: sentences of a part that is still being heard, to be translated ahead of their time.

It is no job of its task: it holds nothing open, counts nowhere, is never tried again, and goes
when the words that count are there. What comes of it is shown, and remembered for those.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.model.job import Job, Lease
from services.model.transcript import Segment
from services.model.values import Stored

STAGE = "preview"
ATTEMPT = 1  # the only one


class Preview(Stored):
    """`heard` is the job that the sentences come from, in its attempt `heard_attempt`. The numbers
    of the sentences go on from preview to preview of one attempt. An ended one stays until it is
    dropped: what it made may be told a moment later."""

    id: str
    task_id: str
    owner: str
    item: int
    part: int
    heard: str
    heard_attempt: int
    language: str
    source_language: str
    queue: str
    model: str
    created_at: float
    announced_at: float = 0.0  # not yet
    state: Literal["waiting", "running", "ended"] = "waiting"
    lease: Lease | None = None
    sentences: list[Segment] = Field(default_factory=list)

    def is_held_by(self, token: str, attempt: int) -> bool:
        """Whether this attempt has the lease, or had it last."""
        return attempt == ATTEMPT and self.lease is not None and self.lease.token == token


def preview_id(heard: Job, language: str, first: int) -> str:
    """`<task>/preview/<item ordinal>/<language>/A/<part>/<attempt>-<first sentence>`; sentences
    that are told twice name the same preview."""
    place = f"{heard.item}/{language}/A/{heard.part}"
    return f"{heard.task_id}/{STAGE}/{place}/{heard.attempt}-{first}"


def is_preview(job_id: str) -> bool:
    return job_id.split("/")[1:2] == [STAGE]
