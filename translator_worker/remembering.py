"""Each sentence is translated once: not again what is remembered, nor what comes twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.model.remembered import LONGEST
from services.worker.work import Work
from translator_worker.depending import digest
from translator_worker.engines import Row, Translation

Make = Callable[[list[int]], Sequence[Translation]]
"""Translates rows of the job, by number, and answers in their order."""


class Once:
    """The rows of a job, each of which stands for itself and depends `on` that: `numbers` are
    those to be made, once what comes twice, and the others are `recalled`."""

    def __init__(self, rows: Sequence[Row], on: str, work: Work) -> None:
        self._names = [digest(row, on) for row in rows]
        self._work = work
        self._known = _recalled(self._names, work)
        first: dict[str, int] = {}
        for number, name in enumerate(self._names):
            first.setdefault(name, number)
        self.numbers = [number for name, number in first.items() if name not in self._known]
        self.recalled = sum(name in self._known for name in self._names)

    def completed(self, made: Sequence[Translation]) -> list[Translation]:
        """A translation for each row, those of `numbers` being these."""
        new = _kept(self._names, dict(zip(self.numbers, made, strict=True)), self._work)
        known = self._known | {self._names[number]: each for number, each in new.items()}
        return [known[name] for name in self._names]


def together(
    rows: Sequence[Row], on: str, beside: int, work: Work, make: Make
) -> tuple[list[Translation], int]:
    """A translation for each row, and how many were remembered, where rows explain each other:
    each is known again between the same neighbours
    only, so many before and after it, and all are made anew unless all are known."""
    texts = [row.text for row in rows]
    names = [
        digest(row, on, [texts[max(0, n - beside) : n], texts[n + 1 : n + 1 + beside]])
        for n, row in enumerate(rows)
    ]
    known = _recalled(names, work)
    if all(name in known for name in names):
        return [known[name] for name in names], len(names)
    made = make(list(range(len(names)))) if names else []
    return list(_kept(names, dict(enumerate(made)), work).values()), 0


def _recalled(names: Sequence[str], work: Work) -> dict[str, Translation]:
    known = work.recall(list(dict.fromkeys(names)))
    return {name: Translation(text) for name, text in known.items()}


def _kept(names: Sequence[str], made: dict[int, Translation], work: Work) -> dict[int, Translation]:
    """By number. What nothing looks wrong with is told, to be remembered."""
    work.remember({names[n]: each.text for n, each in made.items() if _is_worth_it(each)})
    return made


def _is_worth_it(translation: Translation) -> bool:
    return not translation.flags and 0 < len(translation.text) <= LONGEST
