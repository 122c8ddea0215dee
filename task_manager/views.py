"""A task and its items as a caller sees them, put together from the documents of the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.model.export import shown
from services.model.job import HistoryEntry, Job, Stage
from services.model.node import takers
from services.model.states import JobState
from services.model.task import Item, Priority, Source, Task
from task_manager import learnt
from task_manager.cells import cell, done
from task_manager.clock import moment
from task_manager.pipeline import estimate, exports
from task_manager.pipeline.limits import LEAST
from task_manager.pipeline.own_words import is_outdated, own_versions
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.promises import Estimate
from task_manager.schemas.item import AudioView, CellView, ItemView
from task_manager.schemas.new_task import PriorityName
from task_manager.schemas.task import (
    AcceptedTask,
    Attempt,
    Outputs,
    OutputsError,
    RunningJob,
    StageTiming,
    TaskDetail,
    TaskOptions,
    TaskSummary,
    UsageView,
    Warned,
)
from task_manager.store.protocol import OutputLine, Store

LOOKED_AT = 100  # items whose jobs a task's own page looks at
SHOWN = 100  # attempts and warnings on that page

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


def accepted(task: Task) -> AcceptedTask:
    hook = task.webhook
    secret = hook.secret if hook is not None and hook.made else None
    return AcceptedTask(**_summary(task), webhook_secret=secret)


def detail(task: Task, ports: Ports) -> TaskDetail:
    """The task's page. Bounded, however many items it has."""
    store = ports.store
    last = min(LOOKED_AT, len(task.manifest.items)) - 1
    jobs = store.lean_jobs(task.id, 0, last)
    known = _known(store, task, 0, last, jobs)
    running = [job for job in jobs if job.state is JobState.RUNNING][:SHOWN]
    return TaskDetail(
        **_summary(task),
        **_expectation(estimate.of_task(ports, task), store.now()),
        options=TaskOptions.of(task.manifest.options),
        media_until=moment(task.retention.media_until(task.finished_at)),
        results_until=moment(task.retention.results_until(task.finished_at)),
        outputs=_outputs(task, store),
        usage=_usage(task, ports),
        running=[_running(task, job, estimate.of_running(ports, job)) for job in running],
        no_node=_unserved(ports, jobs),
        attempts=_attempts(task, jobs),
        warnings=_warned(task, known)[:SHOWN],
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


def _outputs(task: Task, store: Store) -> Outputs | None:
    """While they are written, and written again, the delivery that does so tells how it stands."""
    if not task.output_prefix:
        return None
    delivery = store.delivery(exports.id_of(task)) if task.state.ended else None
    if delivery is None or not delivery.open:
        found = task.export if task.state.ended and not task.awaits_export else None
        return Outputs(**shown(task.output_prefix, found), next_attempt_at=None)
    tried = delivery.failures and delivery.tries
    error = OutputsError(code=exports.NOT_WRITTEN, message=tried[-1].error) if tried else None
    about = {**shown(task.output_prefix, None), "error": error}
    return Outputs(**about, next_attempt_at=moment(delivery.due) if tried else None)


def _usage(task: Task, ports: Ports) -> UsageView | None:
    """Where the catalog knows no chat service there is nothing to be looked for."""
    if not any(entry.chat for entry in ports.catalog.entries.values()):
        return None
    used = ports.store.usage(task.id)
    return UsageView(**used.model_dump()) if used.requests else None


def _expectation(found: Estimate, now: float) -> dict[str, Any]:
    end = None if found.expected_s is None else max(now, found.at + found.expected_s)
    return {
        "position": found.position,
        "expected_seconds": None if end is None else round(end - now, 1),
        "expected_at": moment(end),
    }


def _unserved(ports: Ports, jobs: Iterable[Job]) -> list[str]:
    """The queues in which jobs wait and of which no node may be given work."""
    wanted = {job.queue for job in jobs if job.state is JobState.WAITING}
    if not wanted:
        return []
    nodes, now = ports.store.nodes(), ports.store.now()
    return sorted(queue for queue in wanted if not takers(nodes, queue, now))


def _attempts(task: Task, jobs: Iterable[Job]) -> list[Attempt]:
    """Every line of every job's history, the newest last."""
    lines = [(line, job, line is job.history[-1]) for job in jobs for line in job.history]
    lines.sort(key=lambda each: each[0].at)
    return [_attempt(task, *each) for each in lines[-SHOWN:]]


def _attempt(task: Task, line: HistoryEntry, job: Job, last: bool) -> Attempt:  # noqa: FBT001
    waits = last and job.state is JobState.WAITING
    return Attempt(
        **_name(task, job, line.attempt),
        attempts=job.attempt,
        failure=line.failure,
        code=line.code,
        message=line.message,
        node=line.node,
        started_at=moment(line.started_at),
        at=moment(line.at),
        next_attempt_at=moment(line.next_attempt_at) if waits else None,
        dead=last and job.state is JobState.DEAD,
    )


def _running(task: Task, job: Job, expected_s: float | None) -> RunningJob:
    limits = job.limits or LEAST
    return RunningJob(
        **_name(task, job, job.attempt),
        node=job.lease.node if job.lease else None,
        started_at=moment(job.claimed_at),
        progress=job.progress,
        expected_seconds=None if expected_s is None else round(expected_s, 1),
        soft_limit_s=limits.soft_s,
        hard_limit_s=limits.hard_s,
    )


def _name(task: Task, job: Job, attempt: int) -> dict[str, Any]:
    return {
        "stage": job.stage,
        "text_id": task.manifest.items[job.item].text_id,
        "language": job.language or None,
        "source": job.source or None,
        "part": job.part,
        "attempt": attempt,
    }


def _timings(jobs: Iterable[Job]) -> dict[str, StageTiming]:
    spans: dict[Stage, list[tuple[float, float]]] = defaultdict(list)
    for job in jobs:
        if job.state is JobState.SUCCEEDED and job.claimed_at and job.finished_at:
            end = max(job.claimed_at, job.finished_at)  # the clock may have been set back
            spans[job.stage].append((job.claimed_at, end))
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


@dataclass(slots=True)
class _Known:
    """The jobs and outputs of one item."""

    jobs: list[Job] = field(default_factory=list)
    outputs: list[OutputLine] = field(default_factory=list)


def item_views(task: Task, store: Store, items: Sequence[Item]) -> list[ItemView]:
    """Some neighbouring items with everything that is known of them."""
    if not items:
        return []
    first, last = items[0].ordinal, items[-1].ordinal
    known = _known(store, task, first, last, store.lean_jobs(task.id, first, last))
    return [_item(task, item, known[item.ordinal]) for item in items]


def _known(
    store: Store, task: Task, first: int, last: int, jobs: Iterable[Job]
) -> dict[int, _Known]:
    found: dict[int, _Known] = defaultdict(_Known)
    for job in jobs:
        found[job.item].jobs.append(job)
    for output in store.output_lines(task.id, first, last):
        found[output.item].outputs.append(output)
    return found


def _item(task: Task, item: Item, known: _Known) -> ItemView:
    facts = learnt.facts(task, known.jobs, known.outputs)
    check = learnt.check(facts)
    return ItemView(
        ordinal=item.ordinal,
        text_id=item.text_id,
        audio=AudioView(**item.audio.model_dump(exclude={"key"})) if item.audio else None,
        has_text=item.text is not None,
        language=learnt.language(task, item, facts),
        spoken_language=learnt.spoken(item, facts),
        language_probability=facts.get("language_probability"),
        duration=facts.get("seconds"),
        coverage=facts.get("coverage"),
        gaps=facts.get("gaps") or [],
        channels=facts.get("channels") or [],
        no_speech=facts.get("no_speech"),
        engine_seconds=facts.get("engine_seconds"),
        reused=facts.get("reused", False),
        check=check,
        warnings=learnt.warnings(task, facts, check),
        hotwords=facts.get("hotwords"),
        cells=_cells(task, item, known),
    )


def _warned(task: Task, known: Mapping[int, _Known]) -> list[Warned]:
    found = []
    for item in sorted(known):
        facts = learnt.facts(task, known[item].jobs, known[item].outputs)
        text_id = task.manifest.items[item].text_id
        warnings = learnt.warnings(task, facts, learnt.check(facts))
        found += [Warned(text_id=text_id, warning=each) for each in warnings]
    return found


def _cells(task: Task, item: Item, known: _Known) -> dict[str, dict[str, CellView]]:
    there = {
        (output.language, output.source): output
        for output in known.outputs
        if output.kind != "transcript"  # of an item that is too far from its text, no cell
    }
    own = own_versions(known.outputs)

    def seen(language: str, source: Source) -> CellView:
        output = there.get((language, source))
        outdated = output is not None and is_outdated(output, own)
        if output is not None and (not outdated or output.corrected_by):
            return done(output.version, output.facts, outdated=outdated)
        return cell(
            known.jobs,
            language,
            source,
            ended=task.state.ended,
            version=own.get((item.ordinal, source), 0),
            there=None if output is None else output.version,
        )

    sources = task.manifest.sources(task.manifest.items[item.ordinal])
    return {
        spelling: {source.value: seen(language, source) for source in sources}
        for language, spelling in spellings(task).items()
    }
