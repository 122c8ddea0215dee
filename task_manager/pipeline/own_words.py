"""Which items of a task have words of their own: what was heard of them, and their texts."""

from __future__ import annotations

from task_manager.store.protocol import OutputLine, Store

OWN_AT_ONCE = 100  # items a look


def own_lines(store: Store, task_id: str, first: int) -> list[OutputLine]:
    """Those of so many items from this one on."""
    found = store.output_lines(task_id, first, first + OWN_AT_ONCE - 1)
    return [line for line in found if line.kind != "translation"]
