"""Starts a worker in this process: what it serves, under which name, with how many children."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import chain
from typing import Literal

from celery import Celery

from services import logs
from services.model.catalog import SCRIPTS, Catalog, ModelEntry
from services.model.job import Stage, queue_name
from services.model.messages import Register
from services.models_folder import is_here, load_catalog
from services.settings import Settings, load
from services.worker.app import models_in, queues_of
from services.worker.capacity import children, cores, memory_for_models, on_gpu
from services.worker.serving import health_url, serve

Kind = Literal["whisper", "translator"]

# Measured: without these glibc gives every large attention buffer back to the kernel and takes
# the page faults again, which is a third of an encoder's time.
_ALLOCATOR = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296"
    ":glibc.malloc.trim_threshold=8589934592"
)

log = logs.get(__name__)


def launch(kind: Kind, module: str, *, queues: str = "", concurrency: int = 0) -> int:
    """Runs the worker whose Celery app is `module.app` until it is told to end; its exit code.

    `queues` and `concurrency` win over the settings.
    """
    settings = load()
    given = queues or settings.queues
    catalog = load_catalog(settings)
    served = _split(given) or default_queues(kind, catalog, settings)
    entries = _entries(served, catalog)
    if concurrency:
        settings = settings.model_copy(update={"concurrency": concurrency})
    footprint = max((entry.memory_mb for entry in entries), default=0)
    slots = children(settings, footprint)
    node = settings.node or f"{socket.gethostname()}-{kind}-{secrets.token_hex(3)}"
    settings = _tell_children(node, served, slots)
    _warn_if_idle(kind, served)
    app: Celery = import_module(module).app
    return serve(app, settings, _hello(kind, settings, entries, slots))


def default_queues(kind: Kind, catalog: Catalog, settings: Settings) -> list[str]:
    """All that this machine's models serve; a whisper node also does the work without models."""
    here = [entry for entry in catalog.entries.values() if is_here(entry, settings)]
    if kind == "translator":
        return [queue_name(Stage.TRANSLATE, e.name) for e in here if e.kind == "translate"]
    models = [queue_name(Stage.TRANSCRIBE, e.name) for e in here if e.kind == "transcribe"]
    return [queue_name(Stage.PREPARE), queue_name(Stage.ASSEMBLE), *models]


def _entries(queues: list[str], catalog: Catalog) -> list[ModelEntry]:
    found = (catalog.entry(name) for name in models_in(queues))
    return [entry for entry in found if entry is not None]


def _tell_children(node: str, queues: list[str], slots: int) -> Settings:
    """The children read the environment as they start; tunables of the allocator and of OpenMP
    work only from there."""
    threads = max(1, cores() // slots)
    os.environ.update(
        FANSCRIBE_NODE=node,
        FANSCRIBE_QUEUES=",".join(queues),
        FANSCRIBE_CONCURRENCY=str(slots),
    )
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    if sys.platform == "linux":
        os.environ["GLIBC_TUNABLES"] = tunables(os.environ.get("GLIBC_TUNABLES", ""))
    load.cache_clear()
    return load()


def tunables(own: str) -> str:
    """Ours, and what the operator gave: of two of one name glibc takes the last."""
    return f"{_ALLOCATOR}:{own}" if own else _ALLOCATOR


def _warn_if_idle(kind: Kind, queues: list[str]) -> None:
    if not set(models_in(queues)) - {SCRIPTS.name}:
        log.warning(
            "no_models",
            kind=kind,
            hint="start with --demo-models, or put a model into the models folder",
        )


def _hello(kind: Kind, settings: Settings, entries: Sequence[ModelEntry], slots: int) -> Register:
    languages = {tag for entry in entries for tag in chain(entry.languages, *entry.pairs)}
    pairs = (part.partition("=") for part in _split(settings.labels))
    return Register(
        node=settings.node,
        kind=kind,
        host=socket.gethostname(),
        pid=os.getpid(),
        queues=queues_of(settings),
        models=models_in(queues_of(settings)),
        languages=sorted(languages),
        slots=slots,
        version=version("fanscribe"),
        memory_mb=sum(entry.memory_mb for entry in entries),
        labels={key.strip(): value.strip() for key, _, value in pairs} | _device(settings),
        free_mb=memory_for_models(settings),
        health_url=health_url(settings),
    )


def _device(settings: Settings) -> dict[str, str]:
    return {"device": "gpu" if on_gpu(settings) else "cpu"}


def _split(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]
