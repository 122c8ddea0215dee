"""How long an attempt may take, from how long such work took before."""

from __future__ import annotations

from services.model import size as sizes
from services.model.job import Job, JobLimits, Stage
from services.model.messages import Limits
from services.model.speed import Speed
from services.model.states import JobState
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.speeds import line_of
from task_manager.store.protocol import JobChange

LEAST_SOFT_S = 200.0
LEAST_HARD_S = 300.0
LEAST_STUCK_S = 120.0
STUCK_WINDOWS = 20  # so long nothing may come out, in windows of audio
SLOWEST = 4.0  # seconds of work per second of audio, until it was measured
SLOWEST_STUCK_S = STUCK_WINDOWS * sizes.WINDOW_S  # at real time: models load from slow disks too
THINNEST = 20.0  # so much more audio may be in a file than its bytes say at a usual rate

LEAST = JobLimits(soft_s=LEAST_SOFT_S, hard_s=LEAST_HARD_S, stuck_s=LEAST_STUCK_S)


def of_estimate(expected_s: float, window_s: float) -> JobLimits:
    """Twice the estimate and the child is asked to stop, three times and it is ended; stuck is
    who gives nothing for the time of many windows."""
    return JobLimits(
        soft_s=max(LEAST_SOFT_S, 2 * expected_s),
        hard_s=max(LEAST_HARD_S, 3 * expected_s),
        stuck_s=max(LEAST_STUCK_S, STUCK_WINDOWS * window_s),
        expected_s=expected_s,
    )


def unmeasured(size: float) -> JobLimits:
    """What is allowed to work of which nobody knows yet how long it takes."""
    slow = of_estimate(size * SLOWEST, 0.0)
    return slow.model_copy(update={"stuck_s": SLOWEST_STUCK_S, "expected_s": None})


def decided(job: Job, speed: Speed | None, longest_audio_s: float) -> JobLimits:
    """The limits of one attempt. The bytes of a file promise little, so a prepare job may take
    as long as the longest audio that they can hold, or that is allowed; and a job that does not
    say how much work it is, for it was written by an older release, as long as any."""
    size = job.size or longest_audio_s
    if job.stage is Stage.PREPARE:
        size = max(size, min(size * THINNEST, longest_audio_s))
    at_most = speed.at_most(size) if speed else None
    window = speed.at_most(sizes.WINDOW_S) if speed else None
    if at_most is None or window is None:
        return unmeasured(size)
    return of_estimate(at_most, window)


def grant(ports: Ports, job: Job) -> Limits:
    """For the attempt that was just claimed. What is above the least is written to the job, so
    that it shows; short work, which is most, costs no write."""
    node = job.lease.node if job.lease else ""
    line = line_of(job)
    store = ports.store
    speed = ports.speeds.of(store, node, line) or ports.speeds.anywhere(store, line)
    longest = ports.settings.max_audio_seconds or 36_000.0
    limits = decided(job, speed, longest)
    short = limits.model_copy(update={"expected_s": None}) == LEAST
    kept = None if short else limits
    if kept != job.limits:
        store.move_job(
            job.id,
            state=JobState.RUNNING,
            attempt=job.attempt,
            change=JobChange({"limits": kept}),
        )
    return Limits(**limits.model_dump(exclude={"expected_s"}))


def explained(ports: Ports, job: Job, message: str) -> str:
    """What is said of an attempt that took too long, with its limits and where they come from."""
    limits = job.limits or LEAST
    expected = limits.expected_s
    if expected is None:
        speed = ports.speeds.anywhere(ports.store, line_of(job))
        expected = speed.expect(job.size) if speed else None
    source = "nothing like it was measured" if expected is None else f"expected {expected:.0f} s"
    return (
        f"{message} (limits: soft {limits.soft_s:.0f} s, hard {limits.hard_s:.0f} s, "
        f"stuck {limits.stuck_s:.0f} s; {source})"
    )
