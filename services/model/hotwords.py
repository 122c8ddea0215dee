"""Terms that a speech model is to expect: how it is told of them, and what that came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pydantic import Field

from services.model.values import Stored

MAX_TERMS = 1000
MAX_TERM = 100  # characters
LEAST_BOOST, MOST_BOOST = 1.0, 10.0
BOOST = 1.5
ROOM = 223  # tokens before the words of a window: half of Whisper's 448 less one

Method = Literal["prompt", "bias"]


class Term(Stored):
    """A name or a phrase; without a `boost` of its own it has that of all."""

    text: str
    boost: float | None = Field(default=None, ge=LEAST_BOOST, le=MOST_BOOST)


class Hotwords(Stored):
    """`prompt`: the terms stand before each window, as if they had just been said. `bias`: among
    the readings of a window those with a term gain, as if each token of it were so many times as
    likely. `taken_from` is the stored list, with its revision, that some of them were copied from.
    """

    terms: list[Term]
    method: Method = "prompt"
    boost_factor: float = Field(default=BOOST, ge=LEAST_BOOST, le=MOST_BOOST)
    taken_from: str = ""

    @property
    def texts(self) -> list[str]:
        return [term.text for term in self.terms]

    def boost(self, term: Term) -> float:
        return self.boost_factor if term.boost is None else term.boost


class Boosted(Stored):
    """A term that the bias wrote down so often where something else would have stood."""

    term: str
    times: int


class Hinted(Stored):
    """What came of the terms: `dropped` are those for which there was no room. That a term was
    applied says that the model was told of it, not that anybody has said it."""

    method: Method
    applied: list[str] = Field(default_factory=list)
    dropped: list[str] = Field(default_factory=list)
    boosted: list[Boosted] = Field(default_factory=list)


def fitting(terms: Sequence[str], count: Callable[[str], int]) -> tuple[list[str], list[str], int]:
    """Which terms there is room for before a window, which not, and what room is left: in their
    order, and one that is too long leaves room for later ones."""
    room = ROOM
    kept: list[str] = []
    dropped: list[str] = []
    for term in terms:
        size = count(f" {term},")
        (kept if size <= room else dropped).append(term)
        room -= size if size <= room else 0
    return kept, dropped, room


def joined(parts: Iterable[Hinted]) -> Hinted | None:
    """What came of the terms in a whole recording, of what came of them in its parts."""
    found = list(parts)
    if not found:
        return None
    times: dict[str, int] = {}
    for each in (boosted for part in found for boosted in part.boosted):
        times[each.term] = times.get(each.term, 0) + each.times
    return Hinted(
        method=found[0].method,
        applied=found[0].applied,
        dropped=found[0].dropped,
        boosted=[Boosted(term=term, times=count) for term, count in times.items()],
    )
