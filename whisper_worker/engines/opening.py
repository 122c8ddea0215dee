"""Loads the engine of a model, and keeps it for the next job of this process."""

from __future__ import annotations

from services.model.errors import FailureClass, JobFailed
from services.models_folder import load_catalog, locate
from services.settings import Settings, load
from services.worker.fitness import check_fitness
from services.worker.model_cache import ModelCache
from whisper_worker.engines import Engine

_cache: ModelCache[Engine] = ModelCache()


def open_engine(model: str) -> Engine:
    """Raises JobFailed if this node has no such model (any more)."""
    return _cache.get(model, lambda: _load(model, load()))


def _load(model: str, settings: Settings) -> Engine:
    entry = load_catalog(settings).entry(model)
    if entry is not None and entry.engine == "stub":
        from whisper_worker.engines.stub import StubWhisper  # noqa: PLC0415

        return StubWhisper()
    folder = locate(entry, settings) if entry else None
    if folder is None:
        raise JobFailed(
            FailureClass.RESOURCE_EXHAUSTED,
            "model_missing",
            f"This worker has no model {model!r}: fanscribe models pull {model}.",
        )
    check_fitness(folder, ["tokenizer.json"])  # without it faster-whisper would ask a hub
    from whisper_worker.engines.faster_whisper import (  # noqa: PLC0415  seconds to import
        FasterWhisper,
    )

    return FasterWhisper(folder, settings.device, settings.compute_type)
