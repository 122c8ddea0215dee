"""The words of its own that an item has, what was heard of it and its text; and what was made of
older ones."""

from __future__ import annotations

from collections.abc import Iterable

from services.model.job import Job
from services.model.task import Task
from task_manager.store.protocol import OutputLine, Store

OWN_AT_ONCE = 100  # items a look


def own_lines(store: Store, task_id: str, first: int) -> list[OutputLine]:
    """Those of so many items from this one on."""
    found = store.output_lines(task_id, first, first + OWN_AT_ONCE - 1)
    return [line for line in found if line.kind != "translation"]


def own_versions(lines: Iterable[OutputLine]) -> dict[tuple[int, str], int]:
    """By item and source, which version of the item's own words counts."""
    return {(line.item, line.source): line.version for line in lines if line.kind != "translation"}


def is_outdated(line: OutputLine, own: dict[tuple[int, str], int]) -> bool:
    """Whether it was made, or corrected, before the words that it translates were."""
    return line.kind == "translation" and line.version < own.get((line.item, line.source), 0)


def count_undone(store: Store, task: Task) -> int:
    """Cells that were to be made anew from corrected words, and were not so far. What somebody
    corrected is not among them."""
    if not task.corrections:
        return 0
    count = 0
    for first in range(0, len(task.manifest.items), OWN_AT_ONCE):
        lines = store.output_lines(task.id, first, first + OWN_AT_ONCE - 1)
        own = own_versions(lines)
        count += sum(is_outdated(line, own) and not line.corrected_by for line in lines)
    return count


def is_superseded(store: Store, task: Task, job: Job) -> bool:
    """Whether the job is about words that were corrected since."""
    if not task.corrections or not job.language:
        return False
    own = own_versions(store.output_lines(task.id, job.item, job.item))
    return job.version < own.get((job.item, job.source), 0)
