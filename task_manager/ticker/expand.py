"""Finish expansions that their writer did not: a crash between commit and children."""

from __future__ import annotations

from dataclasses import dataclass, field

from task_manager.pipeline.expand import expand_job, expand_task
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import PendingExpansion


@dataclass(slots=True)
class Unfinished:
    """Expansions seen pending, and since when by the monotonic clock."""

    after_s: float
    since: dict[PendingExpansion, float] = field(default_factory=dict)

    def stale(self, pending: list[PendingExpansion], at: float) -> list[PendingExpansion]:
        """Those that have been pending for `after_s`: nobody is at it any more."""
        self.since = {one: self.since.get(one, at) for one in pending}
        return [one for one, since in self.since.items() if at - since >= self.after_s]


def finish_expansions(ports: Ports, unfinished: Unfinished, at: float) -> int:
    """One look; how many were taken over."""
    stale = unfinished.stale(ports.store.pending_expansions(500), at)
    for one in stale:
        if one.job_id is not None:
            job = ports.store.job(one.job_id)
            if job is not None and job.expand == "pending":
                expand_job(ports, job)
            continue
        task = ports.store.task(one.task_id)
        if task is not None and task.expand == "pending":
            expand_task(ports, task)
    return len(stale)
