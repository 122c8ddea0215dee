"""The live view of one task: every segment as it is heard, every sentence that is translated ahead
of its time, every cell as it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.client.client import Fanscribe
from services.client.errors import ClientError
from services.client.previewing import previewed
from services.client.views import CellView, ItemView, TaskView
from services.client.waiting import outlook

_LOOK_EVERY_S = 0.4
_MOST_ROWS = 20
_FAILING = 5
_MARKS = {
    "waiting": ("·", "dim"),
    "running": ("…", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("–", "dim"),
}


@dataclass
class Sight:
    """What was seen of a task so far; `heard` counts the segments already told, by item."""

    task: TaskView
    items: list[ItemView] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)  # items that are heard to their end


def follow(api: Fanscribe, task_id: str, console: Console) -> TaskView:
    """Shows the task until it has ended. Without a terminal the segments come as lines, and the
    table once, at the end."""
    sight = Sight(api.task(task_id))
    with Live(_picture(sight), console=console, refresh_per_second=8) as live:

        def look(task: TaskView) -> None:
            sight.task, sight.items = task, list(api.items(task))
            _tell_what_was_heard(api, sight, live.console)
            live.update(_picture(sight))

        with previewed(api, sight.task, live.console):
            return api.wait(
                task_id, on_progress=look, quickest_s=_LOOK_EVERY_S, slowest_s=_LOOK_EVERY_S
            )


def _tell_what_was_heard(api: Fanscribe, sight: Sight, console: Console) -> None:
    for item in sight.items[:_MOST_ROWS]:
        if item.audio is None or item.text_id in sight.finished:
            continue
        try:
            transcript = api.transcript(sight.task.id, item.text_id)
        except ClientError:  # nothing is heard yet
            continue
        known = sight.heard.get(item.text_id, 0)
        for segment in transcript.segments[known:]:
            at = "" if segment.start is None else f"{segment.start:6.1f} s"
            console.print(f"[dim]{escape(item.text_id)} {at}[/]  {escape(segment.text.strip())}")
        sight.heard[item.text_id] = max(known, len(transcript.segments))
        if transcript.complete:
            sight.finished.add(item.text_id)


def _picture(sight: Sight) -> RenderableType:
    task = sight.task
    head = Table.grid(padding=(0, 2))
    counts = f"{task.counts.cells_done}/{task.counts.cells} cells"
    bar = ProgressBar(total=1.0, completed=task.progress, width=30)
    known = (f"{task.progress:.0%}", counts, outlook(task))
    head.add_row(Text(task.state, style="bold"), bar, *(Text(each) for each in known))
    stages = "   ".join(
        f"{name}: {timing.jobs} in {timing.wall_seconds:.1f} s"
        for name, timing in task.timings.items()
    )
    failing = [
        Text(f"{each.stage} {each.text_id}: {each.message}", style="red")
        for each in task.attempts[-_FAILING:]
    ]
    return Group(head, Text(stages, style="dim"), _cells(task, sight.items), *failing)


def _cells(task: TaskView, items: list[ItemView]) -> Table:
    """One row an item, one column a language."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("item", "language", *task.targets):
        table.add_column(name)
    for item in items[:_MOST_ROWS]:
        cells = [_marks(sources) for sources in item.cells.values()]
        table.add_row(Text(item.text_id), Text(item.tongue), *cells)
    if len(items) > _MOST_ROWS:
        table.add_row(Text(f"… and {len(items) - _MOST_ROWS} more"))
    return table


def _marks(sources: dict[str, CellView]) -> Text:
    text = Text()
    for source, cell in sources.items():
        mark, style = _MARKS.get(cell.state, ("?", ""))
        text.append(f"{source}{mark} ", style=style)
    return text
