"""The app of the whisper worker on a Celery whose pool never stops."""

from __future__ import annotations

import threading

from celery.concurrency.prefork import TaskPool

from services.worker import serving
from whisper_worker.app import app

__all__ = ["app"]


def never(_: TaskPool) -> None:
    threading.Event().wait()


TaskPool.on_stop = never
serving.HANGS_S = 0.5
