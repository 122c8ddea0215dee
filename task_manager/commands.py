"""`fanscribe manager`: the public API, the listener of the workers and the ticker, one process;
and `fanscribe keys`, which works on the store itself.

So the first key needs no other one, and no server: whoever may open the store may make keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.model.errors import FanscribeError
from services.settings import Settings

if TYPE_CHECKING:
    from task_manager.schemas.key import KeyView
    from task_manager.store.protocol import Store

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class MayNotServe(FanscribeError):
    """The settings would open the manager to others without a lock on the door."""

    exit_code = 2


class BadArgument(FanscribeError):
    """What was typed cannot be understood."""

    exit_code = 2


def register(app: typer.Typer, worker: typer.Typer) -> None:  # noqa: ARG001  one shape for all
    """Adds `fanscribe manager` and `fanscribe keys`."""
    app.command()(manager)
    keys = typer.Typer(help="The keys of the API, in the store itself.", no_args_is_help=True)
    keys.command("create")(create_key)
    keys.command("list")(list_keys)
    keys.command("revoke")(revoke_key)
    app.add_typer(keys, name="keys")


def manager(
    host: Annotated[str | None, typer.Option(help="Address of the public API.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the public API; 0: a free one.")] = None,
    worker_host: Annotated[str | None, typer.Option(help="Address for the workers.")] = None,
    worker_port: Annotated[int | None, typer.Option(help="Port for the workers.")] = None,
) -> None:
    """Run the task manager: the API, the workers' listener and the ticker."""
    import asyncio

    from services import logs
    from services.settings import load
    from task_manager.app import build
    from task_manager.serving import serve

    given = {"host": host, "port": port, "worker_host": worker_host, "worker_port": worker_port}
    settings = load().model_copy(update={k: v for k, v in given.items() if v is not None})
    refuse_open_doors(settings)
    logs.configure(settings.log_level, settings.log_format)
    asyncio.run(serve(build(settings)))


def refuse_open_doors(settings: Settings) -> None:
    """Raises MayNotServe where others could reach what nothing locks."""
    from task_manager.loopback import is_loopback

    there = {
        "FANSCRIBE_API_KEY": bool(settings.api_key.get_secret_value()),
        "FANSCRIBE_CALLBACK_SECRET": any(settings.callback_secrets),
    }
    lacking = [name for name, is_set in there.items() if not is_set]
    for address in (settings.host, settings.worker_host):
        if lacking and not is_loopback(address):
            raise MayNotServe(
                f"{address} can be reached from other machines, and nothing would keep them out: "
                f"set {' and '.join(lacking)}, or listen on 127.0.0.1 only."
            )


# ── keys ─────────────────────────────────────────────────────────────────────────────────────


def create_key(  # noqa: PLR0917  typer passes them by name
    name: Annotated[str, typer.Argument(help="What it is for; for people.")],
    owner: Annotated[str, typer.Option(help="Whose tasks it makes and sees.")],
    scope: Annotated[
        str, typer.Option(metavar="A,B", help="Of submit, read, worker and admin.")
    ] = "submit,read",
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 90d, 12h or 30m; else never.")
    ] = None,
    per_second: Annotated[int | None, typer.Option(help="Requests at most.")] = None,
    per_minute: Annotated[int | None, typer.Option(help="Requests at most.")] = None,
    at_once: Annotated[int | None, typer.Option(help="Requests under way at most.")] = None,
    open_tasks: Annotated[int | None, typer.Option(help="The owner's open tasks at most.")] = None,
    storage: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The owner's media at most, such as 50GB.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a key and print it: it cannot be shown again."""
    from pydantic import ValidationError

    from services.client import output
    from task_manager import keys, problems
    from task_manager.schemas.key import NewKey

    limits = {
        "per_second": per_second,
        "per_minute": per_minute,
        "at_once": at_once,
        "open_tasks": open_tasks,
        "stored_bytes": None if storage is None else _measured(storage, _BYTES, "50GB"),
    }
    asked: dict[str, Any] = {
        "name": name,
        "owner": owner,
        "scopes": [part for each in scope.split(",") if (part := each.strip())],
        "expires_in_s": None if expires is None else _measured(expires, _SECONDS, "90d"),
        "limits": limits,
    }
    try:
        wanted = NewKey.model_validate(asked)
    except ValidationError as error:
        _, message, field = problems.from_pydantic(error.errors())
        raise BadArgument(f"{field}: {message}") from None
    with _store() as store:
        made = keys.create(store, wanted)
    if json:
        output.print_json(made.model_dump(mode="json"))
    else:
        typer.echo(made.key)


def list_keys(json: AsJson = False) -> None:
    """List the keys, newest first, also those that count no more."""
    from services.client import output
    from task_manager import keys

    shown: list[KeyView] = []
    before: tuple[float, str] | None = None
    with _store() as store:
        while page := store.keys(before=before, limit=_PAGE):
            shown += map(keys.view, page)
            before = (page[-1].created_at, page[-1].id)
    if json:
        output.print_json([each.model_dump(mode="json") for each in shown])
    else:
        output.show_table(_HEAD, map(_row, shown))


def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID", help="Its beginning, as `list` shows it.")],
    json: AsJson = False,
) -> None:
    """Take a key out of use; managers that run follow within five seconds."""
    from services.client import output
    from services.model.access import id_in
    from task_manager import keys

    with _store() as store:
        revoked = keys.view(keys.revoke(store, id_in(key) or key))
    if json:
        output.print_json(revoked.model_dump(mode="json"))
    else:
        output.show_table(_HEAD, [_row(revoked)])


@contextmanager
def _store() -> Iterator[Store]:
    from services.settings import load
    from task_manager.store.opening import open_store

    store = open_store(load())
    try:
        yield store
    finally:
        store.close()


_PAGE = 200
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_HEAD = ["key", "name", "owner", "scopes", "made", "ends", "last used"]


def _measured(text: str, units: dict[str, int], example: str) -> int:
    """A whole number and its unit."""
    found = re.fullmatch(r"(\d{1,12}) ?([A-Za-z]*)", text.strip())
    if not found or found[2] not in units:
        raise BadArgument(f"{text!r}: write a number and a unit, such as {example}.")
    return int(found[1]) * units[found[2]]


def _row(key: KeyView) -> list[str]:
    ends = "never" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d %H:%M}"
    return [
        key.id,
        key.name,
        key.owner,
        ",".join(key.scopes),
        f"{key.created_at:%Y-%m-%d %H:%M}",
        ends if key.revoked_at is None else f"revoked {key.revoked_at:%Y-%m-%d %H:%M}",
        "never" if key.used_at is None else f"{key.used_at:%Y-%m-%d %H:%M}",
    ]
