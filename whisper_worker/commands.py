"""The command `fanscribe worker whisper`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer, worker: typer.Typer) -> None:  # noqa: ARG001  one shape for all
    """Adds our commands."""

    @worker.command("whisper")
    def whisper(
        queues: Annotated[
            str, typer.Option(help="Comma-separated queues; by default all its models serve.")
        ] = "",
        concurrency: Annotated[
            int, typer.Option(help="Jobs at once; 0: as many as cores and memory allow.", min=0)
        ] = 0,
    ) -> None:
        """Run a worker that decodes and transcribes audio."""
        from services.worker.launch import launch

        code = launch("whisper", "whisper_worker.app", queues=queues, concurrency=concurrency)
        raise typer.Exit(code)
