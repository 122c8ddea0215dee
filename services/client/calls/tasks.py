"""Tasks: looked at, listed, waited for, cancelled, tried again, added to, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from services.client.calls.reading import Task, a, nothing, page, pages, path_of
from services.client.errors import WaitedTooLong
from services.client.steps import NO_LONGER, Call, Finds, Pause, Steps, ask, call
from services.client.views import ItemView, TaskView
from services.model.task import TaskState

_PAGE = 100
_SHARE = 0.1  # of the time that it has waited so far is waited before the next look


def get(task: Task) -> Call[TaskView]:
    """How a task stands."""
    return call("GET", path_of(task), a(TaskView))


def wait(
    task: Task,
    *,
    on_progress: Callable[[TaskView], None] | None = None,
    timeout_s: float | None = None,
    quickest_s: float = 0.2,
    slowest_s: float = 5.0,
) -> Steps[TaskView]:
    """Waits until a task has ended, however it ends; `on_progress` is told of each look.

    Short work is noticed soon, and long work is looked at less often. A server that is started
    anew meanwhile does no harm. Raises WaitedTooLong.
    """
    began = time.monotonic()
    while True:
        seen = yield from ask(get(task))
        if on_progress is not None:
            on_progress(seen)
        if seen.state.ended:
            return seen
        waited = time.monotonic() - began
        if timeout_s is not None and waited >= timeout_s:
            raise WaitedTooLong(
                f"The task {seen.id} is {seen.state} after {waited:.0f} s: wait for it again.",
                code="waited_too_long",
            )
        pause = min(slowest_s, max(quickest_s, waited * _SHARE))
        yield Pause(pause if timeout_s is None else min(pause, timeout_s - waited))


def listed(
    *, state: TaskState | str | Sequence[TaskState | str] | None = None, limit: int | None = None
) -> Finds[TaskView]:
    """Your tasks, newest first, perhaps only those in a state, and up to `limit`."""
    states = [state] if isinstance(state, str) else state

    def turn(cursor: str | None) -> Call[tuple[list[TaskView], str | None]]:
        query = {"state": states, "cursor": cursor, "limit": min(limit or _PAGE, _PAGE)}
        return call("GET", "/v1/tasks", page(TaskView, "tasks"), query=query)

    return pages(turn, limit)


def items(task: Task) -> Finds[ItemView]:
    """The items of a task in order, with the state of each cell."""

    def turn(after: int | None) -> Call[tuple[list[ItemView], int | None]]:
        query = {"after": after}
        return call("GET", f"{path_of(task)}/items", page(ItemView, "items"), query=query)

    return pages(turn)


def cancel(task: Task) -> Call[TaskView]:
    """Stops a task; what runs ends at its next word, and what is done stays."""
    return call("POST", f"{path_of(task)}/cancel", a(TaskView))


def retry(task: Task) -> Call[TaskView]:
    """Runs again what failed in a task that has ended, and only that."""
    return call("POST", f"{path_of(task)}/retry", a(TaskView))


def add_languages(task: Task, languages: Sequence[str]) -> Call[TaskView]:
    """Translates a task that has ended into more languages; what it has already stays."""
    return call(
        "POST",
        f"{path_of(task)}/languages",
        a(TaskView),
        json={"add": list(languages)},
        repeatable=True,
    )


def delete(task: Task) -> Call[None]:
    """Removes a task with its media and its results."""
    return call("DELETE", path_of(task), nothing, had=NO_LONGER)
