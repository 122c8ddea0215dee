"""Take jobs back from workers that fell silent, by this process's own monotonic clock.

A lease is dead when the same (attempt, beat) was seen for `lost_after_s` without a gap in the
looking: a manager that slept, or could not read the store, begins to count anew. So no outage of
ours and no clock of theirs ends a healthy attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services import logs
from services.model.states import JobState
from task_manager.pipeline.expand import expand_job
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.reports import lose

log = logs.get(__name__)

GAP_S = 10.0  # of no looking, after which nothing seen before counts


@dataclass(slots=True)
class Watch:
    """What was last seen of each one that beats, and since when by the monotonic clock."""

    lost_after_s: float
    looked_at: float | None = None
    seen: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def silent(self, running: Mapping[str, tuple[float, float]], at: float) -> list[str]:
        """Those whose two signs, of a job (attempt, beat), stood still for too long as of `at`."""
        if self.looked_at is not None and at - self.looked_at > GAP_S:
            self.seen.clear()
        self.looked_at = at
        seen: dict[str, tuple[float, float, float]] = {}
        for name, signs in running.items():
            before = self.seen.get(name)
            same = before is not None and before[:2] == signs
            since = before[2] if before is not None and same else at
            seen[name] = (*signs, since)
        self.seen = seen
        return [name for name, (_, _, since) in seen.items() if at - since >= self.lost_after_s]

    def blind(self) -> None:
        """The store could not be read: that counts as a gap in the looking."""
        self.seen.clear()


def reap(ports: Ports, watch: Watch, at: float) -> int:
    """One look at all running jobs; how many were taken back."""
    try:
        running = {job.id: (job.attempt, job.beat) for job in ports.store.running_jobs()}
    except Exception:
        watch.blind()
        raise
    taken = 0
    for job_id in watch.silent(running, at):
        job = ports.store.job(job_id)
        attempt, beat = running[job_id]
        if job is None or job.state is not JobState.RUNNING or job.attempt != attempt:
            continue
        message = f"No sign of life from the worker for {watch.lost_after_s:g} s."
        written, _ = lose(ports, job, message, beat=beat)
        if written is None:
            continue
        taken += 1
        log.warning(
            "job_lost",
            task_id=job.task_id,
            job=job_id,
            attempt=attempt,
            losses=written.losses,
            state=str(written.state),
        )
        if written.state is JobState.DEAD:
            expand_job(ports, written)
    if taken:
        ports.wake()
    return taken
