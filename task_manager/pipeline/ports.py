"""The outside things that the pipeline's functions are handed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from services.metrics import ManagerMetrics
from services.model.catalog import Catalog
from services.model.fanout import ChooseModel
from services.model.task import Options
from services.settings import Settings
from services.storage.named import NamedBuckets
from services.storage.protocol import ObjectStore
from task_manager.audit import AuditLog
from task_manager.pipeline.lines import Lines
from task_manager.pipeline.listeners import Listeners
from task_manager.pipeline.promises import Promises
from task_manager.pipeline.refusals import Refusals
from task_manager.pipeline.speeds import Speeds
from task_manager.pipeline.waiting import Waiting
from task_manager.pulse import Pulse
from task_manager.store.protocol import Store


def _nobody_listens() -> None:
    """Until a ticker is started."""


@dataclass(slots=True)
class Ports:
    """`wake` tells the ticker that there is something to announce or settle, `post` that there is
    something to deliver; `draw` is the random number of the retry table's jitter; `meter` counts
    for operators, `pulse` shows them whether the ticker looks, and `audit` who ordered what."""

    store: Store
    objects: ObjectStore
    catalog: Catalog
    settings: Settings
    buckets: NamedBuckets
    wake: Callable[[], None] = _nobody_listens
    post: Callable[[], None] = _nobody_listens
    draw: Callable[[], float] = field(default=random.random)
    lines: Lines = field(default_factory=Lines)
    listeners: Listeners = field(default_factory=Listeners)
    waiting: Waiting = field(default_factory=Waiting)
    refusals: Refusals = field(default_factory=Refusals)
    speeds: Speeds = field(default_factory=Speeds)
    promises: Promises = field(default_factory=Promises)
    meter: ManagerMetrics = field(default_factory=ManagerMetrics)
    pulse: Pulse = field(default_factory=Pulse)
    audit: AuditLog = field(default_factory=AuditLog)

    def choosing(self, options: Options) -> ChooseModel:
        """Which model translates a pair for a task of these options: the first of those that it
        names for the target, else the catalog's first."""

        def choose(source: str, target: str) -> str | None:
            entry = self.catalog.translator(source, target, options.translators(target))
            return entry.name if entry else None

        return choose
