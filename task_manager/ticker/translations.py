"""Let go of remembered translations that have had their time, or are too many."""

from __future__ import annotations

from task_manager.pipeline.ports import Ports

AT_ONCE = 500  # by one write


def sweep_translations(ports: Ports) -> None:
    """The old ones, then the oldest of the rest, until about as many are left as may be."""
    store, settings = ports.store, ports.settings
    while store.drop_translations(store.now() - settings.keep_translations_s, AT_ONCE) == AT_ONCE:
        pass
    over = store.count_translations() - settings.max_translations
    while over > 0:
        dropped = store.drop_translations(store.now() + 1.0, min(over, AT_ONCE))
        if not dropped:
            break
        over -= dropped
