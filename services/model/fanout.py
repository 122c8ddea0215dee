"""From the committed words of an item to its cells: outputs that are there, and jobs that make the
others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.model import size as sizes
from services.model.children import new_job, new_output
from services.model.errors import FailureClass
from services.model.job import HistoryEntry, Job, Stage
from services.model.states import JobState
from services.model.task import Item, Source, Task
from services.model.transcript import Body, Check, Output, Runs, inline

NO_MODEL = "none"  # the tail of the queue of a pair that no model serves

ChooseModel = Callable[[str, str], str | None]  # (source language, target language) → model


@dataclass(frozen=True, slots=True)
class Expansion:
    """The children of one committed plan."""

    items: list[Item] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    def add(self, more: Expansion) -> None:
        self.items.extend(more.items)
        self.jobs.extend(more.jobs)
        self.outputs.extend(more.outputs)


@dataclass(frozen=True, slots=True)
class Words:
    """The committed words of an item that translations are made from."""

    source: Source
    language: str
    text: Body
    body: Body | None
    runs: Runs
    attempt: int = 0
    version: int = 0
    differences: Body | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""  # why no cell may be made of them


def spread(
    expansion: Expansion,
    task: Task,
    item: int,
    words: Words,
    *,
    now: float,
    choose: ChooseModel,
) -> None:
    """The words themselves as an output, and jobs that carry them into every other target."""
    same = task.manifest.own_words_count(words.language) and not words.refused
    expansion.outputs.append(
        new_output(
            task,
            item,
            words.source,
            words.language,
            kind="identity" if same else "transcript",
            text=words.text,
            body=words.body,
            attempt=words.attempt,
            now=now,
            facts=words.facts,
            differences=words.differences,
            runs=words.runs,
            version=words.version,
        )
    )
    if words.refused:
        targets = task.manifest.languages or [words.language]
        expansion.jobs.extend(_refusal(task, item, words, each, now=now) for each in targets)
        return
    for target in task.manifest.languages:
        if target == words.language:
            continue
        if words.text.size == 0:
            expansion.outputs.append(
                new_output(
                    task, item, words.source, target, kind="translation",
                    text=inline(""), body=None, attempt=words.attempt, now=now, facts={},
                    version=words.version,
                )
            )  # fmt: skip
            continue
        expansion.jobs.extend(_translations(task, item, words, target, now=now, choose=choose))


def _translations(
    task: Task, item: int, words: Words, target: str, *, now: float, choose: ChooseModel
) -> list[Job]:
    model = choose(words.language, target)
    jobs = []
    shares = sizes.shares(words.runs)
    for part, (first, last) in enumerate(words.runs):
        inputs = {
            "source_language": words.language,
            "first": first,
            "last": last,
            "parts": len(words.runs),
        }
        job = new_job(
            task,
            Stage.TRANSLATE,
            item,
            language=target,
            source=words.source,
            part=part,
            model=model or NO_MODEL,
            size=sizes.of_text(words.text, shares[part]),
            inputs=inputs,
            now=now,
            version=words.version,
        )
        jobs.append(job if model else _unserved(job, words.language, target, now=now))
    return jobs


def _unserved(job: Job, source: str, target: str, *, now: float) -> Job:
    """A cell that no configured model can fill dies at once and says so."""
    message = f"No configured model translates {source} into {target}."
    return _dead(job, FailureClass.PERMANENT, "pair_not_served", message, now=now)


def refused(task: Task, check: Check | None) -> str:
    """Why an item is too far from its text for a task that fails those; empty if it is not."""
    options = task.manifest.options
    if options.check_action != "fail" or not check or not check.is_above(options.check_threshold):
        return ""
    return (
        f"What was heard differs from the text by {check.rate:.1%}, more than the "
        f"{options.check_threshold:.1%} that the task allows: look at the item's check, and send "
        "it anew in a task with another model or another check_threshold."
    )


def _refusal(task: Task, item: int, words: Words, target: str, *, now: float) -> Job:
    """A cell that may not be made of these words; no retry changes that."""
    job = new_job(
        task, Stage.TRANSLATE, item, language=target, source=words.source, model=NO_MODEL,
        size=0.0, now=now, version=words.version,
    )  # fmt: skip
    return _dead(job, FailureClass.PERMANENT, "check_failed", words.refused, now=now)


def _dead(job: Job, failure: FailureClass, code: str, message: str, *, now: float) -> Job:
    """A job that is never claimed, with one line of history that says why."""
    entry = HistoryEntry(attempt=0, at=now, failure=failure, code=code, message=message)
    return job.model_copy(
        update={"state": JobState.DEAD, "open": False, "history": [entry], "finished_at": now}
    )
