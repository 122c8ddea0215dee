"""Write the children of a committed plan; may be run twice, late, or by two managers at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from services.model import plan
from services.model.job import Job, Stage, job_id, queue_name
from services.model.plan import Expansion
from services.model.stages import (
    AssembleResult,
    DetectResult,
    PrepareResult,
    TranscribeResult,
    TranslateResult,
)
from services.model.states import Event, JobState
from services.model.task import Task
from services.model.transcript import Output
from task_manager.pipeline import jobs
from task_manager.pipeline.ports import Ports

RANK_CAP = 10_000  # beyond this many open jobs an owner's rank rises no further


def expand_task(ports: Ports, task: Task) -> None:
    """Items, first jobs, outputs of the texts; after a retry also the dead jobs, alive again.

    The flag is cleared for the revision that was read: a manager that slept over a retry must
    not clear the flag that the retry has set.
    """
    current: Task | None = task
    while current is not None and current.expand == "pending":
        if current.deleted_at is None:
            _expand_task(ports, current)
        done = {"expand": "done", "revive": False, "look_at": ports.store.now()}
        if ports.store.note_task(current.id, done, revision=current.revision):
            break
        current = ports.store.task(task.id)
    _close_unwanted(ports, task.id)
    ports.wake()


def _expand_task(ports: Ports, task: Task) -> None:
    children = plan.of_task(task, now=ports.store.now(), choose=ports.choose)
    _insert(ports, task, children)
    for output in children.outputs:
        _tell(ports, output)
    if task.revive:
        _revive(ports, task)


def expand_job(ports: Ports, job: Job) -> None:
    """The children of a job that has succeeded."""
    task = ports.store.task(job.task_id)
    if task is None or task.deleted_at is not None:
        ports.store.set_expanded(job.id, job.attempt)
        return
    children = _children(ports, task, job)
    _insert(ports, task, children)
    for output in children.outputs:
        _tell(ports, output)
    ports.store.set_expanded(job.id, job.attempt)
    ports.store.note_task(task.id, {"look_at": ports.store.now()})
    _close_unwanted(ports, task.id)
    ports.wake()


def _children(ports: Ports, task: Task, job: Job) -> Expansion:
    now = ports.store.now()
    match job.stage:
        case Stage.PREPARE:
            prepared = PrepareResult.model_validate(job.result)
            return plan.of_prepare(task, job.item, prepared, now=now)
        case Stage.DETECT:
            found = DetectResult.model_validate(job.result)
            parts = prepared_item(ports, task.id, job.item).parts
            return plan.of_detect(task, job.item, found, parts=parts, now=now)
        case Stage.TRANSCRIBE:
            heard = TranscribeResult.model_validate(job.result)
            if job.inputs["parts"] > 1:
                return _joining(ports, task, job, now=now)
            return _transcript(ports, task, job, heard, heard.language, now=now)
        case Stage.TRANSLATE:
            if job.inputs["parts"] > 1:
                return _joining(ports, task, job, now=now)
            translated = TranslateResult.model_validate(job.result)
            return plan.of_translation(task, job, translated, now=now)
        case Stage.ASSEMBLE:
            joined = AssembleResult.model_validate(job.result)
            if job.language:
                return plan.of_translation(task, job, joined, now=now)
            first = parts_of(ports, job)[0]
            language = TranscribeResult.model_validate(first.result).language
            return _transcript(ports, task, job, joined, language, now=now)


def _transcript(
    ports: Ports,
    task: Task,
    job: Job,
    result: TranscribeResult | AssembleResult,
    language: str,
    *,
    now: float,
) -> Expansion:
    prepared = prepared_item(ports, task.id, job.item)
    facts: dict[str, Any] = {
        "seconds": prepared.seconds,
        "coverage": prepared.coverage,
        "warnings": prepared.warnings,
    }
    if isinstance(result, TranscribeResult):
        facts["language_probability"] = result.language_probability
    return plan.of_transcript(
        task, job, result, language=language, facts=facts, now=now, choose=ports.choose
    )


def _joining(ports: Ports, task: Task, job: Job, *, now: float) -> Expansion:
    """Nothing until the last part is in; whichever commits last sees all the others."""
    parts = parts_of(ports, job)
    if len(parts) < job.inputs["parts"]:
        return Expansion()
    return plan.joining(task, job, now=now)


def parts_of(ports: Ports, job: Job) -> list[Job]:
    """The succeeded parts that belong with this job (or that an assemble job joins), in order."""
    stage = Stage.TRANSLATE if job.language else Stage.TRANSCRIBE
    found = [
        other
        for other in ports.store.jobs_of_items(job.task_id, job.item, job.item)
        if (other.stage, other.language, other.source) == (stage, job.language, job.source)
        and other.state is JobState.SUCCEEDED
    ]
    return sorted(found, key=lambda other: other.part)


def prepared_item(ports: Ports, task_id: str, item: int) -> PrepareResult:
    """What the item's prepare job reported."""
    prepare = ports.store.job(job_id(task_id, Stage.PREPARE, item))
    if prepare is None or prepare.result is None:
        raise LookupError(f"item {item} of {task_id} is not prepared")
    return PrepareResult.model_validate(prepare.result)


def _insert(ports: Ports, task: Task, children: Expansion) -> None:
    if children.items:
        ports.store.insert_items(children.items)
    for output in children.outputs:
        ports.store.put_output(output)
    if children.jobs:
        ports.store.insert_jobs(_ranked(ports, task.owner, children.jobs))


def _ranked(ports: Ports, owner: str, children: Iterable[Job]) -> list[Job]:
    """Turns of the owners: each job's rank is one above that of its owner's job before it."""
    counters: dict[str, count[int]] = {}
    ranked = []
    for job in children:
        if job.queue not in counters:
            counters[job.queue] = count(next_rank(ports, owner, job.queue, job.priority))
        ranked.append(job.model_copy(update={"rank": next(counters[job.queue])}))
    return ranked


def next_rank(ports: Ports, owner: str, queue: str, priority: int) -> int:
    """Where the owner's next job stands in the queue: so many turns after the front as he has
    open jobs there. Counted from the front, not from 0: else a steady trickle of one owner
    starves the long queue of another, and new jobs overtake the tail of their own owner's."""
    front = ports.store.front_rank(queue, priority)
    return front + ports.store.count_open(owner, queue, RANK_CAP)


def _revive(ports: Ports, task: Task) -> None:
    """Dead jobs wait again: counts and losses cleared, the attempt kept as the fence. The task is
    read after each batch: what died after this retry is another one's to revive."""
    after = ""
    while batch := ports.store.dead_jobs(task.id, after=after, limit=200):
        current = ports.store.task(task.id)
        if current is None or current.revision != task.revision:
            return
        for job in batch:
            fields: dict[str, Any] = {
                "due": ports.store.now(),
                "announced_at": None,
                "lease": None,
                "losses": 0,
                "retries": {},
                "avoid": [],
                "safer": False,
                "finished_at": None,
                "progress": 0.0,
                "progress_number": 0,
            }
            if job.model == plan.NO_MODEL:
                model = ports.choose(job.inputs["source_language"], job.language)
                if model is None:
                    continue
                fields |= {"model": model, "queue": queue_name(Stage.TRANSLATE, model, job.label)}
            jobs.apply(ports, job, Event.REVIVE, fields=fields)
        after = batch[-1].id


def _close_unwanted(ports: Ports, task_id: str) -> None:
    """A cancel may have swept before the children were there: read again, close what we opened."""
    task = ports.store.task(task_id)
    if task is not None and task.cancel:
        jobs.sweep(ports, task_id)


def _tell(ports: Ports, output: Output) -> None:
    """One line of the log for each transcript and each cell that is there now."""
    data = {
        "text_id": output.text_id,
        "language": output.language,
        "source": output.source,
        "kind": output.kind,
    }
    kind = "item" if output.kind == "transcript" else "cell"
    ports.store.append_event(output.task_id, output.created_at, kind, data)
