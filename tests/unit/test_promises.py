"""Estimates are kept for a moment, for so many tasks, and for this revision of each."""

from __future__ import annotations

from services.model.task import ItemSpec
from task_manager.pipeline import promises
from task_manager.pipeline.promises import Estimate, Promises

SAID = Estimate(at=1.0, position=3, expected_s=20.0)


def test_what_was_just_reckoned_is_said_again(a_task) -> None:
    task = a_task([ItemSpec(text_id="1", text="Hi.", language="en")], ["zh"])
    kept, old = Promises(fresh_s=3600.0), Promises(fresh_s=0.0)
    for each in (kept, old):
        each.keep(task, SAID)

    assert kept.get(task) == SAID
    assert old.get(task) is None


def test_a_cancel_or_a_retry_ends_what_was_said_before(a_task) -> None:
    task = a_task([ItemSpec(text_id="1", text="Hi.", language="en")], ["zh"])
    kept = Promises(fresh_s=3600.0)
    kept.keep(task, SAID)

    assert kept.get(task.model_copy(update={"revision": 1})) is None


def test_only_so_many_are_kept(a_task) -> None:
    task = a_task([ItemSpec(text_id="1", text="Hi.", language="en")], ["zh"])
    tasks = [task.model_copy(update={"id": f"t{n}"}) for n in range(promises.KEPT + 1)]
    kept = Promises(fresh_s=3600.0)
    for each in tasks:
        kept.keep(each, SAID)

    assert (kept.get(tasks[0]), kept.get(tasks[-1])) == (None, SAID)
