"""`fanscribe up`: the whole stack in the foreground, one line for each thing worth knowing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.settings import Settings
    from services.standalone.supervisor import Addresses


def register(app: typer.Typer, worker: typer.Typer) -> None:  # noqa: ARG001  one signature for all
    """Adds `up`."""
    app.command()(up)


def up(
    host: Annotated[str | None, typer.Option(help="Address of the API.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Store, files, models, logs.")] = None,
    demo_models: Annotated[
        bool, typer.Option("--demo-models", help="Use the tiny models that come along.")
    ] = False,
) -> None:
    """Run everything on this machine, in the foreground; Ctrl-C stops it."""
    from services import settings as configuration
    from services.standalone.running import run_until_stopped

    given = {"host": host, "port": port, "data_dir": data_dir, "demo_models": demo_models or None}
    update = {name: value for name, value in given.items() if value is not None}
    settings = configuration.load().model_copy(update=update)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.expanduser().resolve()})
    models = _models(settings)

    def announce(addresses: Addresses) -> None:
        for line in _greeting(settings, addresses, models):
            typer.echo(line)

    run_until_stopped(settings, typer.echo, announce)


def _models(settings: Settings) -> list[str]:
    """The models on offer; raises Invalid, which names the one command to run, if there is no
    speech model."""
    from services.models_folder import load_catalog

    catalog = load_catalog(settings)
    catalog.transcriber(None)
    return [entry.name for entry in catalog.offered]


def _greeting(settings: Settings, addresses: Addresses, models: list[str]) -> list[str]:
    targets = "zh,ja" if settings.demo_models else "en"
    submit = f"{_myself()} submit talk.mp3 --to {targets} --wait"
    if addresses.url != "http://127.0.0.1:8000":
        submit = f"FANSCRIBE_URL={addresses.url} {submit}"
    return [
        f"Fanscribe is up at {addresses.url} (its API is described at {addresses.url}/docs).",
        f"  models   {', '.join(models)}",
        f"  data     {settings.data_dir}",
        f"  logs     {settings.data_dir / 'logs'}",
        f"  send     {submit}",
        f"  join     {_line_to_join(settings, addresses)}",
        "Ctrl-C stops everything; what is unfinished goes on with the next start.",
    ]


def _line_to_join(settings: Settings, addresses: Addresses) -> str:
    """The command that starts one more worker for this stack."""
    variables = {
        "FANSCRIBE_MANAGER_URL": addresses.manager_url,
        "FANSCRIBE_BROKER_URL": addresses.broker_url,
        "FANSCRIBE_DATA_DIR": str(settings.data_dir),
    }
    for name in ("demo_models", "stub_models"):
        if getattr(settings, name):
            variables[f"FANSCRIBE_{name.upper()}"] = "true"
    words = " ".join(f"{name}={quote(value)}" for name, value in variables.items())
    return f"{words} {_myself()} worker whisper"


def _myself() -> str:
    """How to call this command from here: by name where PATH has it, else as it was started."""
    if shutil.which("fanscribe"):
        return "fanscribe"
    started = Path(sys.argv[0])
    if started.name != "fanscribe":
        return f"{quote(sys.executable)} -m services.cli"
    path = os.path.relpath(started)
    return quote(path if len(path) < len(str(started)) else str(started))
