"""One loaded model a process: loading costs seconds, so it stays until another comes, or until
nothing has used it for long."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from services import logs
from services.machine import give_back_memory, large_blocks_apart

_LOOK_EVERY_S = 30.0

_Model = TypeVar("_Model")
_caches: WeakSet[ModelCache[Any]] = WeakSet()

log = logs.get(__name__)


class ModelCache(Generic[_Model]):
    """The model that was used last. Never filled before a process is forked off."""

    def __init__(self) -> None:
        self.name = ""
        self._model: _Model | None = None
        _caches.add(self)

    def get(self, name: str, load: Callable[[], _Model]) -> _Model:
        """The model of that name; the one before is let go first, as both may not fit."""
        if self._model is None or self.name != name:
            self.clear()
            with large_blocks_apart():
                self._model = load()
            self.name = name
        return self._model

    def clear(self) -> None:
        """Lets go of it, and of its memory, unless somebody still holds the model itself."""
        if self._model is None:
            return
        self.name, self._model = "", None
        gc.collect()
        give_back_memory()


def loaded_models() -> list[str]:
    """The models that this process holds in memory, in all its caches."""
    return sorted({cache.name for cache in _caches if cache.name})


class Idleness:
    """Lets go of all models of this process when nothing has been `busy` for `after_s` seconds; 0:
    never. A model that is in use stays, however long that takes."""

    def __init__(self, after_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._after_s = after_s
        self._now = now
        self._since = now()
        self._in_use = threading.Lock()

    def start(self) -> None:
        """Looks in a thread of its own from now on."""
        if self._after_s:
            threading.Thread(target=self._live, name="idleness", daemon=True).start()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Around all that may use a model; by one thread at a time."""
        with self._in_use:
            try:
                yield
            finally:
                self._since = self._now()

    def look(self) -> list[str]:
        """The models that were let go just now."""
        if not self._after_s or not self._in_use.acquire(blocking=False):
            return []
        try:
            names = loaded_models()
            if not names or self._now() - self._since < self._after_s:
                return []
            for cache in list(_caches):
                cache.clear()
            log.info("idle_models_let_go", models=names, after_s=self._after_s)
            return names
        finally:
            self._in_use.release()

    def _live(self) -> None:
        pause = threading.Event()
        while not pause.wait(min(_LOOK_EVERY_S, self._after_s / 4)):
            try:
                self.look()
            except Exception:  # a model that stays costs memory, not a job
                log.exception("idle_look_failed")
