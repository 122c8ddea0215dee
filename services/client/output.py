"""How answers are shown: tables for people, JSON for programs, files for --out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.client.client import Fanscribe
from services.client.errors import ClientError, Conflict, NotFound
from services.client.progress import follow
from services.client.server_views import QueueView
from services.client.submitting import BadArguments
from services.client.views import AttemptView, ItemView, OutputsView, RunningView, TaskView
from services.client.waiting import about, outlook
from services.model.task import TaskState
from services.model.values import Stored

if TYPE_CHECKING:
    from services.client.checking import Finding

STDERR = Console(stderr=True, highlight=False)
STDOUT = Console(highlight=False, width=None if sys.stdout.isatty() else 160)

DONE, FAILED, PARTIAL = 0, 1, 3
_NEVER_WRAPPED = {"task", "node", "state", "webhook", "delivery", "model", "digest"}
_ENDS = {TaskState.FAILED: FAILED, TaskState.CANCELLED: FAILED, TaskState.PARTIAL: PARTIAL}


def exit_code(task: TaskView) -> int:
    """0 for all that is done or may still be, 1 failed or cancelled, 3 partial."""
    return _ENDS.get(task.state, DONE)


def print_raw(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_json(value: Any) -> None:
    """Indented, in the given order, nothing escaped; pydantic values too."""

    def plain(each: Any) -> Any:
        return each.model_dump(mode="json") if isinstance(each, Stored) else str(each)

    print_raw(json.dumps(value, ensure_ascii=False, indent=2, default=plain))


def wait_and_show(api: Fanscribe, task_id: str, out: Path | None, *, as_json: bool) -> int:
    """Watches the task to its end, then prints or writes the result; the exit code."""
    task = follow(api, task_id, STDERR)
    pack = _if_any(lambda: api.result(task))
    if out is not None:
        written = write_all(api, task, pack, out)
        STDERR.print(f"Wrote {written} files to {out}")
    if as_json:
        print_json({"task": task, "result": pack})
    elif out is None:
        print_json(pack)
    if exit_code(task) != DONE:
        STDERR.print(f"The task ended as {task.state}: see `fanscribe status {task.id}`")
    return exit_code(task)


def write_all(api: Fanscribe, task: TaskView, pack: Any, out: Path) -> int:
    """`result.json`, `result.coded.json`, and subtitles `<number>.<text id>.<language>.srt`.

    Text ids may hold anything, so what a file system might trip over becomes an underscore.
    """
    out.mkdir(parents=True, exist_ok=True)
    coded = _if_any(lambda: result_of(api, task.id, "coded"))
    files = {"result.json": pack, "result.coded.json": coded}
    for name, value in files.items():
        text = json.dumps(value, ensure_ascii=False, indent=2)
        (out / name).write_text(text + "\n", encoding="utf-8")
    count = len(files)
    for number, item in enumerate(api.items(task.id), start=1):
        if item.audio is None:
            continue
        for language in task.targets:
            try:
                text = api.subtitles(task.id, item.text_id, language=language)
            except ClientError:
                continue  # this cell failed; the result names it
            name = "".join(c if c.isalnum() or c in "-_." else "_" for c in item.text_id)[:60]
            (out / f"{number}.{name}.{language}.srt").write_text(text, encoding="utf-8")
            count += 1
    return count


def result_of(api: Fanscribe, task_id: str, form: str, language: str | None = None) -> Any:
    """The pack, `coded` or `expanded`, of all languages or of one."""
    languages = None if language is None else [language]
    if form == "coded":
        return api.coded_result(task_id, languages=languages).model_dump(by_alias=True)
    if form == "expanded":
        return api.result(task_id, languages=languages)
    raise BadArguments(f"--form {form!r}: it is expanded or coded.")


def _if_any(read: Callable[[], Any]) -> Any:
    """What is read, or nothing where a task ended without it."""
    try:
        return read()
    except (NotFound, Conflict):
        return {}


def show_created(task: TaskView, *, as_json: bool) -> None:
    if as_json:
        print_json(task)
        return
    print_raw(task.id)
    STDERR.print(f"Watch it with `fanscribe status {task.id} --wait`", style="dim")


def show_state(task: TaskView, *, as_json: bool) -> None:
    if as_json:
        print_json(task)
    else:
        print_raw(f"{task.id}  {task.state}")


def show_task(task: TaskView, items: list[ItemView], *, as_json: bool) -> None:
    if as_json:
        print_json({"task": task, "items": items})
        return
    cells = f"{task.counts.cells_done}/{task.counts.cells} cells"
    STDOUT.print(f"{task.id}  {task.state}  {task.progress:.0%}  {cells}  {outlook(task)}".rstrip())
    rows = (
        [
            item.text_id,
            item.tongue,
            "" if item.duration is None else f"{item.duration:.1f} s",
            "" if item.check is None else f"{item.check.rate:.1%}",
            _cells(item),
        ]
        for item in items
    )
    show_table(["item", "language", "length", "differs", "cells"], rows)
    if task.outputs is not None:
        STDOUT.print(Text(_outputs(task.outputs), style="dim"))
    for warned in task.warnings:
        STDOUT.print(Text(f"! {warned.text_id}: {warned.warning}", style="yellow"))
    for running in task.running:
        STDOUT.print(Text(_running(running), style="dim"))
    for each in task.attempts:
        STDOUT.print(Text(_attempt(each), style="red" if each.dead else "yellow"))


def _outputs(each: OutputsView) -> str:
    told = f"{each.count} objects" if each.state == "written" else ""
    if each.error is not None:
        told = f"{each.error.message} ({each.error.code})"
    again = f"again at {each.next_attempt_at:%H:%M:%S} UTC" if each.next_attempt_at else ""
    return f"→ {each.prefix}: {each.state} {told} {again}".rstrip()


def _what(each: AttemptView | RunningView) -> str:
    part = f"part {each.part + 1}" if each.part else ""
    return " ".join(word for word in (each.stage, each.text_id, each.language, part) if word)


def _running(each: RunningView) -> str:
    started = f" since {each.started_at:%H:%M:%S} UTC" if each.started_at else ""
    takes = "" if each.expected_seconds is None else f"takes {about(each.expected_seconds)}, "
    return (
        f"… {_what(each)}: {each.progress:.0%}, attempt {each.attempt} on {each.node}{started} "
        f"({takes}ended after {each.hard_limit_s:.0f} s)"
    )


def _attempt(each: AttemptView) -> str:
    again = f"again at {each.next_attempt_at:%H:%M:%S} UTC" if each.next_attempt_at else ""
    where = f" on {each.node}" if each.node else ""
    at = f" at {each.at:%H:%M:%S} UTC" if each.at else ""
    told = f"{each.code}, attempt {each.attempt}{where}{at}"
    return f"✗ {_what(each)}: {each.message} ({told}) {again}".strip()


def _cells(item: ItemView) -> str:
    return "  ".join(
        f"{language}/{source} {cell.state}"
        for language, sources in item.cells.items()
        for source, cell in sources.items()
    )


def show_tasks(tasks: list[TaskView], *, as_json: bool) -> None:
    if as_json:
        print_json(tasks)
        return
    rows = (
        [
            task.id,
            str(task.state),
            f"{task.progress:.0%}",
            str(task.items),
            ",".join(task.targets),
            f"{task.created_at:%Y-%m-%d %H:%M:%S}",
        ]
        for task in tasks
    )
    show_table(["task", "state", "", "items", "targets", "created (UTC)"], rows)


def show_queues(queues: list[QueueView], *, as_json: bool) -> None:
    if as_json:
        print_json(queues)
        return
    rows = (
        [
            each.queue,
            str(each.waiting),
            str(each.running),
            "no node serves it" if each.no_node else f"{each.nodes} nodes, {each.slots} slots",
            "?" if each.expected_seconds is None else _start(each.expected_seconds),
        ]
        for each in queues
    )
    show_table(["queue", "waiting", "running", "served by", "new work starts"], rows)


def _start(seconds: float) -> str:
    return "at once" if seconds < 1 else f"in {about(seconds)}"


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json([each.as_dict() for each in findings])
        return
    for each in findings:
        mark, style = ("✓", "green") if each.good else ("✗", "red")
        STDOUT.print(Text(f"{mark} {each.what}: {each.found}", style=style))
        if not each.good:
            STDOUT.print(Text(f"    {each.advice}"))


def show_table(names: list[str], rows: Iterable[list[str]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in _NEVER_WRAPPED)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    STDOUT.print(table)
