"""The state of a cell, derived from the output that fills it or the jobs on its way there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.model.job import Job
from services.model.states import JobState
from services.model.task import Source
from task_manager.clock import moment
from task_manager.schemas.item import CellError, CellState, CellView
from task_manager.store.protocol import OutputLine

# The first of these that any job on the way has decides.
_ORDER: tuple[tuple[JobState, CellState], ...] = (
    (JobState.DEAD, "failed"),
    (JobState.CANCELLED, "cancelled"),
    (JobState.RUNNING, "running"),
)

_MISSED = 10  # terms of a translation that warnings name
_SUSPICIOUS = ("truncated", "length_ratio", "untranslated", "other_language")


def done(version: int, facts: Mapping[str, Any], *, outdated: bool) -> CellView:
    """A cell whose text counts, though it may be outdated because somebody wrote it."""
    told = {name: facts[name] for name in ("glossary", "flags") if name in facts}
    return CellView(state="done", error=None, version=version, outdated=outdated, **told)


def warnings_of(output: OutputLine) -> list[str]:
    """What of a translation somebody should look at."""
    flags = output.facts.get("flags") or {}
    missed = (output.facts.get("glossary") or {}).get("missed", [])[:_MISSED]
    suspicious = [
        f"{flag}: {flags[flag]} of {output.facts['segments']} sentences "
        f"({output.language}, {output.source})"
        for flag in _SUSPICIOUS
        if flag in flags
    ]
    return [
        *(f"glossary_term_missing: {each['term']} ({output.language})" for each in missed),
        *suspicious,
    ]


def cell(
    jobs: Sequence[Job],
    language: str,
    source: Source,
    *,
    ended: bool,
    version: int = 0,
    there: int | None = None,
) -> CellView:
    """A cell without an output made of this version of its item's words, by all jobs of the item;
    `there` is the version of an older output.

    Where its own translation has not begun, the item's transcript is what it waits for.
    """
    way = [
        job
        for job in jobs
        if (job.language, job.source, job.version) == (language, source, version)
    ]
    if not way and source is Source.AUDIO and not version:
        way = [job for job in jobs if not job.language]
    states = {job.state for job in way}
    fallback: CellState = "cancelled" if ended else "waiting"
    state = next((seen_as for job_state, seen_as in _ORDER if job_state in states), fallback)
    return CellView(state=state, error=_error(way), version=there or 0, outdated=there is not None)


def _error(way: Sequence[Job]) -> CellError | None:
    failed = [job for job in way if job.history and job.state is not JobState.SUCCEEDED]
    if not failed:
        return None
    job = max(failed, key=lambda each: (each.state is JobState.DEAD, each.history[-1].at))
    last = job.history[-1]
    return CellError(
        failure=last.failure,
        code=last.code,
        message=last.message,
        attempts=job.attempt,
        next_attempt_at=moment(last.next_attempt_at) if job.state is JobState.WAITING else None,
    )
