"""Counts the tokens that a text is for a speech model, without loading the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from services.model.catalog import Catalog
from services.models_folder import locate
from services.settings import Settings


def counter(model: str, catalog: Catalog, settings: Settings) -> Callable[[str], int] | None:
    """None where the model, or its tokenizer, does not lie on this machine."""
    entry = catalog.entry(model)
    folder = locate(entry, settings) if entry else None
    path = folder / "tokenizer.json" if folder else None
    return _counter(path) if path is not None and path.is_file() else None


@lru_cache(maxsize=2)
def _counter(path: Path) -> Callable[[str], int]:
    from tokenizers import Tokenizer  # noqa: PLC0415  a fast start does without

    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
