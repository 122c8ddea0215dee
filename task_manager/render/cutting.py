"""Cuts lines to their width and talks to what one cue can hold: as few pieces as do, each cut
where it costs least, the pieces about as even as that allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from task_manager.render.breaks import Unit, text_of
from task_manager.render.limits import CueStyle
from task_manager.render.talk import Talk, Track, joined

_EVEN_LINES = 12.0  # the cost of a cut that leaves all on one side is half of that
_EVEN_CUES = 6.0
_SAME_PLACE = 24.0  # of the second language, which is cut where the first one was
_SHORT = 4.0  # that a piece is not shown for long enough
_PAUSE_S = 0.5  # cues that are further apart stay apart, however short they are
_ONE_MORE = 2.5  # cue than is needed, so that it can be cut elsewhere
_LEAST_COLUMNS = 12  # nobody wants a cue with less, however slowly it was said


def lines_of(track: Track, max_width: int) -> list[str]:
    """A track in lines."""
    if not track:
        return []
    count = _from_start(track, max_width)[-1]
    if count < 2:
        return [text_of(track)]
    half = count // 2
    room = half, count - half
    at = _best(track, max_width, room, _off(track, half / count, _EVEN_LINES))
    return [*lines_of(track[:at], max_width), *lines_of(track[at:], max_width)]


def cut(talk: Talk, widths: Sequence[int], style: CueStyle) -> Iterator[Talk]:
    """A talk in pieces that fit; all its tracks are cut together, so that they share their times.
    A piece that is one unit, or is said very slowly, may last too long."""
    least = _count(talk, widths, style)
    clock = _clock(talk)
    if least < 2 or clock is None:
        yield talk
        return
    lead = talk.tracks[clock]

    def best(count: int) -> tuple[float, int, tuple[int, int]]:
        half = count // 2
        room = half * style.max_lines, (count - half) * style.max_lines
        off = _off(lead, half / count, _EVEN_CUES)

        def cost(at: int) -> float:
            first, second = lead[at - 1].end - talk.start, talk.end - lead[at].start
            return off(at) + _SHORT * (min(first, second) < style.min_duration)

        at = _best(lead, widths[clock], room, cost)
        return lead[at - 1].cost + _ONE_MORE * (count - least), at, room

    _, at, room = min(best(least), best(least + 1))
    share = _columns(lead[:at]) / max(1, _columns(lead))
    places = [
        at if number == clock else _best(track, width, room, _off(track, share, _SAME_PLACE))
        for number, (track, width) in enumerate(zip(talk.tracks, widths, strict=True))
    ]
    pairs = list(zip(talk.tracks, places, strict=True))
    until, since = lead[at - 1].end, lead[at].start
    left = replace(talk, end=until, tracks=tuple(track[:place] for track, place in pairs))
    right = replace(talk, start=since, tracks=tuple(track[place:] for track, place in pairs))
    yield from cut(left, widths, style)
    yield from cut(right, widths, style)


def merged(
    talks: Sequence[Talk], languages: Sequence[str], widths: Sequence[int], style: CueStyle
) -> list[Talk]:
    """Talks of one channel; one that would flash by is shown together with a neighbour."""

    def together(one: Talk, other: Talk) -> Talk | None:
        both = _both(one, other, languages)
        short = other.start - one.end <= _PAUSE_S and both.end - both.start <= style.max_duration
        return both if short and _count(both, widths, style) < 2 else None

    found: list[Talk] = []
    for talk, following in zip(talks, [*talks[1:], None], strict=False):
        ahead = following is not None and _flashes(talk, following, style)
        if found and (
            _flashes(found[-1], talk, style)
            or (ahead and following is not None and together(talk, following) is None)
        ):
            both = together(found[-1], talk)
            if both is not None:
                found[-1] = both
                continue
        found.append(talk)
    return found


def _flashes(talk: Talk, following: Talk, style: CueStyle) -> bool:
    """Whether the following one takes a talk off the screen before it can be read."""
    return following.start - talk.start < style.min_duration


def _both(one: Talk, other: Talk, languages: Sequence[str]) -> Talk:
    tracks = zip(one.tracks, other.tracks, languages, strict=True)
    end = max(one.end, other.end)
    return replace(one, end=end, tracks=tuple(joined(*each) for each in tracks))


def _count(talk: Talk, widths: Sequence[int], style: CueStyle) -> int:
    """The cues that a talk takes."""
    pairs = zip(talk.tracks, widths, strict=True)
    lines = [_from_start(track, width)[-1] for track, width in pairs if track]
    high = math.ceil(max(lines, default=1) / style.max_lines)
    long = math.ceil((talk.end - talk.start) / style.max_duration - 1e-9)
    enough = max(map(_columns, talk.tracks)) // _LEAST_COLUMNS
    return max(high, min(long, enough))


def _clock(talk: Talk) -> int | None:
    """The track to cut by: the one whose times count, else one that can be cut."""
    able = [number for number, track in enumerate(talk.tracks) if len(track) > 1]
    return talk.clock if talk.clock in able else next(iter(able), None)


def _best(track: Track, max_width: int, room: tuple[int, int], cost: Callable[[int], float]) -> int:
    """How many units go to the left: where a cut costs least, if each side fits its lines then.
    All of them, where there is nothing to cut."""
    if len(track) < 2:
        return len(track)
    left, right = room
    before, behind = _from_start(track, max_width), _from_end(track, max_width)
    able = [at for at in range(1, len(track)) if before[at - 1] <= left and behind[at] <= right]
    return min(able or range(1, len(track)), key=lambda at: track[at - 1].cost + cost(at))


def _off(track: Track, share: float, pull: float) -> Callable[[int], float]:
    """What it costs not to have that share of the columns to the left."""
    ends = list(accumulate(unit.columns + unit.space for unit in track))
    return lambda at: pull * abs(ends[at - 1] / max(1, ends[-1]) - share)


def _from_start(track: Track, max_width: int) -> list[int]:
    """For each unit, the lines that all up to it take."""
    return _filled([unit.columns for unit in track], [unit.space for unit in track], max_width)


def _from_end(track: Track, max_width: int) -> list[int]:
    """For each unit, the lines that it and all behind it take."""
    spaces = [False, *(unit.space for unit in track[:-1])]
    lines = _filled([unit.columns for unit in track[::-1]], spaces[::-1], max_width)
    return lines[::-1]


def _filled(columns: Sequence[int], spaces: Sequence[bool], max_width: int) -> list[int]:
    """Lines taken so far, where each is filled as far as it goes."""
    lines, taken, space = 1, 0, False
    counts = []
    for own, following in zip(columns, spaces, strict=True):
        if taken and taken + space + own > max_width:
            lines, taken = lines + 1, own
        else:
            taken += space * bool(taken) + own
        space = following
        counts.append(lines)
    return counts


def _columns(track: Sequence[Unit]) -> int:
    return sum(unit.columns + unit.space for unit in track)
