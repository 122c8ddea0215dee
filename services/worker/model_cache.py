"""One loaded model a process: loading costs seconds, so the last one stays until another comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_Model = TypeVar("_Model")
_loaded: set[str] = set()


class ModelCache(Generic[_Model]):
    """The model that was used last. Never filled before a process is forked off."""

    def __init__(self) -> None:
        self._name = ""
        self._model: _Model | None = None

    def get(self, name: str, load: Callable[[], _Model]) -> _Model:
        """The model of that name; the one before is let go first, as both may not fit."""
        if self._model is None or self._name != name:
            self.clear()
            self._model = load()
            self._name = name
            _loaded.add(name)
        return self._model

    def clear(self) -> None:
        _loaded.discard(self._name)
        self._name, self._model = "", None


def loaded_models() -> list[str]:
    """The models that this process holds in memory, in all its caches."""
    return sorted(_loaded)
