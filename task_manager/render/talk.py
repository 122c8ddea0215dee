"""What was said in one go, in one language or in two, with a time for each of its units."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from services.model.errors import Invalid
from services.model.transcript import Segment, Word, is_unspaced
from task_manager.render.breaks import CLAUSE, Unit, units
from task_manager.render.columns import clean

Track = Sequence[Unit]

_PAUSE_S = 0.4  # who is silent for so long has ended a clause


@dataclass(frozen=True, slots=True)
class Talk:
    """`tracks` are the same words in one language each. `clock` is the track whose times count
    where it is cut, and `exact` whether they are those of its words; `channel` is the one it was
    heard on, if they were kept apart."""

    start: float
    end: float
    tracks: tuple[Track, ...]
    channel: int | None = None
    clock: int = 0
    exact: bool = False

    def __bool__(self) -> bool:
        return any(self.tracks)


def talk_of(segment: Segment, language: str, max_width: int) -> Talk:
    """A segment by itself. Raises Invalid `no_times` where nobody spoke it."""
    start, end = times_of(segment)
    track = spoken(segment, language, max_width)
    return Talk(start, end, (track,), segment.channel, exact=bool(segment.words))


def until(talk: Talk, end: float) -> Talk:
    """The same, said until then; the times of its units are shared anew."""
    tracks = tuple(shared(track, talk.start, end) for track in talk.tracks)
    return replace(talk, end=end, tracks=tracks)


def times_of(segment: Segment) -> tuple[float, float]:
    """Its start and its end, which is no earlier. Raises Invalid `no_times`."""
    if segment.start is None or segment.end is None:
        raise Invalid(
            "This text was never spoken, so it has no times; ask for the form txt or json.",
            code="no_times",
        )
    start = max(0.0, segment.start)
    return start, max(start, segment.end)


def spoken(segment: Segment, language: str, max_width: int) -> list[Unit]:
    """The units of a segment, timed by its words, else by their share of its columns."""
    start, end = times_of(segment)
    line = clean(segment.text)
    cut = units(line, segment.language or language, max_width)
    marks = _marks(segment.words or (), line.replace(" ", ""), start, end)
    return list(_by_marks(cut, marks)) if marks else shared(cut, start, end)


def shared(cut: Sequence[Unit], start: float, end: float) -> list[Unit]:
    """Each unit with its share of that time."""
    ends = list(accumulate((unit.columns + unit.space for unit in cut), initial=0))
    if not ends[-1]:
        return list(cut)
    scale = (end - start) / ends[-1]
    return [
        replace(unit, start=start + scale * one, end=start + scale * (one + unit.columns))
        for unit, one in zip(cut, ends, strict=False)
    ]


def joined(one: Track, other: Track, language: str) -> list[Unit]:
    """Two tracks of one language as one."""
    if not one or not other:
        return [*one, *other]
    last = one[-1]
    space = last.space or not is_unspaced(language)
    return [*one[:-1], replace(last, space=space, cost=min(last.cost, CLAUSE)), *other]


_Mark = tuple[int, float, float]  # where a word begins among what can be seen, and its times


def _marks(words: Sequence[Word], seen: str, start: float, end: float) -> list[_Mark]:
    """The words' places in the text, their times in order; none if they are another text."""
    marks: list[_Mark] = []
    told, now = "", start
    for word in words:
        if text := clean(word.text).replace(" ", ""):
            began = min(max(now, word.start), end)
            now = min(max(began, word.end), end)
            marks.append((len(told), began, now))
            told += text
    return marks if told == seen else []


def _by_marks(cut: Sequence[Unit], marks: Sequence[_Mark]) -> Iterator[Unit]:
    places = [place for place, _, _ in marks]
    place = 0
    whole = sum(len(unit.text.replace(" ", "")) for unit in cut)

    def moment(at: int, number: int) -> float:
        """The time of a place within a word, by its share of the word's characters."""
        first, start, end = marks[number]
        until = places[number + 1] if number + 1 < len(places) else whole
        return start + (end - start) * (at - first) / max(1, until - first)

    timed: list[Unit] = []
    for unit in cut:
        last = place + len(unit.text.replace(" ", ""))
        start = moment(place, bisect_right(places, place) - 1)
        end = moment(last, bisect_right(places, max(place, last - 1)) - 1)
        timed.append(replace(unit, start=start, end=max(start, end)))
        place = last
    for unit, following in zip(timed, [*timed[1:], None], strict=False):
        paused = following is not None and following.start - unit.end >= _PAUSE_S
        yield replace(unit, cost=min(unit.cost, CLAUSE)) if paused else unit
