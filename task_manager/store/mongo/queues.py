"""Queues in MongoDB: what is announced, what runs, how much waits and how long it has waited."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile

from services.model.job import Job
from services.model.states import JobState
from task_manager.store.documents import Document
from task_manager.store.mongo.claim import ORDER
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import QueueDepth, RunningJob

_WAITING: Document = {"open": True, "state": JobState.WAITING}
_RUNNING: Document = {"open": True, "state": JobState.RUNNING}
_LEASE = ("beat", "node", "token")
_COUNT: Document = {"$sum": 1}
_PLACE = [name for name, _ in ORDER]


class QueueCollection(Database):
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

    def running_jobs(self) -> list[RunningJob]:
        return [
            RunningJob(job["id"], job["attempt"], *(job["lease"][name] for name in _LEASE))
            for job in self._jobs.stream(_RUNNING, only=("id", "attempt", "lease"))
        ]

    def count_waiting(self, owner: str, queue: str, cap: int) -> int:
        return self._jobs.count({**_WAITING, "owner": owner, "queue": queue}, limit=cap)

    def front_rank(self, queue: str, priority: int) -> int:
        due = {**_WAITING, "queue": queue, "priority": priority, "due": {"$lte": self.now()}}
        first = self._jobs.stream(due, ORDER, only=("rank",), limit=1)
        return next((int(job["rank"]) for job in first), 0)

    def queue_depths(self, now: float) -> list[QueueDepth]:
        """What is not due yet is little; all else that waits is due."""
        later = self._by_queue({**_WAITING, "due": {"$gt": now}})
        waiting = self._by_queue(_WAITING)
        running = self._by_queue(_RUNNING)
        depths = []
        for queue in sorted({*waiting, *running}):
            count, oldest = waiting.get(queue, (0, None))
            due = max(0, count - later.get(queue, (0, None))[0])
            busy = running.get(queue, (0, None))[0]
            depths.append(QueueDepth(queue, count, due, busy, oldest if due else None))
        return depths

    def waiting_queues(self) -> list[str]:
        found = [""]
        while names := self._queues_after(found[-1]):
            found += names
        return found[1:]

    def _queues_after(self, name: str) -> list[str]:
        """The next one, if there is one."""
        behind = {**_WAITING, "queue": {"$gt": name}}
        return [
            job["queue"]
            for job in self._jobs.stream(behind, [("queue", 1)], only=("queue",), limit=1)
        ]

    def _by_queue(self, where: Document) -> dict[str, tuple[int, float | None]]:
        """Queue → how many, and the earliest due time among them."""
        group = {"_id": "$queue", "count": _COUNT, "oldest": {"$min": "$due"}}
        return {
            found["_id"]: (found["count"], found["oldest"])
            for found in self._jobs.grouped(where, group)
        }

    def jobs_ahead(self, job: Job, cap: int) -> tuple[int, float]:
        waiting = self._jobs.stream(
            {**_WAITING, "queue": job.queue}, ORDER, only=(*_PLACE, "size"), limit=cap
        )
        place = (job.priority, job.rank, job.due, job.id)
        ahead = takewhile(lambda one: tuple(one[name] for name in _PLACE) < place, waiting)
        sizes = [float(one.get("size", 0.0)) for one in ahead]
        return len(sizes), sum(sizes)

    def running_in(self, queue: str, limit: int) -> list[Job]:
        return self._jobs.find({**_RUNNING, "queue": queue}, ORDER, limit)
