"""Look at one task and do what is next for it: sweep, finalise, or purge."""

from __future__ import annotations

from services.model.states import JobState
from services.model.task import Counts, Task, TaskState
from services.storage import keys
from task_manager.pipeline import jobs
from task_manager.pipeline.packing import write_packs
from task_manager.pipeline.ports import Ports

LOOK_AGAIN_S = 30.0
PURGE_AGAIN_S = 60.0  # a cancelled worker may still have been writing
SNAPSHOT_S = 1.0


def settle(ports: Ports, task_id: str) -> None:
    """Brings a task that is not terminal, or tombstoned, as far as it goes just now."""
    task = ports.store.task(task_id)
    if task is None or task.purged_at is not None:
        return
    if task.deleted_at is not None:
        purge(ports, task)
    elif task.state.ended:
        ports.store.note_task(task.id, {"look_at": None})
    elif task.expand == "done":
        if task.cancel:
            jobs.sweep(ports, task.id)
        finalise(ports, task)
    else:
        ports.store.note_task(task.id, {"look_at": ports.store.now() + LOOK_AGAIN_S})


def finalise(ports: Ports, task: Task) -> None:
    """Ends the task if no job is open. The revision was read before looking for open jobs, so a
    retry, cancel or delete in between makes the compare-and-set fail, and nothing is lost."""
    if ports.store.has_open_jobs(task.id):
        ports.store.note_task(task.id, {"look_at": ports.store.now() + LOOK_AGAIN_S})
        return
    now = ports.store.now()
    revision = task.revision + 1
    done = write_packs(ports, task, revision)
    state = final_state(cells=task.manifest.cells, done=done, cancel=task.cancel)
    counts = _counts(ports, task, done)
    fields = {
        "state": state,
        "finished_at": now,
        "look_at": None,
        "counts": counts.model_dump(),
        "counts_at": now,
        "progress": 1.0 if state is TaskState.SUCCEEDED else task.progress,
    }
    if ports.store.move_task(task.id, task.revision, fields) is not None:
        data = {"state": state, "revision": revision, "counts": counts.model_dump()}
        ports.store.append_event(task.id, now, "state", data)


def final_state(*, cells: int, done: int, cancel: bool) -> TaskState:
    """What a task without open jobs has come to. A cancel that came when all was done lost."""
    if done == cells:
        return TaskState.SUCCEEDED
    if cancel:
        return TaskState.CANCELLED
    return TaskState.PARTIAL if done else TaskState.FAILED


def purge(ports: Ports, task: Task) -> None:
    """Removes media, texts and jobs of a deleted task; looks once more a minute later."""
    jobs.sweep(ports, task.id)
    ports.objects.delete_prefix(keys.task_prefix(task.id))
    again = ports.store.now() - (task.deleted_at or 0.0) < PURGE_AGAIN_S
    now = ports.store.now()
    if again:
        ports.store.note_task(task.id, {"look_at": now + PURGE_AGAIN_S})
        return
    ports.store.purge_task(task.id)
    ports.store.note_task(task.id, {"look_at": None, "purged_at": now})


def refresh(ports: Ports, task: Task) -> Task:
    """The task with counts and progress that are at most a second old."""
    now = ports.store.now()
    if task.state.ended or now - task.counts_at < SNAPSHOT_S:
        return task
    counts = _counts(ports, task, ports.store.count_outputs(task.id))
    progress = max(task.progress, _progress(ports, task, counts))
    fields = {"counts": counts.model_dump(), "counts_at": now, "progress": progress}
    ports.store.note_task(task.id, fields)
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
