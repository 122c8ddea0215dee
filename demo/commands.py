"""`fanscribe demo`: speech in, three languages out, in under a minute, from nothing."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer, worker: typer.Typer) -> None:  # noqa: ARG001  one signature for all
    """Adds `demo`."""
    app.command()(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="Other sentences, spoken now (needs fanscribe[speech]).")
    ] = None,
) -> None:
    """Run the whole pipeline on a bundled sample, and check that the result is right."""
    from demo.run import run_demo

    raise typer.Exit(run_demo(keep=keep, seed=seed))
