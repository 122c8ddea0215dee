"""Each sentence is translated once: not again what is remembered, nor twice for a task in a claim.

A row is known by its name, a hash of it and of all that its translation depends on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.model.remembered import LONGEST
from services.worker.bundle import Bundle
from services.worker.work import Work
from translator_worker.depending import digest
from translator_worker.engines import Row, Translation


def one_by_one(rows: Sequence[Row], on: str) -> list[str]:
    """Names of rows each of which stands for itself and depends `on` that."""
    return [digest(row, on) for row in rows]


def in_context(rows: Sequence[Row], on: str, beside: int) -> list[str]:
    """Names of rows that explain each other: each is known again between the same neighbours
    only, so many before and after it."""
    texts = [row.text for row in rows]
    return [
        digest(row, on, [texts[max(0, n - beside) : n], texts[n + 1 : n + 1 + beside]])
        for n, row in enumerate(rows)
    ]


class Known:
    """Translations by the names of their rows, as long as a claim is worked on. What one job of a
    task made answers for the others of that task too, for they are of one owner."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Translation] = {}

    def recall(self, bundle: Bundle, names: Mapping[Work, Sequence[str]]) -> None:
        """Asks for those of all jobs at once."""
        asked = {work: list(dict.fromkeys(some)) for work, some in names.items() if some}
        for work, known in (bundle.recall(asked) if asked else {}).items():
            self._learn(work, {name: Translation(text) for name, text in known.items()})

    def learn(self, work: Work, made: Mapping[str, Translation], *, kept: bool) -> None:
        """What was made for a job. If it may be `kept`, that which nothing looks wrong with is told
        to the manager."""
        self._learn(work, made)
        if kept:
            work.remember({name: each.text for name, each in made.items() if _is_worth_it(each)})

    def of(self, work: Work, name: str) -> Translation | None:
        return self._made.get((work.grant.task, name))

    def _learn(self, work: Work, made: Mapping[str, Translation]) -> None:
        for name, each in made.items():
            self._made.setdefault((work.grant.task, name), each)


def _is_worth_it(translation: Translation) -> bool:
    return not translation.flags and 0 < len(translation.text) <= LONGEST
