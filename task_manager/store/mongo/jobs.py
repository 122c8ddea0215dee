"""Jobs in MongoDB: their moves, their announcements, and how the queues stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from services.model.job import Job
from services.model.states import JobState
from task_manager.store.documents import Document
from task_manager.store.mongo.claim import ORDER
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import JobChange, QueueDepth, RunningJob

_ENDED = [state for state in JobState if state.ended]
_WAITING: Document = {"open": True, "state": JobState.WAITING}
_RUNNING: Document = {"open": True, "state": JobState.RUNNING}
_COUNT: Document = {"$sum": 1}


class JobCollection(Database):
    def insert_jobs(self, jobs: Iterable[Job]) -> None:
        self._jobs.insert_absent(jobs)

    def job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def jobs_of_items(self, task_id: str, first: int, last: int) -> list[Job]:
        where = {"task_id": task_id, "item": {"$gte": first, "$lte": last}}
        return self._jobs.find(where, [("item", 1), ("id", 1)])

    def beat(self, job_id: str, attempt: int, token: str) -> Job | None:
        return self._jobs.change(_held(job_id, attempt, token), plus_one=("lease.beat",))

    def note_progress(
        self, job_id: str, attempt: int, token: str, number: int, fraction: float
    ) -> bool:
        where = {**_held(job_id, attempt, token), "progress_number": {"$lt": number}}
        fields = {"progress": fraction, "progress_number": number}
        return self._jobs.change(where, fields, plus_one=("lease.beat",)) is not None

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
        where: Document = {"_id": job_id, "state": state, "attempt": attempt}
        if beat is not None:
            where["lease.beat"] = beat
        if reported is not None:
            where["reported"] = reported
        fields, line = dict(change.fields), change.history
        if line is not None and "history" in fields:  # one update cannot do both to one field
            fields["history"], line = [*fields["history"], line], None
        entry = None if line is None else line.model_dump(mode="json")
        return self._jobs.change(where, fields, line=entry)

    def set_expanded(self, job_id: str, attempt: int) -> None:
        where = {"_id": job_id, "attempt": attempt, "expand": "pending", "state": {"$in": _ENDED}}
        self._jobs.change(where, {"expand": "done", "open": False})

    def announce_due(self, now: float, queue: str, limit: int, again_after_s: float) -> list[Job]:
        stamped = (self._stamp(job, now) for job in self._silent(now, queue, again_after_s))
        return list(islice((job for job in stamped if job is not None), limit))

    def _silent(self, now: float, queue: str, again_after_s: float) -> Iterator[Document]:
        """Two fields of a document are compared here, since not every server can."""
        due = {**_WAITING, "queue": queue, "due": {"$lte": now}}
        for job in self._jobs.stream(due, ORDER, only=("due", "announced_at")):
            at = job["announced_at"]
            if at is None or at < job["due"] or at < now - again_after_s:
                yield job

    def _stamp(self, seen: Document, now: float) -> Job | None:
        where = {"_id": seen["_id"], **_WAITING, "announced_at": seen["announced_at"]}
        return self._jobs.change(where, {"announced_at": now})

    def unannounce(self, job_id: str, stamped_at: float) -> None:
        self._jobs.change({"_id": job_id, "announced_at": stamped_at}, {"announced_at": None})

    def running_jobs(self) -> list[RunningJob]:
        return [
            RunningJob(job["id"], job["attempt"], job["lease"]["beat"], job["lease"]["node"])
            for job in self._jobs.stream(_RUNNING, only=("id", "attempt", "lease"))
        ]

    def has_open_jobs(self, task_id: str) -> bool:
        return any(self._jobs.stream({"task_id": task_id, "open": True}, only=("id",), limit=1))

    def open_jobs(self, task_id: str, limit: int) -> list[Job]:
        return self._jobs.find({"task_id": task_id, "open": True}, [("id", 1)], limit)

    def dead_jobs(self, task_id: str, *, after: str = "", limit: int) -> list[Job]:
        where = {"task_id": task_id, "state": JobState.DEAD, "id": {"$gt": after}}
        return self._jobs.find(where, [("id", 1)], limit)

    def count_jobs(self, task_id: str) -> dict[JobState, int]:
        groups = self._jobs.grouped({"task_id": task_id}, {"_id": "$state", "count": _COUNT})
        counts = {group["_id"]: group["count"] for group in groups}
        return {state: counts.get(state.value, 0) for state in JobState}

    def count_open(self, owner: str, queue: str, cap: int) -> int:
        return self._jobs.count({"owner": owner, "queue": queue, "open": True}, limit=cap)

    def queue_depths(self, now: float) -> list[QueueDepth]:
        waiting = self._by_queue(_WAITING)
        due = self._by_queue({**_WAITING, "due": {"$lte": now}})
        running = self._by_queue(_RUNNING)
        return [
            QueueDepth(
                queue,
                waiting=waiting.get(queue, (0, None))[0],
                due=due.get(queue, (0, None))[0],
                running=running.get(queue, (0, None))[0],
                oldest_due=due.get(queue, (0, None))[1],
            )
            for queue in sorted({*waiting, *running})
        ]

    def _by_queue(self, where: Document) -> dict[str, tuple[int, float | None]]:
        """Queue → how many, and the earliest due time among them."""
        group = {"_id": "$queue", "count": _COUNT, "oldest": {"$min": "$due"}}
        return {
            found["_id"]: (found["count"], found["oldest"])
            for found in self._jobs.grouped(where, group)
        }


def _held(job_id: str, attempt: int, token: str) -> Document:
    return {
        "_id": job_id,
        "state": JobState.RUNNING,
        "attempt": attempt,
        "lease.token": token,
    }
