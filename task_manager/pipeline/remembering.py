"""The translation cache: sentences that were translated answer for the same ones of one owner.

It is only ever a saving. A sentence that is not known here is translated, and one that was not
kept will be; so nothing waits for this, and nothing fails for it.
"""

from __future__ import annotations

from services.model.job import Job, Stage
from services.model.messages import Keep, Kept, Lookup, Made, Recalled
from services.model.preview import ATTEMPT, Preview, is_preview
from services.model.remembered import Remembered, remembered_id
from task_manager.pipeline.ports import Ports

REST_S = 600.0  # so often a worker asks again where nothing is remembered


def look_up(ports: Ports, asked: Lookup) -> Recalled:
    """What is known of each job's sentences; nothing for a job that the token does not hold."""
    if not ports.settings.keep_translations_s:
        return Recalled(known={}, rest_s=REST_S)
    ids: dict[str, dict[str, str]] = {}  # job → digest → id
    for wanted in asked.wanted:
        job = _asker(ports, wanted.job)
        if job is not None and job.is_held_by(asked.token, wanted.attempt):
            ids[job.id] = {digest: remembered_id(job.owner, digest) for digest in wanted.digests}
    every = {name for of_job in ids.values() for name in of_job.values()}
    since = ports.store.now() - ports.settings.keep_translations_s
    found = ports.store.translations(list(every)) if every else []
    texts = {each.id: each.text for each in found if each.at >= since}
    known = {
        job_id: {digest: texts[name] for digest, name in of_job.items() if name in texts}
        for job_id, of_job in ids.items()
    }
    ports.meter.recalled(sum(map(len, known.values())), sum(map(len, ids.values())))
    return Recalled(known=known)


def keep(ports: Ports, told: Keep) -> Kept:
    """Keeps them with the tasks that they were made for, and lets them go with these: a delete
    that came in between is honoured."""
    if not ports.settings.keep_translations_s:
        return Kept(count=0, rest_s=REST_S)
    now = ports.store.now()
    rows: list[Remembered] = []
    for made in told.made:
        job = _asker(ports, made.job)
        if job is not None and _may_tell(job, made):
            rows += _rows(job, made, now)
    ports.store.insert_translations(rows)
    for task_id in {row.task_id for row in rows}:
        task = ports.store.task(task_id)
        if task is None or task.deleted_at is not None:
            ports.store.drop_translations_of(task_id)
    return Kept(count=len(rows))


def _asker(ports: Ports, job_id: str) -> Job | Preview | None:
    return ports.store.preview(job_id) if is_preview(job_id) else ports.store.job(job_id)


def _may_tell(job: Job | Preview, made: Made) -> bool:
    """An attempt that lost its lease has translated as well as any, and a preview, too."""
    if isinstance(job, Preview):
        return made.attempt == ATTEMPT and job.lease is not None
    return job.stage is Stage.TRANSLATE and 1 <= made.attempt <= job.attempt


def _rows(job: Job | Preview, made: Made, now: float) -> list[Remembered]:
    return [
        Remembered(id=remembered_id(job.owner, digest), task_id=job.task_id, at=now, text=text)
        for digest, text in made.texts.items()
    ]
