"""What expands into what: from a committed plan to items, jobs and outputs, and nothing else.

Every function here is pure and deterministic in its plan, so an expansion that is run twice, or
by two managers at once, names the same children.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from services.model import size as sizes
from services.model.children import new_job, new_output
from services.model.errors import FailureClass
from services.model.job import HistoryEntry, Job, Stage
from services.model.stages import (
    AssembleResult,
    DetectResult,
    PartPlan,
    PrepareResult,
    TranscribeResult,
    TranslateResult,
)
from services.model.states import JobState
from services.model.task import Item, ItemSpec, Source, Task
from services.model.transcript import Body, Check, Output

UNKNOWN = "und"  # the language of an item in which nobody speaks
NO_MODEL = "none"  # the tail of the queue of a pair that no model serves

ChooseModel = Callable[[str, str], str | None]  # (source language, target language) → model


@dataclass(frozen=True, slots=True)
class Expansion:
    """The children of one committed plan."""

    items: list[Item] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Words:
    """The committed words of an item that translations are made from."""

    source: Source
    language: str
    text: Body
    body: Body | None
    runs: Sequence[tuple[int, int | None]]
    attempt: int = 0
    differences: Body | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""  # why no cell may be made of them


def inline(text: str) -> Body:
    """A text that stands in the document itself."""
    raw = text.encode()
    return Body(inline=text, size=len(raw), sha256=sha256(raw).hexdigest())


def of_task(task: Task, *, now: float, choose: ChooseModel) -> Expansion:
    """The items, a prepare job for each audio, and the translations of the reference texts."""
    expansion = Expansion()
    for ordinal, spec in enumerate(task.manifest.items):
        item = Item(
            id=f"{task.id}/{ordinal}",
            task_id=task.id,
            ordinal=ordinal,
            text_id=spec.text_id,
            audio=spec.audio,
            text=spec.text,
            language=spec.language,
        )
        expansion.items.append(item)
        if spec.audio is not None:
            size = sizes.of_file(spec.audio.size)
            expansion.jobs.append(new_job(task, Stage.PREPARE, ordinal, size=size, now=now))
        if spec.text is not None and spec.language is not None:
            words = Words(Source.TEXT, spec.language, inline(spec.text), None, [(0, None)])
            _spread(expansion, task, ordinal, words, now=now, choose=choose)
    return expansion


def of_prepare(task: Task, item: int, result: PrepareResult, *, now: float) -> Expansion:
    """One transcribe job a part; first a detect job when there are several and no language is
    stated, or when that is all that is asked; empty outputs when nobody speaks."""
    spec = task.manifest.items[item]
    if not result.parts:
        return _silence(task, item, spec, result, now=now)
    if task.manifest.options.only_detect or (spec.language is None and len(result.parts) > 1):
        size = sizes.of_windows(result.parts)
        return Expansion(jobs=[new_job(task, Stage.DETECT, item, size=size, now=now)])
    return Expansion(
        jobs=_transcriptions(task, item, result.parts, {"language": spec.language}, now=now)
    )


def of_detect(
    task: Task, item: int, result: DetectResult, *, parts: Sequence[PartPlan], now: float
) -> Expansion:
    """One transcribe job a part, all in the language that was found; none if only that is asked."""
    if task.manifest.options.only_detect:
        facts = {"language_probability": result.probability, "warnings": result.warnings}
        words = Words(Source.AUDIO, result.language, inline(""), None, [], facts=facts)
        expansion = Expansion()
        _spread(expansion, task, item, words, now=now, choose=lambda *_: None)
        return expansion
    inputs = {"language": result.language, "language_probability": result.probability}
    return Expansion(jobs=_transcriptions(task, item, parts, inputs, now=now))


def of_transcript(
    task: Task,
    job: Job,
    result: TranscribeResult | AssembleResult,
    *,
    language: str,
    facts: Mapping[str, Any],
    now: float,
    choose: ChooseModel,
) -> Expansion:
    """The transcript as an output, and its translation into every target."""
    expansion = Expansion()
    words = Words(
        Source.AUDIO,
        language,
        result.text,
        result.transcript,
        result.runs or [(0, result.segments)],
        attempt=job.attempt,
        differences=result.differences,
        facts={
            **facts,
            "segments": result.segments,
            "no_speech": result.no_speech,
            "check": result.check.model_dump() if result.check else None,
        },
        refused=_refused(task, result.check),
    )
    _spread(expansion, task, job.item, words, now=now, choose=choose)
    return expansion


def of_translation(
    task: Task, job: Job, result: TranslateResult | AssembleResult, *, now: float
) -> Expansion:
    """The one cell that a translation fills."""
    output = new_output(
        task,
        job.item,
        Source(job.source),
        job.language,
        kind="translation",
        text=result.text,
        body=result.transcript,
        attempt=job.attempt,
        now=now,
        facts={"segments": result.segments},
    )
    return Expansion(outputs=[output])


def joining(task: Task, job: Job, *, now: float) -> Expansion:
    """The assemble job that joins the parts of a transcript or, with a language, of a cell."""
    joined = new_job(
        task, Stage.ASSEMBLE, job.item, language=job.language, source=job.source,
        size=sizes.of_joining(job.inputs["parts"]), now=now,
    )  # fmt: skip
    return Expansion(jobs=[joined])


def _transcriptions(
    task: Task, item: int, parts: Sequence[PartPlan], inputs: dict[str, Any], *, now: float
) -> list[Job]:
    given = {**inputs, "parts": len(parts)}
    return [
        new_job(
            task, Stage.TRANSCRIBE, item, part=number, inputs=given,
            size=sizes.of_part(part), now=now,
        )
        for number, part in enumerate(parts)
    ]  # fmt: skip


def _spread(
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
        )
        jobs.append(job if model else _unserved(job, words.language, target, now=now))
    return jobs


def _unserved(job: Job, source: str, target: str, *, now: float) -> Job:
    """A cell that no configured model can fill dies at once and says so."""
    message = f"No configured model translates {source} into {target}."
    return _dead(job, FailureClass.PERMANENT, "pair_not_served", message, now=now)


def _refused(task: Task, check: Check | None) -> str:
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
        size=0.0, now=now,
    )  # fmt: skip
    return _dead(job, FailureClass.PERMANENT, "check_failed", words.refused, now=now)


def _dead(job: Job, failure: FailureClass, code: str, message: str, *, now: float) -> Job:
    """A job that is never claimed, with one line of history that says why."""
    entry = HistoryEntry(attempt=0, at=now, failure=failure, code=code, message=message)
    return job.model_copy(
        update={"state": JobState.DEAD, "open": False, "history": [entry], "finished_at": now}
    )


def stays_dead(job: Job) -> bool:
    """Whether a retry would find everything as it was."""
    return bool(job.history) and job.history[-1].code == "check_failed"


def _silence(
    task: Task, item: int, spec: ItemSpec, result: PrepareResult, *, now: float
) -> Expansion:
    """Nobody speaks: an empty transcript and empty cells, flagged, never a phrase."""
    check = result.check.model_dump() if result.check else None
    words = Words(
        Source.AUDIO,
        spec.language or UNKNOWN,
        inline(""),
        None,
        [],
        facts={"no_speech": True, "segments": 0, "check": check, **result.facts},
        refused=_refused(task, result.check),
    )
    expansion = Expansion()
    _spread(expansion, task, item, words, now=now, choose=lambda *_: None)
    return expansion
