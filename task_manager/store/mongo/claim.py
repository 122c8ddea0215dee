"""The claim in MongoDB: the jobs of a token, or the best due ones, each won by one update."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from services.model.job import Job, Lease
from services.model.states import JobState
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database

ORDER = [("priority", 1), ("rank", 1), ("due", 1), ("id", 1)]


class ClaimCollection(Database):
    def claim(
        self,
        *,
        queue: str,
        models: Sequence[str],
        node: str,
        token: str,
        limit: int,
        most_size: float | None = None,
        announced: str | None = None,
        others: Sequence[str] = (),
    ) -> list[Job]:
        held = {"open": True, "state": JobState.RUNNING, "lease.token": token}
        won = self._jobs.find(held, ORDER)
        if won:
            return won
        due: Document = {
            "open": True,
            "state": JobState.WAITING,
            "queue": queue,
            "due": {"$lte": self.now()},
            "model": {"$in": ["", *models]},
        }
        if others:
            due["$or"] = [{"avoid": {"$nin": [node]}}, {"avoid": {"$all": list(others)}}]
        lease = Lease(node=node, token=token)
        first = self._win(due, lease, announced) if limit > 0 else None
        if first is None:
            return []
        if first.alone or limit == 1:
            return [first]
        left = math.inf if most_size is None else most_size - first.size
        beside = self._beside({**due, "alone": False}, limit - 1, left, announced)
        started = (self._start({**due, "_id": job_id}, lease) for job_id in beside)
        return [first, *(job for job in started if job is not None)]

    def _beside(
        self, due: Document, limit: int, left: float, announced: str | None
    ) -> Iterator[str]:
        """The ids of the best that fit with it; one that another claim wins first is not missed,
        for this one has work."""
        place = [name for name, _ in ORDER[:3]]
        only = [*place, "size"]
        best = list(self._jobs.stream(due, ORDER, only=only, limit=limit))
        if announced is not None:  # it goes before its equals
            best = [job for job in best if job["_id"] != announced]
            best += self._jobs.stream({**due, "_id": announced}, only=only)
        best.sort(key=lambda job: (*(job[name] for name in place), job["_id"] != announced))
        for job in best[:limit]:
            left -= job.get("size", 0.0)
            if left < 0:
                return
            yield str(job["_id"])

    def _win(self, due: Document, lease: Lease, announced: str | None) -> Job | None:
        """The best due job, now running; the announced one if there is none better."""
        if announced is not None and self._is_among_the_best(due, announced):
            job = self._start({**due, "_id": announced}, lease)
            if job is not None:
                return job
        return self._start(due, lease)

    def _is_among_the_best(self, due: Document, job_id: str) -> bool:
        place = [name for name, _ in ORDER[:3]]
        for job in self._jobs.stream({**due, "_id": job_id}, only=place):
            for best in self._jobs.stream(due, ORDER, only=place, limit=1):
                return all(job[name] == best[name] for name in place)
        return False

    def _start(self, due: Document, lease: Lease) -> Job | None:
        fields = {
            "state": JobState.RUNNING,
            "open": True,
            "lease": lease,
            "claimed_at": self.now(),
            "progress": 0.0,
            "progress_number": 0,  # a new attempt counts its progress from 1 again
        }
        return self._jobs.change(due, fields, order=ORDER, plus_one=("attempt",))
