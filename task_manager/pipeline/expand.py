"""Write the children of a committed plan; may be run twice, late, or by two managers at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from services.model import hotwords, plan
from services.model.fanout import NO_MODEL, Expansion
from services.model.job import Job, Stage, job_id, queue_name
from services.model.stages import (
    AssembleResult,
    DetectResult,
    PrepareResult,
    TranscribeResult,
    TranslateResult,
    as_stored,
)
from services.model.states import Event, JobState
from services.model.task import Task
from services.model.transcript import Output, output_id
from task_manager.pipeline import jobs
from task_manager.pipeline.notices import write_told
from task_manager.pipeline.own_words import OWN_AT_ONCE, is_superseded, own_lines
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.settle import pause_s
from task_manager.store.children import Children, Expanded, NewEvent


def expand_task(ports: Ports, task: Task, told: Sequence[NewEvent] = ()) -> None:
    """Items, first jobs, outputs of the texts, what is `told` of it; after a retry also the dead
    jobs, alive again; of a task that was opened for more languages or a correction, only these.

    The flag is cleared for the revision that was read: a manager that slept over a retry must
    not clear the flag that the retry has set.
    """
    current: Task | None = task
    while current is not None and current.expand == "pending":
        if _expand_task(ports, current, told):
            break
        current, told = ports.store.task(task.id), ()
    # The flag was cleared at this revision: a cancel that comes later finds the children itself.
    if current is not None and current.cancel:
        jobs.sweep(ports, task.id)
    ports.wake()


def _expand_task(ports: Ports, task: Task, told: Sequence[NewEvent]) -> bool:
    """Whether the flag was cleared."""
    now = ports.store.now()
    done = Expanded(task.id, look_at=now, revision=task.revision)
    if task.deleted_at is not None:
        return ports.store.write_children(Children(), done)
    if task.added or task.correction:
        (_widen if task.added else _correct)(ports, task)
        return ports.store.write_children(Children(), replace(done, look_at=ports.store.now()))
    children = _children_of(
        ports, task, plan.of_task(task, now=now, choose=ports.choosing(task.manifest.options)), told
    )
    if task.revive:
        write_told(ports, task, children)
        _revive(ports, task)
        return ports.store.write_children(Children(), replace(done, look_at=ports.store.now()))
    if not children.jobs:
        return write_told(ports, task, children, done)
    cleared = write_told(ports, task, children, replace(done, look_at=now + pause_s(ports)))
    if not ports.store.has_open_jobs(task.id):  # all done already, and the call for a look undone
        ports.store.note_task(task.id, {"look_at": ports.store.now()})
    return cleared


def _widen(ports: Ports, task: Task) -> None:
    """What is committed goes into the languages that were added, a stretch of items at a time. Done
    again, by whoever clears the flag, it adds what is missing."""
    choose = ports.choosing(task.manifest.options)
    for first in range(0, len(task.manifest.items), OWN_AT_ONCE):
        now, found = ports.store.now(), Expansion()
        for line in own_lines(ports.store, task.id, first):
            output = ports.store.output(output_id(task.id, line.item, line.source, line.language))
            if output is not None:
                found.add(plan.of_words(task, output, task.added, now=now, choose=choose))
        write_told(ports, task, _children_of(ports, task, found))


def _correct(ports: Ports, task: Task) -> None:
    """The words that were saved take the place of those before them, and what was made from those
    is made anew."""
    if task.correction is None:
        return
    output, kept = task.correction.output, set[str]()
    if output.kind != "translation" and not task.correction.overwrite:
        lines = ports.store.output_lines(task.id, output.item, output.item)
        kept = {
            line.language
            for line in lines
            if line.source == output.source and line.kind == "translation" and line.corrected_by
        }
    now, choose = ports.store.now(), ports.choosing(task.manifest.options)
    found = plan.of_correction(task, output, kept, now=now, choose=choose)
    write_told(ports, task, _children_of(ports, task, found))


def expand_job(ports: Ports, job: Job) -> None:
    """The children of a job that has succeeded; of one that has died, whom to tell."""
    task = ports.store.task(job.task_id)
    if task is None or task.deleted_at is not None:
        ports.store.set_expanded(job.id, job.attempt)
        return
    now = ports.store.now()
    done = Expanded(task.id, look_at=now, job=job.id, attempt=job.attempt)
    if job.state is JobState.DEAD:
        write_told(ports, task, Children(), done, died=job)
    else:
        children = _children_of(ports, task, _expansion(ports, task, job, now=now))
        write_told(ports, task, children, done)
        if task.manifest.options.previews and any(each.source == "A" for each in children.outputs):
            ports.store.drop_previews(task.id, item=job.item, only_waiting=True)
    _close_unwanted(ports, task.id)
    ports.wake()


def _expansion(ports: Ports, task: Task, job: Job, *, now: float) -> Expansion:
    match job.stage:
        case Stage.PREPARE:
            prepared = as_stored(PrepareResult, job.result)
            return plan.of_prepare(task, job.item, prepared, now=now)
        case Stage.DETECT:
            found = as_stored(DetectResult, job.result)
            parts = prepared_item(ports, task.id, job.item).parts
            return plan.of_detect(task, job.item, found, parts=parts, now=now)
        case Stage.TRANSCRIBE:
            heard = as_stored(TranscribeResult, job.result)
            if job.inputs["parts"] > 1:
                return _joining(ports, task, job, now=now)
            return _transcript(ports, task, job, heard, [heard], now=now)
        case Stage.TRANSLATE:
            if job.inputs["parts"] > 1:
                return _joining(ports, task, job, now=now)
            translated = as_stored(TranslateResult, job.result)
            return plan.of_translation(task, job, translated, [translated], now=now)
        case Stage.ASSEMBLE:
            joined = as_stored(AssembleResult, job.result)
            if job.language:
                made = [as_stored(TranslateResult, part.result) for part in parts_of(ports, job)]
                return plan.of_translation(task, job, joined, made, now=now)
            each = [as_stored(TranscribeResult, part.result) for part in parts_of(ports, job)]
            return _transcript(ports, task, job, joined, each, now=now)


def _transcript(
    ports: Ports,
    task: Task,
    job: Job,
    result: TranscribeResult | AssembleResult,
    parts: Sequence[TranscribeResult],
    *,
    now: float,
) -> Expansion:
    """The language and warnings of the first part are those of all."""
    heard = parts[0]
    prepared = prepared_item(ports, task.id, job.item)
    facts: dict[str, Any] = {
        **prepared.facts,
        "warnings": [*prepared.warnings, *heard.warnings],
        "engine_seconds": round(sum(part.engine_seconds for part in parts), 3),
    }
    hinted = hotwords.joined(part.hotwords for part in parts if part.hotwords is not None)
    if hinted is not None:
        facts["hotwords"] = hinted.model_dump()
    if heard.spoken is not None:
        facts["spoken_language"] = heard.spoken
    if any(part.reused for part in parts):
        facts["reused"] = True
    if isinstance(result, TranscribeResult):
        facts["language_probability"] = result.language_probability
    return plan.of_transcript(
        task,
        job,
        result,
        language=heard.language,
        facts=facts,
        now=now,
        choose=ports.choosing(task.manifest.options),
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
        if (other.stage, other.language, other.source, other.version)
        == (stage, job.language, job.source, job.version)
        and other.state is JobState.SUCCEEDED
    ]
    return sorted(found, key=lambda other: other.part)


def prepared_item(ports: Ports, task_id: str, item: int) -> PrepareResult:
    """What the item's prepare job reported."""
    prepare = ports.store.job(job_id(task_id, Stage.PREPARE, item))
    if prepare is None or prepare.result is None:
        raise LookupError(f"item {item} of {task_id} is not prepared")
    return as_stored(PrepareResult, prepare.result)


def _children_of(
    ports: Ports, task: Task, expansion: Expansion, told: Sequence[NewEvent] = ()
) -> Children:
    return Children(
        items=expansion.items,
        versions=_replaced(ports, expansion.outputs),
        outputs=expansion.outputs,
        jobs=_ranked(ports, task.owner, expansion.jobs),
        events=[*told, *(_told(task, each) for each in expansion.outputs)],
    )


def _replaced(ports: Ports, outputs: Iterable[Output]) -> list[Output]:
    """Those in whose place these come."""
    there = [ports.store.output(each.id) for each in outputs if each.version]
    newer = {each.id: each.version for each in outputs}
    return [each for each in there if each is not None and each.version < newer[each.id]]


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
    """Where the owner's next job stands in the queue: so many turns after the front as jobs of his
    wait there; those that run had their turn. Counted from the front, not from 0: else a steady
    trickle of one owner starves the long queue of another, and new jobs overtake the tail of
    their own owner's."""
    front = ports.store.front_rank(queue, priority)
    return front + ports.lines.length(ports.store, owner, queue)


def _revive(ports: Ports, task: Task) -> None:
    """Dead jobs wait again: counts and losses cleared, the attempt kept as the fence. The task is
    read after each batch: what died after this retry is another one's to revive."""
    after = ""
    while batch := ports.store.dead_jobs(task.id, after=after, limit=200):
        current = ports.store.task(task.id)
        if current is None or current.revision != task.revision:
            return
        for job in batch:
            if plan.stays_dead(job) or is_superseded(ports.store, task, job):
                continue
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
            if job.model == NO_MODEL:
                model = ports.choosing(task.manifest.options)(
                    job.inputs["source_language"], job.language
                )
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


def _told(task: Task, output: Output) -> NewEvent:
    """One line of the log for each transcript and each cell that is there now."""
    data: dict[str, Any] = {
        "text_id": output.text_id,
        "language": output.language,
        "source": output.source,
        "kind": output.kind,
    }
    if output.version:
        data["version"] = output.version
    kind = "item" if output.kind == "transcript" else "cell"
    return NewEvent(task.id, task.owner, output.created_at, kind, data)
