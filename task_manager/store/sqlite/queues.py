"""Queues in SQLite: what is announced, what runs, how much waits and how long it has waited."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import sqlite3

from services.model.job import Job
from task_manager.store.documents import Document
from task_manager.store.protocol import QueueDepth, RunningJob
from task_manager.store.sqlite.database import Database, change, document_of
from task_manager.store.sqlite.schema import JOBS

_NEXT_QUEUE = "SELECT queue FROM jobs WHERE state = 'waiting' AND queue > ? ORDER BY queue LIMIT 1"


class QueueTables(Database):
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

    def running_jobs(self) -> list[RunningJob]:
        columns = "id, attempt, lease_beat, lease_node, lease_token"
        sql = f"SELECT {columns} FROM jobs INDEXED BY jobs_running WHERE state = 'running'"
        return [RunningJob(*row) for row in self._rows(sql)]

    def count_waiting(self, owner: str, queue: str, cap: int) -> int:
        some = "SELECT 1 FROM jobs WHERE state = 'waiting' AND owner = ? AND queue = ? LIMIT ?"
        ((count,),) = self._rows(f"SELECT count(*) FROM ({some})", owner, queue, cap)
        return int(count)

    def front_rank(self, queue: str, priority: int) -> int:
        first = (
            "SELECT rank FROM jobs WHERE state = 'waiting' AND queue = ? AND priority = ?"
            " AND due <= ? ORDER BY rank LIMIT 1"
        )
        return next((int(rank) for (rank,) in self._rows(first, queue, priority, self.now())), 0)

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

    def waiting_queues(self) -> list[str]:
        found = [""]
        with self._lent() as connection:
            while row := connection.execute(_NEXT_QUEUE, (found[-1],)).fetchone():
                found.append(row[0])
        return found[1:]

    def jobs_ahead(self, job: Job, cap: int) -> tuple[int, float]:
        ahead = (
            "SELECT size FROM jobs WHERE state = 'waiting' AND queue = ?"
            " AND (priority, rank, due, id) < (?, ?, ?, ?)"
            " ORDER BY priority, rank, due, id LIMIT ?"
        )
        place = (job.priority, job.rank, job.due, job.id)
        sums = f"SELECT count(*), total(size) FROM ({ahead})"
        ((count, size),) = self._rows(sums, job.queue, *place, cap)
        return int(count), float(size)

    def running_in(self, queue: str, limit: int) -> list[Job]:
        rest = "WHERE state = 'running' AND queue = ? ORDER BY id LIMIT ?"
        return self._find(JOBS, rest, queue, limit)
