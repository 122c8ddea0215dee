"""Tells sentences that are translated ahead of their time, beside the live view of their task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.markup import escape

from services.client.client import Fanscribe
from services.client.errors import ClientError
from services.client.events import SentencesPreviewed
from services.client.views import TaskView

_LAST_S = 2.0  # the stream ends with its task; whoever watched that end does not wait for more


@contextmanager
def previewed(api: Fanscribe, task: TaskView, console: Console) -> Iterator[None]:
    """Tells them as lines for as long as the block runs, if the task was asked for any."""
    if not task.options.get("previews") or task.state.ended:
        yield
        return
    reader = threading.Thread(target=_tell, args=(api, task, console), daemon=True)
    reader.start()
    yield
    reader.join(_LAST_S)


def _tell(api: Fanscribe, task: TaskView, console: Console) -> None:
    names: list[str] = []  # of the items, in their order
    # The result comes without them, too; and whoever leaves early closes the client under us.
    with suppress(ClientError, RuntimeError):
        for event in api.events(task.id):
            if isinstance(event, SentencesPreviewed):
                if event.item >= len(names):
                    names = [item.text_id for item in api.items(task)]
                for sentence in event.sentences:
                    at = "" if sentence.start is None else f"{sentence.start:6.1f} s"
                    whose = f"{escape(names[event.item])} {event.language} {at}"
                    said = escape(sentence.text.strip())
                    console.print(f"[dim]{whose}[/]  [italic]{said}[/]")
