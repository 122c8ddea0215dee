"""Look at one task and do what is next for it: sweep, finalise, or purge."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.states import JobState
from services.model.task import Counts, Task, TaskEvent, TaskState
from services.storage import keys
from task_manager.pipeline import exports, jobs
from task_manager.pipeline.notices import of_end, tell
from task_manager.pipeline.own_words import count_undone
from task_manager.pipeline.packing import write_packs
from task_manager.pipeline.ports import Ports

LOOK_AGAIN_S = 30.0
_LOOK_AGAIN_MOST_S = 1800.0
_LOOKS_A_SECOND = 20.0  # at what waits
PURGE_AGAIN_S = 60.0  # a cancelled worker may still have been writing
PURGE_LAST_S = 3600.0  # so may a manager that slept in the middle of a write
FORGET_S = 30 * 86_400.0  # so long it is told of a deleted task that it was there
SNAPSHOT_S = 1.0
_TRIES = 5  # to be the one who writes the next line; the next look comes soon
_LINES = 50  # of the log's end, among which the end of the task is looked for


def settle(ports: Ports, task_id: str) -> None:
    """Brings a task that is not terminal, or tombstoned, as far as it goes just now."""
    task = ports.store.task(task_id)
    if task is None:
        return
    if task.purged_at is not None:
        ports.store.note_task(task.id, {"look_at": None})
    elif task.deleted_at is not None:
        purge(ports, task)
    elif task.state.ended:
        tell_end(ports, task)
    elif task.expand == "done":
        if task.cancel:
            jobs.sweep(ports, task.id)
        finalise(ports, task)
    else:
        _look_later(ports, task)
        if (again := ports.store.task(task.id)) is not None and again.expand == "done":
            ports.store.note_task(task.id, {"look_at": ports.store.now()})


def look_over(ports: Ports, due: Sequence[Task]) -> list[str]:
    """The ids of those with something to do, to be settled one by one. The others wait for their
    jobs, as most of a long queue do: all of these are put off in one write."""
    waiting = [task for task in due if _waits(task) and ports.store.has_open_jobs(task.id)]
    later = ports.store.now() + pause_s(ports)
    ports.store.look_later({task.id: task.revision for task in waiting}, later)
    # A last job may have ended right before that write, and its call for a look be overwritten.
    still = {task.id for task in waiting if ports.store.has_open_jobs(task.id)}
    return [task.id for task in due if task.id not in still]


def pause_s(ports: Ports) -> float:
    """Until a task that waits for its jobs is looked at again though nobody has called. The longer
    the queue the more seldom: a hundred thousand would keep us busy with nothing else."""
    waiting = ports.waiting.of_all(ports.store)
    return min(_LOOK_AGAIN_MOST_S, max(LOOK_AGAIN_S, waiting / _LOOKS_A_SECOND))


def _waits(task: Task) -> bool:
    swept = not task.cancel and task.deleted_at is None
    return swept and task.expand == "done" and not task.state.ended


def _look_later(ports: Ports, task: Task) -> bool:
    """Whether it was written down. What the task waits for may happen right before this write,
    and ask for a look at once: so whoever calls this looks for it again afterwards."""
    later = ports.store.now() + LOOK_AGAIN_S
    return ports.store.note_task(task.id, {"look_at": later}, revision=task.revision)


def finalise(ports: Ports, task: Task) -> None:
    """Ends the task if no job is open. The revision was read before looking for open jobs, so a
    retry, cancel or delete in between makes the compare-and-set fail, and nothing is lost."""
    if ports.store.has_open_jobs(task.id) and (
        not _look_later(ports, task) or ports.store.has_open_jobs(task.id)
    ):
        return
    now = ports.store.now()
    revision = task.revision + 1
    there = write_packs(ports, task, revision)
    done = there - count_undone(ports.store, task)
    state = final_state(cells=task.manifest.cells, done=done, there=there, cancel=task.cancel)
    counts = _counts(ports, task, done)
    fields = {
        "state": state,
        "finished_at": now,
        "ends": task.ends + 1,
        "look_at": now + ports.settings.expand_after_s,  # should nobody tell of the end
        "counts": counts.model_dump(),
        "counts_at": now,
        "progress": 1.0 if state is TaskState.SUCCEEDED else task.progress,
        "expire_at": task.retention.next_at(now, media_gone=task.media_gone_at is not None),
    }
    ended = ports.store.move_task(task.id, task.revision, fields)
    if ended is not None:
        if task.manifest.options.previews:
            ports.store.drop_previews(task.id)
        tell_end(ports, ended)


def tell_end(ports: Ports, task: Task) -> None:
    """Webhooks, and the line of the log, that say how the task ended; by the ticker, should the
    manager that ended it have died before. Whoever looks at the task tells, but under the number
    that follows what was read: of two who do so at once, one finds the line of the other. The
    webhooks wait for what the task asked to have written."""
    if task.awaits_export:
        exports.order(ports, task)
    else:
        tell(ports, task, [of_end(ports, task)])
    data = {"state": task.state, "revision": task.revision, "counts": task.counts.model_dump()}
    at = task.finished_at or task.created_at
    for _ in range(_TRIES):
        last = ports.store.last_event(task.id)
        lines = ports.store.events(task.id, after=max(0, last - _LINES), limit=_LINES)
        told = any(line.data.get("revision") == task.revision for line in lines)
        line = TaskEvent(
            task_id=task.id, owner=task.owner, number=last + 1, at=at, kind="state", data=data
        )
        if told or ports.store.insert_event(line):
            ports.store.note_task(task.id, {"look_at": None}, revision=task.revision)
            return


def final_state(*, cells: int, done: int, there: int, cancel: bool) -> TaskState:
    """What a task without open jobs has come to. A cancel that came when all was done lost. Cells
    are `there`, but not done, whose words were corrected since."""
    if done == cells:
        return TaskState.SUCCEEDED
    if cancel:
        return TaskState.CANCELLED
    return TaskState.PARTIAL if there else TaskState.FAILED


def purge(ports: Ports, task: Task) -> None:
    """Removes media at once, texts and jobs a minute later; and looks a last time after an hour,
    for what was written by somebody who did not know."""
    jobs.sweep(ports, task.id)
    ports.objects.delete_prefix(keys.task_prefix(task.id))
    now = ports.store.now()
    age = now - (task.deleted_at or 0.0)
    if age < PURGE_AGAIN_S:
        ports.store.note_task(task.id, {"look_at": now + PURGE_AGAIN_S})
        return
    ports.store.purge_task(task.id)
    if age < PURGE_LAST_S:
        ports.store.note_task(task.id, {"look_at": now + PURGE_LAST_S})
    else:
        over = {"look_at": None, "purged_at": now, "expire_at": now + FORGET_S}
        ports.store.note_task(task.id, over)


def refresh(ports: Ports, task: Task) -> Task:
    """The task with counts and progress that are at most a second old."""
    now = ports.store.now()
    if task.state.ended or 0 <= now - task.counts_at < SNAPSHOT_S:
        return task
    done = ports.store.count_outputs(task.id) - count_undone(ports.store, task)
    counts = _counts(ports, task, done)
    progress = max(task.progress, _progress(ports, task, counts))
    fields = {"counts": counts.model_dump(), "counts_at": now, "progress": progress}
    ports.store.note_task(task.id, fields, revision=task.revision)  # the end's counts stay
    return task.model_copy(update={"counts": counts, "counts_at": now, "progress": progress})


def _counts(ports: Ports, task: Task, cells_done: int) -> Counts:
    by_state = ports.store.count_jobs(task.id)
    numbers = {str(state): by_state.get(state, 0) for state in JobState}
    return Counts(**numbers, cells=task.manifest.cells, cells_done=cells_done)


def _progress(ports: Ports, task: Task, counts: Counts) -> float:
    """Finished jobs and the running ones' fractions, over the jobs that there will be."""
    known = counts.waiting + counts.running + counts.succeeded + counts.dead + counts.cancelled
    audios = sum(item.audio is not None for item in task.manifest.items)
    expected = max(known, 2 * audios + task.manifest.cells, 1)
    running = sum(job.progress for job in ports.store.open_jobs(task.id, 200))
    return min(0.99, (counts.succeeded + running) / expected)
