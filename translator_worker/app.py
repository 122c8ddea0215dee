"""The Celery app of the translator worker."""

from __future__ import annotations

from services.worker.app import make_worker
from translator_worker.tasks import STAGES

# Texts are short work: a claim may bring several, few enough to leave some for the next child.
app = make_worker(__name__, STAGES, claim_slots=4)
