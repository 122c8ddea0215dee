"""Jobs in SQLite: their moves, their announcements, and how the queues stand."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from services.model.job import Job
from services.model.states import JobState
from task_manager.store.documents import Document
from task_manager.store.protocol import JobChange, QueueDepth, RunningJob
from task_manager.store.sqlite.database import Database, change, document_of
from task_manager.store.sqlite.schema import JOBS


class JobTables(Database):
    def insert_jobs(self, jobs: Iterable[Job]) -> None:
        self._insert(JOBS, jobs)

    def job(self, job_id: str) -> Job | None:
        return self._get(JOBS, job_id)

    def jobs_of_items(self, task_id: str, first: int, last: int) -> list[Job]:
        rest = "WHERE task_id = ? AND item BETWEEN ? AND ? ORDER BY item, id"
        return self._find(JOBS, rest, task_id, first, last)

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
        def decide(job: Document) -> Mapping[str, Any] | None:
            ended = JobState(job["state"]).ended
            if not ended or job["expand"] != "pending" or job["attempt"] != attempt:
                return None
            return {"expand": "done", "open": False}

        self._change(JOBS, job_id, decide)

    def announce_due(self, now: float, queue: str, limit: int, again_after_s: float) -> list[Job]:
        due = (
            "SELECT id FROM jobs WHERE state = 'waiting' AND queue = ? AND due <= ?"
            " AND (announced_at IS NULL OR announced_at < due OR announced_at < ?)"
            " ORDER BY priority, rank, due, id LIMIT ?"
        )
        if not self._rows(due, queue, now, now - again_after_s, 1):
            return []  # the usual answer takes no lock

        def stamp(connection: sqlite3.Connection) -> list[Document]:
            found = connection.execute(due, (queue, now, now - again_after_s, limit)).fetchall()
            jobs = [document_of(connection, JOBS, job_id) for (job_id,) in found]
            return [change(connection, JOBS, job, {"announced_at": now}) for job in jobs if job]

        return [Job.model_validate(job) for job in self._write(stamp)]

    def unannounce(self, job_id: str, stamped_at: float) -> None:
        def decide(job: Document) -> Mapping[str, Any] | None:
            return {"announced_at": None} if job["announced_at"] == stamped_at else None

        self._change(JOBS, job_id, decide)

    def running_jobs(self) -> list[RunningJob]:
        columns, covering = "id, attempt, lease_beat, lease_node", "INDEXED BY jobs_running"
        sql = f"SELECT {columns} FROM jobs {covering} WHERE state = 'running'"
        return [RunningJob(*row) for row in self._rows(sql)]

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

    def count_jobs(self, task_id: str) -> dict[JobState, int]:
        sums = ", ".join(f"total(state = '{state}')" for state in JobState)
        ((*counts,),) = self._rows(f"SELECT {sums} FROM jobs WHERE task_id = ?", task_id)
        return {state: int(count) for state, count in zip(JobState, counts, strict=True)}

    def count_open(self, owner: str, queue: str, cap: int) -> int:
        some = "SELECT 1 FROM jobs WHERE open = 1 AND owner = ? AND queue = ? LIMIT ?"
        ((count,),) = self._rows(f"SELECT count(*) FROM ({some})", owner, queue, cap)
        return int(count)

    def queue_depths(self, now: float) -> list[QueueDepth]:
        waiting = self._rows(
            "SELECT queue, count(*), sum(due <= ?), min(due) FROM jobs"
            " WHERE state = 'waiting' GROUP BY queue",
            now,
        )
        running = dict(
            self._rows("SELECT queue, count(*) FROM jobs WHERE state = 'running' GROUP BY queue")
        )
        depths = [
            QueueDepth(queue, count, due, running.pop(queue, 0), oldest if due else None)
            for queue, count, due, oldest in waiting
        ]
        return depths + [QueueDepth(queue, 0, 0, count, None) for queue, count in running.items()]


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
