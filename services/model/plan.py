"""What expands into what: from a committed plan to items, jobs and outputs, and nothing else.

Every function here is pure and deterministic in its plan, so an expansion that is run twice, or
by two managers at once, names the same children.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.model import glossary
from services.model import size as sizes
from services.model.children import new_job, new_output
from services.model.fanout import ChooseModel, Expansion, Words, refused, spread
from services.model.job import Job, Stage
from services.model.stages import (
    AssembleResult,
    DetectResult,
    PartPlan,
    PrepareResult,
    TranscribeResult,
    TranslateResult,
)
from services.model.task import Item, ItemSpec, Source, Task
from services.model.transcript import Check, Output, inline

UNKNOWN = "und"  # the language of an item in which nobody speaks


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
            spread(expansion, task, ordinal, words, now=now, choose=choose)
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
        spread(expansion, task, item, words, now=now, choose=lambda *_: None)
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
        refused=refused(task, result.check),
    )
    spread(expansion, task, job.item, words, now=now, choose=choose)
    return expansion


def of_words(
    task: Task,
    output: Output,
    languages: Sequence[str],
    *,
    now: float,
    choose: ChooseModel,
) -> Expansion:
    """What words that are committed give in languages that were added to the task afterwards. Where
    theirs is one of these they become a cell."""
    found = output.facts.get("check")
    check = Check.model_validate(found) if found and not output.version else None
    whole = _again(task, output, refused(task, check), now=now, choose=choose)
    return Expansion(
        jobs=[job for job in whole.jobs if job.language in languages],
        outputs=[each for each in whole.outputs if each.language in languages],
    )


def of_correction(
    task: Task, output: Output, kept: Collection[str], *, now: float, choose: ChooseModel
) -> Expansion:
    """The output that was saved; where it is an item's own words also their translations into all
    targets but those that are `kept`. What somebody wrote is not too far from anything."""
    if output.kind == "translation":
        return Expansion(outputs=[output])
    whole = _again(task, output, "", now=now, choose=choose)
    return Expansion(
        jobs=[job for job in whole.jobs if job.language not in kept],
        outputs=[output, *(each for each in whole.outputs[1:] if each.language not in kept)],
    )


def _again(
    task: Task, output: Output, why_not: str, *, now: float, choose: ChooseModel
) -> Expansion:
    words = Words(
        Source(output.source),
        output.language,
        output.text,
        output.body,
        output.runs or [(0, None)],
        attempt=output.attempt,
        version=output.version,
        differences=output.differences,
        facts=output.facts,
        refused=why_not,
    )
    whole = Expansion()
    spread(whole, task, output.item, words, now=now, choose=choose)
    return whole


def of_translation(
    task: Task,
    job: Job,
    result: TranslateResult | AssembleResult,
    parts: Sequence[TranslateResult],
    *,
    now: float,
) -> Expansion:
    """The one cell that a translation fills; its `parts` tell what looks wrong with it."""
    use = glossary.joined(part.glossary for part in parts if part.glossary is not None)
    flags: Counter[str] = Counter()
    for part in parts:
        flags.update(part.flags)
    told = {} if use is None else {"glossary": use.model_dump()}
    told |= {"flags": dict(flags)} if flags else {}
    output = new_output(
        task,
        job.item,
        Source(job.source),
        job.language,
        kind="translation",
        text=result.text,
        body=result.transcript,
        attempt=job.attempt,
        version=job.version,
        now=now,
        facts={"segments": result.segments, **told},
    )
    return Expansion(outputs=[output])


def joining(task: Task, job: Job, *, now: float) -> Expansion:
    """The assemble job that joins the parts of a transcript or, with a language, of a cell."""
    joined = new_job(
        task, Stage.ASSEMBLE, job.item, language=job.language, source=job.source,
        size=sizes.of_joining(job.inputs["parts"]), now=now, version=job.version,
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
        refused=refused(task, result.check),
    )
    expansion = Expansion()
    spread(expansion, task, item, words, now=now, choose=lambda *_: None)
    return expansion
