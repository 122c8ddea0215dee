"""An item against its text: how far what was heard is from it, and one page of where."""

from __future__ import annotations

from services.model.differences import Difference, Differences
from services.model.errors import NotFound
from services.model.task import Item, Source, Task
from services.model.transcript import Check, Output
from task_manager.results import Results
from task_manager.schemas.check import CheckView


def view(results: Results, task: Task, item: Item, *, after: int, limit: int) -> CheckView:
    """The places behind number `after`, up to `limit`. Raises NotFound `not_checked` for an item
    without audio or text, and NotFinished or NotFound while there is no transcript."""
    if item.audio is None or item.text is None:
        lacks = "audio" if item.audio is None else "text"
        raise NotFound(
            f"Only an item with audio and text is checked; this one has no {lacks}.",
            code="not_checked",
        )
    heard = results.own_words(item, Source.AUDIO)
    if heard is None or not heard.facts.get("check"):
        raise results.absent()
    check = Check.model_validate(heard.facts["check"])
    places = _places(results, item.text, heard)
    end = after + 1 + limit
    options = task.manifest.options
    return CheckView(
        text_id=item.text_id,
        language=heard.language,
        check=check,
        threshold=options.check_threshold,
        action=options.check_action,
        above=check.is_above(options.check_threshold),
        differences=places[after + 1 : end],
        next=end - 1 if end < len(places) else None,
    )


def _places(results: Results, text: str, heard: Output) -> list[Difference]:
    """Where nobody speaks all of the text; none of a transcript that an older worker made."""
    if heard.differences is not None:
        return Differences.model_validate_json(results.text(heard.differences)).places
    if not heard.facts.get("no_speech"):
        return []
    everything = Difference(
        op="deletion", expected=text, heard="", start=0, end=len(text), heard_start=0, heard_end=0
    )
    return [everything]
