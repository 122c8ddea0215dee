"""Each sentence is translated once: not again what is remembered, nor what comes twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.model.remembered import LONGEST
from services.worker.work import Work
from translator_worker.depending import digest
from translator_worker.engines import Row, Translation

Make = Callable[[list[int]], Sequence[Translation]]
"""Translates rows of the job, by number, and answers in their order."""


def one_by_one(
    rows: Sequence[Row], on: str, work: Work, make: Make
) -> tuple[list[Translation], int]:
    """A translation for each row, and how many were remembered, where each row stands for itself
    and depends `on` that. What comes twice is made once."""
    names = [digest(row, on) for row in rows]
    known = _recalled(names, work)
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        first.setdefault(name, number)
    numbers = [number for name, number in first.items() if name not in known]
    made = _made(names, numbers, work, make)
    return [known.get(name) or made[first[name]] for name in names], sum(n in known for n in names)


def together(
    rows: Sequence[Row], on: str, beside: int, work: Work, make: Make
) -> tuple[list[Translation], int]:
    """The same where rows explain each other: each is known again between the same neighbours
    only, so many before and after it, and all are made anew unless all are known."""
    texts = [row.text for row in rows]
    names = [
        digest(row, on, [texts[max(0, n - beside) : n], texts[n + 1 : n + 1 + beside]])
        for n, row in enumerate(rows)
    ]
    known = _recalled(names, work)
    if all(name in known for name in names):
        return [known[name] for name in names], len(names)
    made = _made(names, list(range(len(names))), work, make)
    return list(made.values()), 0


def _recalled(names: Sequence[str], work: Work) -> dict[str, Translation]:
    known = work.recall(list(dict.fromkeys(names)))
    return {name: Translation(text) for name, text in known.items()}


def _made(
    names: Sequence[str], numbers: list[int], work: Work, make: Make
) -> dict[int, Translation]:
    """By number. What nothing looks wrong with is told, to be remembered."""
    made = dict(zip(numbers, make(numbers) if numbers else (), strict=True))
    work.remember({names[n]: each.text for n, each in made.items() if _is_worth_it(each)})
    return made


def _is_worth_it(translation: Translation) -> bool:
    return not translation.flags and 0 < len(translation.text) <= LONGEST
