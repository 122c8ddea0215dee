"""What a speech model can be asked to listen for: refused before anything is sent to it; pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.catalog import ModelEntry
from services.model.errors import Invalid


def spoken(tags: Sequence[str], entry: ModelEntry | None) -> list[str]:
    """The languages that may be spoken, each once. Raises Invalid for one that is not heard."""
    for number, tag in enumerate(tags):
        check_heard(entry, tag, f"options.spoken.{number}")
    return list(dict.fromkeys(tags))


def check_heard(entry: ModelEntry | None, tag: str, field: str) -> None:
    """Raises Invalid where a model does not write down a language."""
    if entry is not None and not entry.hears(tag):
        raise Invalid(
            f"The model {entry.name} does not write down {tag}.",
            code="language_not_served",
            field=field,
        )


def check_multilingual(entry: ModelEntry | None) -> None:
    """Raises Invalid for a model that can hear one language only."""
    if entry is not None and len(entry.languages) == 1:
        raise Invalid(
            f"The model {entry.name} knows one language only: leave out multilingual, or name "
            "another model.",
            code="one_language_only",
            field="options.multilingual",
        )
