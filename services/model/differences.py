"""Where what was heard and the reference text part, place by place."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.model.values import Stored

MOST_PLACES = 10_000  # are kept of one item; a script that is another one altogether has more

Op = Literal["substitution", "insertion", "deletion"]


class Difference(Stored):
    """A run of words that is not as expected: others, more, or none at all.

    `expected` is that stretch of the reference as it is written there, [`start`, `end`) its
    characters; `heard` is what was heard in its place, [`heard_start`, `heard_end`) in the
    transcript's text. `from_s` and `to_s` are where in the audio, as near as words or else
    segments tell.
    """

    op: Op
    expected: str
    heard: str
    start: int
    end: int
    heard_start: int
    heard_end: int
    from_s: float | None = None
    to_s: float | None = None


class Differences(Stored):
    """The first `MOST_PLACES` of all `count` places, in order."""

    count: int = 0
    places: list[Difference] = Field(default_factory=list)
