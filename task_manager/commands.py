"""`fanscribe manager`: the public API, the listener of the workers and the ticker, one process."""

from __future__ import annotations

from typing import Annotated

import typer

from services.model.errors import FanscribeError
from services.settings import Settings


class MayNotServe(FanscribeError):
    """The settings would open the manager to others without a lock on the door."""

    exit_code = 2


def register(app: typer.Typer, worker: typer.Typer) -> None:  # noqa: ARG001  one shape for all
    """Adds `fanscribe manager`."""
    app.command()(manager)


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
    from task_manager.auth import is_loopback

    lacking = [
        f"FANSCRIBE_{name.upper()}"
        for name in ("api_key", "callback_secret")
        if not getattr(settings, name).get_secret_value()
    ]
    for address in (settings.host, settings.worker_host):
        if lacking and not is_loopback(address):
            raise MayNotServe(
                f"{address} can be reached from other machines, and nothing would keep them out: "
                f"set {' and '.join(lacking)}, or listen on 127.0.0.1 only."
            )
