"""A task and its items as a caller sees them, put together from the documents of the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.model.job import Job, Stage
from services.model.messages import DetectResult, PrepareResult
from services.model.states import JobState
from services.model.task import Item, Priority, Source, Task
from services.model.transcript import Check, Output
from task_manager.cells import DONE, cell
from task_manager.clock import moment
from task_manager.schemas.item import AudioView, CellView, ItemView
from task_manager.schemas.new_task import PriorityName
from task_manager.schemas.task import Attempt, StageTiming, TaskDetail, TaskSummary, Warned
from task_manager.store.protocol import Store

LOOKED_AT = 100  # items whose jobs a task's own page looks at
SHOWN = 100  # attempts and warnings on that page
_COVERED = 0.98  # less decoded than this share of what was declared is flagged

_PRIORITIES: Mapping[int, PriorityName] = {
    Priority.URGENT: "urgent",
    Priority.NORMAL: "normal",
    Priority.BULK: "bulk",
}


def spellings(task: Task) -> dict[str, str]:
    """Canonical tag → the name under which the task's results show it."""
    as_written = task.manifest.options.language_spelling == "caller"
    return {
        target.language: target.spelling if as_written else target.language
        for target in task.manifest.targets
    }


def summary(task: Task) -> TaskSummary:
    return TaskSummary(**_summary(task))


def detail(task: Task, store: Store) -> TaskDetail:
    """The task's page. Bounded, however many items it has."""
    jobs = store.jobs_of_items(task.id, 0, LOOKED_AT - 1)
    items = item_views(task, store, store.items(task.id, limit=LOOKED_AT), jobs)
    warned = [Warned(text_id=item.text_id, warning=w) for item in items for w in item.warnings]
    return TaskDetail(
        **_summary(task),
        options=task.manifest.options,
        attempts=list(_attempts(task, jobs))[:SHOWN],
        warnings=warned[:SHOWN],
        timings=_timings(jobs),
    )


def _summary(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "state": task.state,
        "progress": task.progress,
        "created_at": moment(task.created_at),
        "started_at": moment(task.started_at),
        "finished_at": moment(task.finished_at),
        "priority": _PRIORITIES.get(task.priority, "normal"),
        "items": len(task.manifest.items),
        "targets": list(spellings(task).values()),
        "counts": task.counts.model_copy(update={"cells": task.manifest.cells}),
        "cancel_requested": task.cancel,
        "metadata": task.metadata,
    }


def _attempts(task: Task, jobs: Iterable[Job]) -> Iterable[Attempt]:
    for job in jobs:
        if not job.history:
            continue
        last = job.history[-1]
        waits = job.state is JobState.WAITING
        yield Attempt(
            stage=job.stage,
            text_id=task.manifest.items[job.item].text_id,
            language=job.language or None,
            source=job.source or None,
            part=job.part,
            attempts=job.attempt,
            failure=last.failure,
            code=last.code,
            message=last.message,
            at=moment(last.at),
            node=last.node,
            next_attempt_at=moment(last.next_attempt_at) if waits else None,
            dead=job.state is JobState.DEAD,
        )


def _timings(jobs: Iterable[Job]) -> dict[str, StageTiming]:
    spans: dict[Stage, list[tuple[float, float]]] = defaultdict(list)
    for job in jobs:
        if job.state is JobState.SUCCEEDED and job.claimed_at and job.finished_at:
            spans[job.stage].append((job.claimed_at, job.finished_at))
    return {
        stage.value: StageTiming(
            jobs=len(spans[stage]),
            work_seconds=sum(end - start for start, end in spans[stage]),
            wall_seconds=max(e for _, e in spans[stage]) - min(s for s, _ in spans[stage]),
        )
        for stage in Stage
        if spans[stage]
    }


# ── items ────────────────────────────────────────────────────────────────────────────────────


def item_views(
    task: Task, store: Store, items: Sequence[Item], jobs: Sequence[Job] | None = None
) -> list[ItemView]:
    """Some neighbouring items with everything that is known of them."""
    if not items:
        return []
    first, last = items[0].ordinal, items[-1].ordinal
    by_item: dict[int, list[Job]] = defaultdict(list)
    for job in store.jobs_of_items(task.id, first, last) if jobs is None else jobs:
        by_item[job.item].append(job)
    outputs: dict[int, list[Output]] = defaultdict(list)
    for output in store.outputs(task.id, first=first, last=last):
        outputs[output.item].append(output)
    return [_item(task, item, by_item[item.ordinal], outputs[item.ordinal]) for item in items]


def _item(task: Task, item: Item, jobs: list[Job], outputs: list[Output]) -> ItemView:
    facts = _facts(jobs, outputs)
    check = Check.model_validate(facts["check"]) if facts.get("check") else None
    return ItemView(
        ordinal=item.ordinal,
        text_id=item.text_id,
        audio=AudioView(**item.audio.model_dump(exclude={"key"})) if item.audio else None,
        has_text=item.text is not None,
        language=item.language or facts.get("language"),
        language_probability=facts.get("language_probability"),
        duration=facts.get("seconds"),
        coverage=facts.get("coverage"),
        no_speech=facts.get("no_speech"),
        check=check,
        warnings=_warnings(task, facts, check),
        cells=_cells(task, item, jobs, outputs),
    )


def _facts(jobs: Iterable[Job], outputs: Iterable[Output]) -> dict[str, Any]:
    """What the item's jobs learnt, in the order in which they learn it; then its transcript."""
    facts: dict[str, Any] = {}
    for job in jobs:
        if job.stage is Stage.PREPARE and job.result is not None:
            prepared = PrepareResult.model_validate(job.result)
            facts |= prepared.model_dump(include={"seconds", "coverage", "warnings"})
        elif job.stage is Stage.DETECT and job.result is not None:
            found = DetectResult.model_validate(job.result)
            facts |= {"language": found.language, "language_probability": found.probability}
    for output in outputs:
        if output.source == Source.AUDIO and output.kind != "translation":
            facts |= {"language": output.language, **output.facts}
    return facts


def _warnings(task: Task, facts: Mapping[str, Any], check: Check | None) -> list[str]:
    warnings = list(facts.get("warnings") or [])
    coverage = facts.get("coverage")
    if coverage is not None and coverage < _COVERED and "low_coverage" not in warnings:
        warnings.append("low_coverage")
    if facts.get("no_speech") and "no_speech" not in warnings:
        warnings.append("no_speech")
    threshold = task.manifest.options.check_threshold
    if check is not None and threshold is not None and check.rate > threshold:
        warnings.append("check_above_threshold")
    return warnings


def _cells(
    task: Task, item: Item, jobs: list[Job], outputs: Iterable[Output]
) -> dict[str, dict[str, CellView]]:
    there = {(output.language, output.source) for output in outputs}
    sources = task.manifest.sources(task.manifest.items[item.ordinal])
    return {
        spelling: {
            source.value: DONE
            if (language, source) in there
            else cell(jobs, language, source, ended=task.state.ended)
            for source in sources
        }
        for language, spelling in spellings(task).items()
    }
