"""The outside things that the pipeline's functions are handed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from services.model.catalog import Catalog
from services.settings import Settings
from services.storage.protocol import ObjectStore
from task_manager.store.protocol import Store


def _nobody_listens() -> None:
    """Until a ticker is started."""


@dataclass(slots=True)
class Ports:
    """`wake` tells the ticker that there is something to announce or settle; `draw` is the
    random number of the retry table's jitter."""

    store: Store
    objects: ObjectStore
    catalog: Catalog
    settings: Settings
    wake: Callable[[], None] = _nobody_listens
    draw: Callable[[], float] = field(default=random.random)

    def choose(self, source: str, target: str) -> str | None:
        """The model that translates this pair, by the catalog."""
        entry = self.catalog.translator(source, target)
        return entry.name if entry else None
