"""The Celery app of the translator worker."""

from __future__ import annotations

from services.model.job import base_queue
from services.models_folder import own_catalog
from services.worker.app import make_worker
from translator_worker.batches import MOST_ROWS
from translator_worker.tasks import BUNDLES

_CHAT_SLOTS = 4  # one after the other, for each goes out in parallel by itself
_MOST_SIZE = 240.0  # as many characters as a batch takes, so that other children get theirs


def slots_of(queue: str) -> int:
    """Short texts fill a batch together, where the model runs here."""
    entry = own_catalog().entry(base_queue(queue).partition(".")[2])
    return _CHAT_SLOTS if entry is not None and entry.chat is not None else MOST_ROWS


app = make_worker(__name__, {}, bundles=BUNDLES, slots_of=slots_of, most_size=_MOST_SIZE)
