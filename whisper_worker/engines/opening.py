"""Loads the engine of a model, and keeps it for the next job of this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.model.catalog import ModelEntry
from services.model.errors import FailureClass, JobFailed
from services.model_identity import identity
from services.models_folder import locate, own_catalog
from services.settings import Settings, load
from services.worker.fitness import check_fitness, note_seen
from services.worker.model_cache import ModelCache
from whisper_worker.engines import Engine

_PROGRAMS = ("fanscribe", "faster-whisper", "ctranslate2", "opencc")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An engine, and what the words that it hears depend `on`; empty where nothing is reused."""

    engine: Engine
    on: str = ""


_cache: ModelCache[Loaded] = ModelCache()


def open_engine(model: str) -> Loaded:
    """Raises JobFailed if this node has no such model (any more)."""
    return _cache.get(model, lambda: _load(model, load()))


def depends_on(model: str) -> str:
    """What it would be loaded with now, without loading it."""
    settings = load()
    entry = own_catalog().entry(model)
    folder = locate(entry, settings) if entry and entry.engine != "stub" else None
    return _identity(folder, entry, settings) if folder and entry else ""


def _identity(folder: Path, entry: ModelEntry, settings: Settings) -> str:
    run = {"device": settings.device, "compute_type": settings.compute_type}
    return identity(folder, entry, _PROGRAMS, **run)


def _load(model: str, settings: Settings) -> Loaded:
    entry = own_catalog().entry(model)
    if entry is not None and entry.engine == "stub":
        from whisper_worker.engines.stub import StubWhisper  # noqa: PLC0415

        return Loaded(StubWhisper())
    folder = locate(entry, settings) if entry else None
    if folder is None or entry is None:
        raise JobFailed(
            FailureClass.RESOURCE_EXHAUSTED,
            "model_missing",
            f"This worker has no model {model!r}: fanscribe models pull {model}.",
        )
    check_fitness(folder, ["tokenizer.json"])  # without it faster-whisper would ask a hub
    from whisper_worker.engines.faster_whisper import (  # noqa: PLC0415  seconds to import
        FasterWhisper,
    )

    engine = FasterWhisper(folder, settings.device, settings.compute_type)
    if not entry.demo:
        note_seen(folder)
    return Loaded(engine, _identity(folder, entry, settings))
