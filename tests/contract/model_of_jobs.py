"""Jobs as they must be, without a store: what each operation does, on a page of plain Python."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.model.job import Job
from services.model.states import Event, JobState, arrow

REPORTS = {Event.SUCCEED, Event.FAIL_AGAIN, Event.FAIL_FOR_GOOD, Event.RELEASE}
FAILURES = {Event.FAIL_AGAIN, Event.FAIL_FOR_GOOD, Event.LOSE, Event.LOSE_FOR_GOOD}


@dataclass(frozen=True)
class Known:
    """What a job must look like; `token` and `beat` are of its lease, -1 without one."""

    state: JobState = JobState.WAITING
    attempt: int = 0
    reported: int = 0
    token: str = ""
    beat: int = -1
    number: int = 0
    lines: int = 0
    expand: str = "none"

    @property
    def open(self) -> bool:
        """The definition that the stored flag must equal."""
        return not self.state.ended or self.expand == "pending"

    def held(self, attempt: int, token: str) -> bool:
        return (self.state, self.attempt, self.token) == (JobState.RUNNING, attempt, token)

    def claimed(self, token: str) -> Known:
        changes = {"state": JobState.RUNNING, "attempt": self.attempt + 1, "token": token}
        return replace(self, **changes, beat=0, number=0)

    def beaten(self) -> Known:
        return replace(self, beat=self.beat + 1)

    def after(self, event: Event) -> Known:
        """After an event that its arrow lets move."""
        job = replace(self, state=arrow(self.state, event).to)
        if event in REPORTS:
            job = replace(job, reported=self.attempt, token="", beat=-1)
        if event in FAILURES:
            job = replace(job, lines=self.lines + 1)
        if event is Event.SUCCEED:
            job = replace(job, expand="pending")
        if event is Event.CANCEL:
            job = replace(job, expand="none")
        if event is Event.REVIVE:
            job = replace(job, token="", beat=-1)
        return job

    def expanded(self, attempt: int) -> Known:
        done = self.state.ended and self.attempt == attempt and self.expand == "pending"
        return replace(self, expand="done") if done else self


def seen(job: Job) -> Known:
    """A stored job in the model's words."""
    return Known(
        state=job.state,
        attempt=job.attempt,
        reported=job.reported,
        token=job.lease.token if job.lease else "",
        beat=job.lease.beat if job.lease else -1,
        number=job.progress_number,
        lines=len(job.history),
        expand=job.expand,
    )


def claim(jobs: dict[int, Known], token: str, limit: int) -> list[int]:
    """Which items a claim must answer, where rank rises with the item; they are changed."""
    running = [item for item, job in sorted(jobs.items()) if job.held(job.attempt, token)]
    if running:
        return running
    won: list[int] = []
    for item, job in sorted(jobs.items()):
        if job.state is not JobState.WAITING or len(won) == limit or (job.lines and won):
            continue
        won.append(item)
        if job.lines:
            break
    for item in won:
        jobs[item] = jobs[item].claimed(token)
    return won
