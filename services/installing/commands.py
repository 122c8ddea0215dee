"""`fanscribe models`: what tasks can use, and what can be had."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.views import ModelView

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_HEAD = ["model", "does", "languages", "disk", "memory", "licence", "state", "digest"]


def commands(connect: Callable[[], Fanscribe]) -> typer.Typer:
    """The group of commands; `connect` opens the server that they ask."""
    group = typer.Typer(help="The models.", no_args_is_help=True)
    group.callback()(lambda: None)

    @group.command("list")
    def list_models(
        here: Annotated[
            bool, typer.Option("--here", help="Those of this machine; ask no server.")
        ] = False,
        json: AsJson = False,
    ) -> None:
        """List the models of the server, or of this machine where none runs."""
        _show(_of_this_machine() if here else _known(connect), as_json=json)

    return group


def _known(connect: Callable[[], Fanscribe]) -> list[ModelView]:
    """Those of the server. Before there is a first model there is no server to ask, so where none
    was named and none answers this machine is asked."""
    from services.client.errors import Unreachable
    from services.client.output import STDERR

    try:
        with connect() as api:
            return api.models()
    except Unreachable:
        if os.environ.get("FANSCRIBE_URL"):
            raise
    STDERR.print("No server answers; these are the models of this machine.")
    return _of_this_machine()


def _of_this_machine() -> list[ModelView]:
    from services import settings as configuration
    from services.client.views import ModelView
    from services.models_folder import facts, load_catalog

    settings = configuration.load()
    catalog = load_catalog(settings)
    return [
        ModelView(**facts(entry, settings), offered=entry in catalog.offered, nodes=0)
        for entry in catalog.entries.values()
    ]


def _show(models: list[ModelView], *, as_json: bool) -> None:
    from services.client import output

    if as_json:
        output.print_json(models)
    else:
        output.show_table(_HEAD, (_row(each) for each in models))


def _row(model: ModelView) -> list[str]:
    some = ", ".join(model.languages[:4]) + (" …" if len(model.languages) > 4 else "")
    return [
        model.name + (" (demo)" if model.demo else ""),
        model.kind,
        some or "all of Whisper's",
        f"{model.size_mb} MB" if model.size_mb else "",
        f"{model.memory_mb} MB" if model.memory_mb else "",
        model.licence + ("" if model.commercial else " (not for commercial use)"),
        _state(model),
        model.digest[:12],
    ]


def _state(model: ModelView) -> str:
    if model.nodes:
        return f"served by {model.nodes}"
    return "installed" if model.installed else "not installed"
