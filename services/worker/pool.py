"""Celery's pool, which counts a child as a slot from when it can be given work."""

from __future__ import annotations

from celery.concurrency import prefork


class Pool(prefork.TaskPool):  # type: ignore[misc]
    """A fresh interpreter takes a second to start. Celery would take an announcement for it
    meanwhile, and leave it lying while another worker is idle."""

    @property
    def num_processes(self) -> int:
        return len(self._pool._all_inqueues)  # noqa: SLF001 - Celery has no word for it
