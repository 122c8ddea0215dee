"""Two listeners in one event loop, the ticker beside them, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import resource
import signal
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from services import logs
from services.settings import Settings
from task_manager.app import Application
from task_manager.headers import Sealed
from task_manager.pace import Paced
from task_manager.patience import PatientConfig
from task_manager.request_ids import Named

log = logs.get(__name__)

_GRACE_S = 10  # for requests that are under way when the end comes
_FILES = 65_536  # a connection is a file; the usual 1024 would leave none for the workers
_M_ARENA_MAX, _ARENAS = -8, 2  # the first from glibc's malloc.h


class Listener(uvicorn.Server):
    """A uvicorn server that leaves the signals to us: there are two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @property
    def address(self) -> str:
        """Where it listens, once it does."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listener(app: FastAPI, host: str, port: int) -> Listener:
    """Serves an application of ours; bounds on time and size, and the headers of every answer,
    stand around it, so that nothing in it is without them."""
    settings: Settings = app.state.settings
    return Listener(
        PatientConfig(
            Named(Sealed(Paced(app, settings, app.state.largest_body))),
            header_within_s=settings.header_within_s,
            host=host,
            port=port,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who calls is who connects; nobody may claim to be loopback
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


def raise_file_limit() -> None:
    """As many open files as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # some systems promise more than they give
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit_heaps() -> None:
    """glibc gives each of a hundred threads a heap of its own and takes little of it back; most
    threads here wait for the store or the disk, and two heaps do."""
    with contextlib.suppress(AttributeError, OSError):  # another C library, other heaps
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


async def serve(application: Application) -> None:
    """Runs until TERM or INT; then ends streams, requests, ticker and store, in this order."""
    raise_file_limit()
    limit_heaps()
    settings = application.settings
    public = listener(application.public, settings.host, settings.port)
    workers = listener(application.workers, settings.worker_host, settings.worker_port)

    def end() -> None:
        application.stopping.set()
        public.should_exit = workers.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    application.ticker.start()
    try:
        async with asyncio.TaskGroup() as group:
            for each in (public, workers):
                group.create_task(_run(each, end))
            group.create_task(_tell(public, workers))
    finally:
        await asyncio.to_thread(application.ticker.stop)
        application.store.close()


async def _run(server: Listener, end: object) -> None:
    try:
        await server.serve()
    finally:
        if callable(end):
            end()


async def _tell(public: Listener, workers: Listener) -> None:
    while not (public.started and workers.started):
        if public.should_exit or workers.should_exit:
            return
        await asyncio.sleep(0.02)
    log.info("manager_started", url=public.address, workers_url=workers.address)
