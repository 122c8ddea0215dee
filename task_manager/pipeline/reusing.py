"""Results of earlier jobs that answer for the same work of the same owner.

Nothing is kept for that: a result answers as long as its task is there, and goes with it.
"""

from __future__ import annotations

from services.model.job import Job, Stage
from services.model.messages import Earlier, LookBack
from services.model.stages import DetectResult, TranscribeResult, as_stored
from task_manager.pipeline import specs
from task_manager.pipeline.ports import Ports


def look_back(ports: Ports, asked: LookBack) -> Earlier:
    """Nothing for a job that the token does not hold."""
    job = ports.store.job(asked.job)
    if job is None or not job.is_held_by(asked.token, asked.attempt):
        return Earlier()
    found = _found(ports, job, asked.digest)
    ports.meter.looked_back(known=found.result is not None)
    return found


def _found(ports: Ports, job: Job, digest: str) -> Earlier:
    earlier = ports.store.earlier_job(job.owner, digest)
    if earlier is None or earlier.stage is not job.stage:
        return Earlier()
    task = ports.store.task(earlier.task_id)
    if task is None or task.deleted_at is not None:
        return Earlier()
    if earlier.stage is Stage.DETECT:
        return Earlier(result=as_stored(DetectResult, earlier.result))
    heard = as_stored(TranscribeResult, earlier.result)
    return Earlier(result=heard, url=specs.url_of(ports, heard.transcript))
