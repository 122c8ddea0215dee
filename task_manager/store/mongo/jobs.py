"""Jobs in MongoDB: their moves, and those of a task."""

from __future__ import annotations

from collections.abc import Iterable

from services.model.chat import Usage, total
from services.model.job import WORDY, Job, Stage
from services.model.states import JobState
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import JobChange

_ENDED = [state for state in JobState if state.ended]
_COUNT: Document = {"$sum": 1}


class JobCollection(Database):
    def insert_jobs(self, jobs: Iterable[Job]) -> None:
        self._jobs.insert_absent(jobs)

    def job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def earlier_job(self, owner: str, digest: str) -> Job | None:
        where = {"owner": owner, "digest": digest}
        return next(iter(self._jobs.find(where, [("finished_at", -1)], 1)), None)

    def jobs_of_items(self, task_id: str, first: int, last: int) -> list[Job]:
        where = {"task_id": task_id, "item": {"$gte": first, "$lte": last}}
        return self._jobs.find(where, [("item", 1), ("id", 1)])

    def lean_jobs(self, task_id: str, first: int, last: int) -> list[Job]:
        where = {"task_id": task_id, "item": {"$gte": first, "$lte": last}}
        order = [("item", 1), ("id", 1)]
        wordy = {**where, "stage": {"$in": sorted(WORDY)}}
        terse = {**where, "stage": {"$in": sorted(set(Stage) - WORDY)}}
        jobs = self._jobs.find(wordy, order, without=("inputs", "result"))
        return sorted(jobs + self._jobs.find(terse, order), key=lambda job: (job.item, job.id))

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

    def unannounce(self, job_id: str, stamped_at: float) -> None:
        self._jobs.change({"_id": job_id, "announced_at": stamped_at}, {"announced_at": None})

    def has_open_jobs(self, task_id: str) -> bool:
        return any(self._jobs.stream({"task_id": task_id, "open": True}, only=("id",), limit=1))

    def open_jobs(self, task_id: str, limit: int) -> list[Job]:
        return self._jobs.find({"task_id": task_id, "open": True}, [("id", 1)], limit)

    def dead_jobs(self, task_id: str, *, after: str = "", limit: int) -> list[Job]:
        where = {"task_id": task_id, "state": JobState.DEAD, "id": {"$gt": after}}
        return self._jobs.find(where, [("id", 1)], limit)

    def dead_page(
        self,
        owner: str | None,
        *,
        queue: str | None = None,
        code: str | None = None,
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Job]:
        where: Document = {"state": JobState.DEAD}
        for name, value in (("owner", owner), ("queue", queue), ("code", code)):
            if value is not None:
                where[name] = value
        if before is not None:
            at, job_id = before
            where["finished_at"] = {"$lte": at}
            where["$or"] = [{"finished_at": {"$lt": at}}, {"id": {"$lt": job_id}}]
        return self._jobs.find(where, [("finished_at", -1), ("id", -1)], limit)

    def count_jobs(self, task_id: str) -> dict[JobState, int]:
        groups = self._jobs.grouped({"task_id": task_id}, {"_id": "$state", "count": _COUNT})
        counts = {group["_id"]: group["count"] for group in groups}
        return {state: counts.get(state.value, 0) for state in JobState}

    def usage(self, task_id: str) -> Usage:
        paid = {"task_id": task_id, "usage": {"$ne": None}}
        found = self._jobs.stream(paid, only=("usage",))
        return total(Usage.model_validate(each["usage"]) for each in found)


def _held(job_id: str, attempt: int, token: str) -> Document:
    return {
        "_id": job_id,
        "state": JobState.RUNNING,
        "attempt": attempt,
        "lease.token": token,
    }
