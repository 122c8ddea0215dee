"""`fanscribe models`: what tasks can use, and what can be had."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from services.client.client import Fanscribe
    from services.client.server_views import ModelView
    from services.installing.converting import Wanted
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

    _add_convert(group)
    return group


def _add_convert(group: typer.Typer) -> None:
    @group.command()
    def convert(  # noqa: PLR0917  typer passes them by name
        source: Annotated[
            str,
            typer.Argument(metavar="DIR|MODEL", help="Its folder, or owner/name on the hub."),
        ],
        name: Annotated[str, typer.Option(help="What tasks will call it.")] = "",
        quantization: Annotated[
            str, typer.Option(metavar="TYPE", help="Of its weights: int8, float16, float32, …")
        ] = "int8",
        sources: Annotated[
            str, typer.Option("--source", metavar="LANG,…", help="What it translates from.")
        ] = "",
        targets: Annotated[
            str, typer.Option("--target", metavar="LANG,…", help="What it translates into.")
        ] = "",
        revision: Annotated[
            str, typer.Option(metavar="REV", help="A commit, tag or branch of the hub.")
        ] = "main",
        licence: Annotated[str, typer.Option(help="What its licence is called.")] = "",
        json: AsJson = False,
    ) -> None:
        """Convert a translation model into CTranslate2's format, ready to be used."""
        from services.installing.converting import Wanted

        name = name or Path(source).resolve().name
        wanted = Wanted(name, quantization, _tags(sources), _tags(targets), licence)
        _convert(source, revision, wanted, as_json=json)


def _tags(listed: str) -> list[str]:
    from services.model.languages import parse_language

    return [parse_language(tag, field="languages") for tag in listed.split(",") if tag.strip()]


def _convert(source: str, revision: str, wanted: Wanted, *, as_json: bool) -> None:
    from services import settings as configuration
    from services.client.output import STDERR
    from services.installing.converting import convert, convert_from_hub
    from services.installing.errors import CannotInstall
    from services.installing.hub import Hub
    from services.installing.target import target_of
    from services.model.catalog import is_hub_id
    from services.models_folder import load_catalog

    settings = configuration.load()
    root = settings.models_folder
    known = load_catalog(settings).entry(wanted.name)
    if known is not None and (known.engine != "ctranslate2" or known.demo):
        raise CannotInstall(f"{wanted.name} is the name of another model: give one by --name.")
    if Path(source).is_dir() or not is_hub_id(source):
        done = convert(Path(source), wanted, root)
    else:
        with _progress(STDERR) as show, closing(Hub.of_environment()) as hub:
            done = convert_from_hub(hub, source, revision, wanted, root, show=show)
    _report(target_of(wanted.name, settings), done, as_json=as_json)


def _pull(name: str, revision: str, source: Path | None, *, as_json: bool) -> None:
    from services import settings as configuration
    from services.client.output import STDERR
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
    _report(target, done, as_json=as_json)


def _report(target: Target, done: Installed, *, as_json: bool) -> None:
    from services.client.output import print_json, print_raw
    from services.installing.telling import outcome

    if as_json:
        about = {"model": target.name, "folder": str(done.folder), "digest": done.lock.digest}
        print_json({**about, "anew": done.anew, **done.lock.model_dump(exclude={"files"})})
    else:
        print_raw("\n".join(outcome(target, done)))


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
    from services.client.server_views import ModelView
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
    unverified = ", unverified" if model.installed and not model.verified else ""
    if model.nodes:
        return f"served by {model.nodes}{unverified}"
    return f"installed{unverified}" if model.installed else "not installed"
