"""What came of a dictation: the words that its caller waits for, and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.model.errors import Gone
from services.model.task import Source, Task
from services.model.transcript import Transcript
from task_manager import transcripts, views
from task_manager.pipeline.ports import Ports
from task_manager.results import Results
from task_manager.schemas.item import ItemView


@dataclass(frozen=True, slots=True)
class Heard:
    """The words in the language that was asked for, and the item that tells of the audio."""

    task: Task
    transcript: Transcript
    item: ItemView

    @property
    def in_english(self) -> bool:
        """Whether it was translated, by whichever model."""
        manifest = self.task.manifest
        return bool(manifest.targets) or manifest.options.decoding.task == "translate"

    @property
    def seconds(self) -> float:
        """Of the audio."""
        return round(self.item.duration or self.transcript.duration or 0.0, 3)

    @property
    def usage(self) -> dict[str, Any]:
        """As OpenAI bills its speech models."""
        return {"type": "duration", "seconds": self.seconds}


def headers(task: Task, warnings: Sequence[str]) -> dict[str, str]:
    """Which task and model it is, and what was not done as it was asked for: a JSON list in
    ASCII, as headers are."""
    told = {
        "X-Fanscribe-Task": task.id,
        "X-Fanscribe-Model": task.manifest.options.transcribe_model,
    }
    if warnings:
        told["X-Fanscribe-Warnings"] = json.dumps(warnings)
    return told


def read(ports: Ports, task: Task) -> Heard:
    """Raises Gone for words that were removed since."""
    store = ports.store
    items = store.items(task.id, limit=1)
    english = task.manifest.languages[0] if task.manifest.targets else None
    results = Results(store, ports.objects, task)
    found = items and transcripts.output(results, items[0], source=Source.AUDIO, language=english)
    if not found:
        raise Gone("The words of this request were removed.")
    (item,) = views.item_views(task, store, items)
    return Heard(task, transcripts.read(results, found), item)
