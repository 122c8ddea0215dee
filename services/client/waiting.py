"""How long something will still take, in the words of people."""

from __future__ import annotations

from services.client.views import TaskView


def about(seconds: float) -> str:
    """`about 40 s`, `about 3 min`, `about 2 h 10 min`: no finer than it can be known."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return f"about {max(10, round(seconds / 10) * 10)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {max(1, minutes)} min"
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    return f"about {hours} h {rest} min" if rest else f"about {hours} h"


def outlook(task: TaskView) -> str:
    """What a task has before it, or nothing where that is not known."""
    words = []
    if task.position:
        words.append(f"{task.position} jobs ahead" if task.position > 1 else "1 job ahead")
    if task.expected_seconds is not None:
        words.append(f"{about(task.expected_seconds)} left")
    if task.no_node:
        words.append(f"waits for a node that serves {', '.join(task.no_node)}")
    return ", ".join(words)
