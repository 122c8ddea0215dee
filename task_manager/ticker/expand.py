"""Finish expansions that their writer did not: a crash between commit and children."""

from __future__ import annotations

from dataclasses import dataclass, field

from services import logs
from task_manager.pipeline.expand import expand_job, expand_task
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import PendingExpansion

log = logs.get(__name__)


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
        try:
            _finish(ports, one)
        except Exception as error:  # noqa: BLE001 - one that fails does not hold up the others
            ports.meter.tick_failed("expand")
            log.warning("expand_failed", task_id=one.task_id, job=one.job_id, error=repr(error))
            unfinished.since[one] = at
    return len(stale)


def _finish(ports: Ports, one: PendingExpansion) -> None:
    if one.job_id is None:
        task = ports.store.task(one.task_id)
        if task is not None and task.expand == "pending":
            expand_task(ports, task)
        return
    job = ports.store.job(one.job_id)
    if job is not None and job.expand == "pending":
        expand_job(ports, job)
