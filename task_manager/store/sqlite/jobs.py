"""Jobs in SQLite: their moves, and those of a task."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.model.chat import Usage, total
from services.model.job import Job, version_of
from services.model.states import JobState
from task_manager.store.documents import Document
from task_manager.store.protocol import JobChange
from task_manager.store.sqlite.database import Database, Decide
from task_manager.store.sqlite.schema import JOBS

# Of a job that succeeded at once its columns say all but its words. They stand before the
# document, so that those pages are not even read.
_PLAIN = (
    "id", "task_id", "stage", "item", "language", "source", "part", "owner", "queue", "model",
    "priority", "rank", "size", "created_at", "due", "announced_at", "state", "open", "expand",
    "attempt", "claimed_at", "finished_at",
)  # fmt: skip
_LEAN = (
    "SELECT CASE WHEN wordy AND state = 'succeeded' AND NOT alone THEN NULL ELSE doc END, wordy,"
    f" {', '.join(_PLAIN)} FROM jobs WHERE task_id = ? AND item BETWEEN ? AND ? ORDER BY item, id"
)


class JobTables(Database):
    def insert_jobs(self, jobs: Iterable[Job]) -> None:
        self._insert(JOBS, jobs)

    def job(self, job_id: str) -> Job | None:
        return self._get(JOBS, job_id)

    def earlier_job(self, owner: str, digest: str) -> Job | None:
        rest = "WHERE owner = ? AND digest = ? ORDER BY finished_at DESC LIMIT 1"
        return next(iter(self._find(JOBS, rest, owner, digest)), None)

    def jobs_of_items(self, task_id: str, first: int, last: int) -> list[Job]:
        rest = "WHERE task_id = ? AND item BETWEEN ? AND ? ORDER BY item, id"
        return self._find(JOBS, rest, task_id, first, last)

    def lean_jobs(self, task_id: str, first: int, last: int) -> list[Job]:
        rows = self._rows(_LEAN, task_id, first, last)
        return [_lean(doc, wordy, columns) for doc, wordy, *columns in rows]

    def beat(self, job_id: str, attempt: int, token: str) -> Job | None:
        def decide(job: Document) -> Mapping[str, Any] | None:
            return {"lease": _beaten(job)} if _holds(job, attempt, token) else None

        return self._change(JOBS, job_id, decide)

    def note_progress(
        self, job_id: str, attempt: int, token: str, number: int, fraction: float
    ) -> bool:
        def decide(job: Document) -> Mapping[str, Any] | None:
            if not _holds(job, attempt, token) or job["progress_number"] >= number:
                return None
            return {"lease": _beaten(job), "progress": fraction, "progress_number": number}

        return self._change(JOBS, job_id, decide) is not None

    def move_job(
        self,
        job_id: str,
        *,
        state: JobState,
        attempt: int,
        beat: int | None = None,
        reported: int | None = None,
        change: JobChange,
    ) -> Job | None:
        def decide(job: Document) -> Mapping[str, Any] | None:
            expected = job["state"] == state and job["attempt"] == attempt
            if beat is not None:
                expected = expected and (job["lease"] or {}).get("beat") == beat
            if reported is not None:
                expected = expected and job["reported"] == reported
            return _written(job, change) if expected else None

        return self._change(JOBS, job_id, decide)

    def set_expanded(self, job_id: str, attempt: int) -> None:
        self._change(JOBS, job_id, if_ended(attempt))

    def unannounce(self, job_id: str, stamped_at: float) -> None:
        def decide(job: Document) -> Mapping[str, Any] | None:
            return {"announced_at": None} if job["announced_at"] == stamped_at else None

        self._change(JOBS, job_id, decide)

    def has_open_jobs(self, task_id: str) -> bool:
        return bool(
            self._rows("SELECT 1 FROM jobs WHERE open = 1 AND task_id = ? LIMIT 1", task_id)
        )

    def open_jobs(self, task_id: str, limit: int) -> list[Job]:
        return self._find(
            JOBS, "WHERE open = 1 AND task_id = ? ORDER BY id LIMIT ?", task_id, limit
        )

    def dead_jobs(self, task_id: str, *, after: str = "", limit: int) -> list[Job]:
        rest = "WHERE state = 'dead' AND task_id = ? AND id > ? ORDER BY id LIMIT ?"
        return self._find(JOBS, rest, task_id, after, limit)

    def dead_page(
        self,
        owner: str | None,
        *,
        queue: str | None = None,
        code: str | None = None,
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Job]:
        terms, values = ["state = 'dead'"], list[Any]()
        for name, value in (("owner", owner), ("queue", queue), ("code", code)):
            if value is not None:
                terms.append(f"{name} = ?")
                values.append(value)
        if before is not None:
            terms.append("(finished_at, id) < (?, ?)")
            values.extend(before)
        rest = f"WHERE {' AND '.join(terms)} ORDER BY finished_at DESC, id DESC LIMIT ?"
        return self._find(JOBS, rest, *values, limit)

    def count_jobs(self, task_id: str) -> dict[JobState, int]:
        sums = ", ".join(f"total(state = '{state}')" for state in JobState)
        ((*counts,),) = self._rows(f"SELECT {sums} FROM jobs WHERE task_id = ?", task_id)
        return {state: int(count) for state, count in zip(JobState, counts, strict=True)}

    def usage(self, task_id: str) -> Usage:
        rows = self._rows("SELECT usage FROM jobs WHERE task_id = ? AND usage IS NOT NULL", task_id)
        return total(Usage.model_validate_json(usage) for (usage,) in rows)


def _holds(job: Document, attempt: int, token: str) -> bool:
    lease = job["lease"] or {}
    return (job["state"], job["attempt"], lease.get("token")) == (
        JobState.RUNNING,
        attempt,
        token,
    )


def _beaten(job: Document) -> Document:
    return {**job["lease"], "beat": job["lease"]["beat"] + 1}


def _written(job: Document, change: JobChange) -> Mapping[str, Any]:
    if change.history is None:
        return change.fields
    history = change.fields.get("history", job["history"])
    return {**change.fields, "history": [*history, change.history]}


def _lean(doc: str | None, wordy: int, columns: Sequence[Any]) -> Job:
    if doc is None:
        plain = dict(zip(_PLAIN, columns, strict=True))
        return Job.model_validate({**plain, "version": version_of(plain["id"])})
    job = JOBS.read(doc)
    return job.model_copy(update={"inputs": {}, "result": None}) if wordy else job


def if_ended(attempt: int) -> Decide:
    """Nothing is left to be written out from the attempt by which the job ended."""

    def decide(job: Document) -> Mapping[str, Any] | None:
        ended = JobState(job["state"]).ended
        if not ended or job["expand"] != "pending" or job["attempt"] != attempt:
            return None
        return {"expand": "done", "open": False}

    return decide
