"""Take jobs back from workers that fell silent, by this process's own monotonic clock.

A lease is dead when the same (attempt, beat) was seen for `lost_after_s` without a gap in the
looking: a manager that slept, or could not read the store, begins to count anew. So does one that
finds that nothing can be written, on a full disk, say: the silent may have beaten in vain. So
no outage of ours and no clock of theirs ends a healthy attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services import logs
from services.model.states import JobState
from task_manager.pipeline.expand import expand_job
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.reports import lose
from task_manager.store.protocol import Store

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

    def doubtful(self, at: float) -> bool:
        """Whether some stood still for half of that time, for which they should have beaten twice:
        then it matters that their beats could be written."""
        return any(at - since >= self.lost_after_s / 2 for _, _, since in self.seen.values())

    def blind(self) -> None:
        """The store could not be read or written: that counts as a gap in the looking."""
        self.seen.clear()


def look(
    store: Store, watch: Watch, read: Callable[[], Mapping[str, tuple[float, float]]], at: float
) -> list[str]:
    """Those that fell silent, of all whose signs `read` finds in the store."""
    try:
        silent = watch.silent(read(), at)
        if watch.doubtful(at):
            store.try_write()
    except Exception:
        watch.blind()
        raise
    return silent


def reap(ports: Ports, watch: Watch, at: float) -> int:
    """One look at all running jobs; how many were taken back."""
    taken = 0
    for job_id in look(ports.store, watch, lambda: _signs(ports), at):
        job = ports.store.job(job_id)
        attempt, beat, _ = watch.seen[job_id]
        if job is None or job.state is not JobState.RUNNING or job.attempt != attempt:
            continue
        message = f"No sign of life from the worker for {watch.lost_after_s:g} s."
        written, _ = lose(ports, job, message, beat=int(beat))
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


def _signs(ports: Ports) -> dict[str, tuple[float, float]]:
    return {job.id: (job.attempt, job.beat) for job in ports.store.running_jobs()}
