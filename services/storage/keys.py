"""Every object key is built here, from ids that we made; nothing a caller typed goes into one."""

from __future__ import annotations

from services.model.job import Stage

TASKS = "tasks/"
UPLOADS = "uploads/"


def upload(upload_id: str) -> str:
    """A file streamed in and not yet named by a task."""
    return f"{UPLOADS}{upload_id}"


def task_prefix(task_id: str) -> str:
    """Everything that dies with a task."""
    return f"{TASKS}{task_id}/"


def audio(task_id: str, ordinal: int) -> str:
    """The audio of an item that came with the task's own request."""
    return f"tasks/{task_id}/audio/{ordinal}"


def media_prefixes(task_id: str) -> tuple[str, str]:
    """The audio of a task, as it came and as it was decoded."""
    return f"tasks/{task_id}/audio/", f"tasks/{task_id}/jobs/{Stage.PREPARE}/"


def attempt_file(job_id: str, attempt: int, name: str) -> str:
    """What one attempt of a job writes. Job and attempt are in the key, so it is never
    overwritten by another. The job id begins with the task's."""
    task_id, rest = job_id.split("/", 1)
    return f"tasks/{task_id}/jobs/{rest}/{attempt}/{name}"


def correction(output_id: str, name: str) -> str:
    """A long text that somebody saved; the name is new each time. The output's id begins with the
    task's."""
    task_id, rest = output_id.split("/", 1)
    return f"tasks/{task_id}/corrections/{rest}/{name}"


def pack(task_id: str, language: str, revision: int) -> str:
    """A pack that is too large for its document."""
    return f"tasks/{task_id}/packs/{language}.{revision}.json"
