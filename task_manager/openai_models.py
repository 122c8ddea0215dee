"""The names under which OpenAI's clients ask for speech models."""

from __future__ import annotations

from services.model.catalog import Catalog, ModelEntry
from services.model.errors import Invalid, NotFound

# They mean the model that this server prefers.
ALIASES = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
)


def speech_model(catalog: Catalog, name: str) -> ModelEntry:
    """Raises NotFound `model_not_found`."""
    if not name:
        raise NotFound(
            "Name a model; GET /v1/models lists them.", code="model_not_found", field="model"
        )
    try:
        return catalog.transcriber(None if name in ALIASES else name)
    except Invalid as error:
        raise NotFound(error.message, code="model_not_found", field="model") from error


def names(catalog: Catalog) -> list[str]:
    """The speech models that are offered, and what stands for the preferred one."""
    ears = [entry.name for entry in catalog.offered if entry.kind == "transcribe"]
    return [*ears, *ALIASES] if ears else []


def found(catalog: Catalog, name: str) -> ModelEntry:
    """A model of any kind by its name, or by one that stands for it. Raises NotFound."""
    entry = catalog.entry(name)
    return entry if entry is not None else speech_model(catalog, name)
