"""Add target languages to a task that has ended: only they are translated, from what is there."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.errors import Conflict, Invalid, NotTerminal
from services.model.plan import UNKNOWN
from services.model.task import Target, Task
from task_manager.pipeline.expand import expand_task
from task_manager.pipeline.orders import read
from task_manager.pipeline.own_words import OWN_AT_ONCE, own_lines
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.reopen import reopen


def add_languages(ports: Ports, task_id: str, wanted: Sequence[Target]) -> tuple[Task, bool]:
    """The task, and whether it was opened again. It was not where all these are its targets
    already, so who asks twice is answered as the first time."""
    while True:
        task = read(ports, task_id)
        added = [each for each in wanted if each.language not in task.manifest.languages]
        if not added:
            return task, False
        _refuse(ports, task, added)
        manifest = task.manifest.model_copy(update={"targets": [*task.manifest.targets, *added]})
        fields = {
            "manifest": manifest,
            "media_gone_at": task.media_gone_at,  # by which the store counts the manifest's media
            "added": [each.language for each in added],
            "progress": 0.0,
        }
        reopened = reopen(ports, task, fields)
        if reopened is not None:
            break
    expand_task(ports, reopened)
    return read(ports, task_id), True


def _refuse(ports: Ports, task: Task, added: Sequence[Target]) -> None:
    if not task.state.ended:
        raise NotTerminal(f"The task is {task.state}: wait until it has ended, then add languages.")
    if not task.manifest.targets:
        raise Conflict(
            "The task asks for the words alone: send its audio in a task with target languages.",
            code="without_targets",
        )
    limit = ports.settings.max_targets
    if len(task.manifest.targets) + len(added) > limit:
        raise Invalid(
            f"A task takes up to {limit} target languages.",
            code="too_many_targets",
            field="add",
        )
    _refuse_unserved(ports, task, added)


def _refuse_unserved(ports: Ports, task: Task, added: Sequence[Target]) -> None:
    """A stated language must be served, as when the task was taken; of those that were heard it is
    enough if one is, and what is not fails by itself."""
    choose = ports.choosing(task.manifest.options)
    stated = {each for item in task.manifest.items for each in task.manifest.stated(item)}
    spoken = _spoken(ports, task)
    if not spoken:
        raise Conflict(
            f"The task has ended ({task.state}) without any words to translate: retry it first.",
            code="nothing_to_translate",
        )
    known = (stated | spoken) - {UNKNOWN}
    for target in added:
        served = {
            each for each in known if each == target.language or choose(each, target.language)
        }
        if known and not (served and stated <= served):
            lacking = ", ".join(sorted(known - served))
            raise Invalid(
                f"No configured model translates {lacking} into {target.language}: see "
                "GET /v1/languages.",
                code="pair_not_served",
                field="add",
            )


def _spoken(ports: Ports, task: Task) -> set[str]:
    """The languages of all words that are there."""
    return {
        line.language
        for first in range(0, len(task.manifest.items), OWN_AT_ONCE)
        for line in own_lines(ports.store, task.id, first)
    }
