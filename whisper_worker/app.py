"""The Celery app of the whisper worker."""

from __future__ import annotations

from services.worker.app import make_worker
from whisper_worker.tasks import STAGES, get_ready

app = make_worker(__name__, STAGES, get_ready=get_ready)
