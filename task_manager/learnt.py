"""What is known of an item by now: what its jobs learnt, and what there is to warn of; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.model.job import Job, Stage
from services.model.stages import DetectResult, PrepareResult, as_stored
from services.model.task import Item, Source, Task
from services.model.transcript import Check
from task_manager.cells import warnings_of
from task_manager.store.protocol import OutputLine

_COVERED = 0.98  # less decoded than this share of what was declared is flagged


def facts(task: Task, jobs: Iterable[Job], outputs: Sequence[OutputLine]) -> dict[str, Any]:
    """What the item's jobs learnt, in the order in which they learn it; then its transcript."""
    known: dict[str, Any] = {}
    for job in jobs:
        if job.stage is Stage.PREPARE and job.result is not None:
            known |= as_stored(PrepareResult, job.result).facts
        elif job.stage is Stage.DETECT and job.result is not None:
            found = as_stored(DetectResult, job.result)
            known |= {
                "language": task.manifest.options.decoding.language(found.language),
                "spoken_language": found.language,
                "language_probability": found.probability,
            }
    for output in outputs:
        if output.source == Source.AUDIO and output.kind != "translation":
            known |= {"language": output.language, **output.facts}
    told = [warning for output in outputs for warning in warnings_of(output)]
    if told:
        known["warnings"] = [*(known.get("warnings") or []), *dict.fromkeys(told)]
    return known


def language(task: Task, item: Item, known: Mapping[str, Any]) -> str | None:
    """Of the item's words: of its text, or of what is written down of its audio."""
    if item.language and item.text is None:
        return task.manifest.options.decoding.language(item.language)
    return item.language or known.get("language")


def spoken(item: Item, known: Mapping[str, Any]) -> str | None:
    """The language of its audio."""
    if item.audio is None:
        return None
    return item.language or known.get("spoken_language") or known.get("language")


def check(known: Mapping[str, Any]) -> Check | None:
    """How far what was heard is from the text."""
    return Check.model_validate(known["check"]) if known.get("check") else None


def warnings(task: Task, known: Mapping[str, Any], checked: Check | None) -> list[str]:
    """What its caller should know."""
    found = list(known.get("warnings") or [])
    coverage = known.get("coverage")
    if coverage is not None and coverage < _COVERED and "low_coverage" not in found:
        found.append("low_coverage")
    if known.get("no_speech") and "no_speech" not in found:
        found.append("no_speech")
    if checked is not None and checked.is_above(task.manifest.options.check_threshold):
        found.append("check_above_threshold")
    return found
