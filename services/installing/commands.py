"""`fanscribe models`: what tasks can use, and what can be had."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.model.catalog import is_noncommercial

if TYPE_CHECKING:
    from rich.console import Console

    from services.client.client import Fanscribe
    from services.client.views import ModelView
    from services.installing.pulling import Installed, Show
    from services.installing.target import Target

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

    @group.command()
    def pull(
        name: Annotated[
            str, typer.Argument(metavar="MODEL", help="Its name, or owner/name on the hub.")
        ],
        revision: Annotated[
            str, typer.Option(metavar="REV", help="A commit, tag or branch of the hub.")
        ] = "",
        source: Annotated[
            Path | None,
            typer.Option("--from", metavar="PATH", help="A folder or tar archive; no network."),
        ] = None,
        json: AsJson = False,
    ) -> None:
        """Bring a model onto this machine, checked by its hashes."""
        _pull(name, revision, source, as_json=json)

    return group


def _pull(name: str, revision: str, source: Path | None, *, as_json: bool) -> None:
    from services import settings as configuration
    from services.client.output import STDERR, print_json, print_raw
    from services.installing.hub import Hub
    from services.installing.importing import bring
    from services.installing.pulling import pull
    from services.installing.target import target_of

    settings = configuration.load()
    target = target_of(name, settings)
    root = settings.models_folder
    with _progress(STDERR) as show:
        if source is not None:
            done = bring(source, target.hub_id, target.folder, root, show=show)
        else:
            wanted = revision or target.revision
            with closing(Hub.of_environment()) as hub:
                done = pull(hub, target.to_pull, wanted, target.folder, root, show=show)
    if as_json:
        about = {"model": target.name, "folder": str(done.folder), "digest": done.lock.digest}
        flags = {"anew": done.anew, "checked": done.checked}
        print_json({**about, **flags, **done.lock.model_dump(exclude={"files"})})
    else:
        print_raw("\n".join(_outcome(target, done)))


def _outcome(target: Target, done: Installed) -> list[str]:
    """What there is now, and what follows from it."""
    lock = done.lock
    commit = f" at {lock.revision[:12]}" if lock.revision else ""
    lines = [
        f"{target.name}{commit} is {'installed' if done.anew else 'there already, whole'}.",
        f"  folder   {done.folder}",
        f"  licence  {lock.licence or 'not said'}",
        f"  digest   {lock.digest}",
    ]
    if not done.checked:
        lines.append("There were no hashes to compare it with; those of now are kept beside it.")
    if not any(file.name == "preprocessor_config.json" for file in lock.files):
        lines.append("It has no preprocessor_config.json: 80 mel bands are assumed.")
    if is_noncommercial(lock.licence):
        lines.append(
            "Its licence forbids commercial use: it is used where a task names it, and else only "
            "with FANSCRIBE_ALLOW_NONCOMMERCIAL=true."
        )
    if target.entry is None:
        table = f'[[model]]\nname = "{target.name.partition("/")[2]}"\nkind = "transcribe"\n'
        table += f'engine = "faster-whisper"\nlocation = "{target.name}"'
        lines += ["Tasks can use it once the catalog file (FANSCRIBE_CATALOG_FILE) has it:", table]
    if done.anew:
        lines.append("A manager or a worker that runs already sees it after its next start.")
    return lines


@contextmanager
def _progress(console: Console) -> Iterator[Show]:
    """One bar a file; nothing where nobody looks."""
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        bars: dict[str, progress.TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in bars:
                bars[name] = shown.add_task(name, total=total or None)
            shown.update(bars[name], completed=done)

        yield show


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
