"""`fanscribe dead`: what failed for good, and how to have it tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.views import DeadJobView

_SHOWN = 50

Queue = Annotated[str | None, typer.Option(help="Only of this queue.")]
Code = Annotated[str | None, typer.Option(help="Only with this error code.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def commands(connect: Callable[[], Fanscribe]) -> typer.Typer:
    """The group of commands; `connect` opens the server that they ask."""
    group = typer.Typer(help="Jobs that failed for good.", invoke_without_command=True)

    @group.callback()
    def show(
        context: typer.Context,
        queue: Queue = None,
        code: Code = None,
        limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = _SHOWN,
        json: AsJson = False,  # noqa: FBT002  typer passes it by name
    ) -> None:
        """List the jobs that failed for good, newest first."""
        from services.client import output  # noqa: PLC0415  a fast start does without

        if context.invoked_subcommand is None:
            with connect() as api:
                jobs = list(api.dead_jobs.list(queue=queue, code=code, limit=limit))
            if json:
                output.print_json(jobs)
            elif jobs:
                output.show_table(_HEAD, map(_row, jobs))
            else:
                output.STDERR.print("Nothing has failed for good.")

    @group.command()
    def retry(  # noqa: PLR0917  typer passes them by name
        context: typer.Context,
        tasks: Annotated[
            list[str] | None, typer.Argument(metavar="TASK…", help="Tasks to try again.")
        ] = None,
        everything: Annotated[  # noqa: FBT002
            bool, typer.Option("--all", help="All that --queue and --code leave.")
        ] = False,
        queue: Queue = None,
        code: Code = None,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Run again what failed in these tasks; what succeeded stays.

        --queue and --code may stand before or behind `retry`.
        """
        from services.client import output  # noqa: PLC0415

        if bool(tasks) == everything:
            raise typer.BadParameter("Name the tasks, or say --all.")
        before = context.parent.params if context.parent else {}
        queue, code = queue or before.get("queue"), code or before.get("code")
        with connect() as api:
            answer = api.dead_jobs.retry(tasks or None, queue=queue, code=code)
        if json:
            output.print_json(answer)
            return
        for task in answer.retried:
            output.print_raw(f"{task}  queued")
        for each in answer.skipped:
            output.STDERR.print(f"{each.task} is left as it is: {each.code}")

    return group


_HEAD = ["task", "item", "stage", "code", "node", "at (UTC)", "message"]


def _row(job: DeadJobView) -> list[str]:
    item = f"{job.text_id} {job.language or ''}".strip()
    at = f"{job.at:%Y-%m-%d %H:%M:%S}"
    return [job.task, item, job.stage, job.code, job.node or "", at, job.message]
