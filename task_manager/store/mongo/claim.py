"""The claim in MongoDB: the jobs of a token, or the best due ones, each won by one update."""

from __future__ import annotations

from collections.abc import Sequence

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
        while len(won) < limit and (job := self._win(due, lease, announced)) is not None:
            won.append(job)
            if job.alone:
                break
            due["alone"] = False
            announced = None if job.id == announced else announced
        return won

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
