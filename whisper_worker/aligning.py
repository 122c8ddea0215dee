"""Two sequences side by side: exactly where they are short, in windows cut at what they share
where they are long.

The exact alignment takes time in the product of both lengths, and nothing else can run meanwhile;
so no window has a larger product than `LARGEST`. Memory grows with the lengths only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias, cast

from rapidfuzz.distance import Levenshtein

from services.model.transcript import Edits

LARGEST = 100_000_000  # 10,000 words against as many take some 0.1 s

_GRAM = 6  # words or characters in a row that, said twice in the same order, are the same place
_ONE_IN = 4  # of them is looked at, chosen by what it says, so in both sequences the same

Kind: TypeAlias = Literal["equal", "replace", "insert", "delete"]
Cut: TypeAlias = tuple[int, int]
Window: TypeAlias = tuple[Cut, Cut]  # from here to there, in both sequences


class Trust(NamedTuple):
    """What is said at most so `often`, and so far `away` from what is said more than once, is
    taken for the same place in both."""

    often: int
    away: int


# A chapter that was read twice has no place for sure within: each half may be the one to keep. Few
# of its words are looked at, and some were misheard, so it may begin many words before it shows.
_TRUSTS = (
    Trust(often=1, away=100),
    Trust(often=1, away=50),
    Trust(often=1, away=0),
    Trust(often=4, away=-1),
)


@dataclass(frozen=True, slots=True)
class Run:
    """[start, end) of what was expected became [heard_start, heard_end) of what was found."""

    kind: Kind
    start: int
    end: int
    heard_start: int
    heard_end: int


def align(
    expected: Sequence[int],
    found: Sequence[int],
    *,
    largest: int = LARGEST,
    pause: Callable[[], None] = lambda: None,
) -> Iterator[Run]:
    """How one becomes the other, in order; `pause` is called before each window."""
    whole = ((0, 0), (len(expected), len(found)))
    windows = _windows(expected, found, whole, largest, _TRUSTS)
    return _joined(_aligned(expected, found, windows, pause))


def align_letters(
    expected: str,
    found: str,
    cuts: Iterable[Cut],
    *,
    largest: int = LARGEST,
    pause: Callable[[], None] = lambda: None,
) -> Iterator[Run]:
    """The same of characters, where it is known at which places both may be cut."""
    whole = ((0, 0), (len(expected), len(found)))
    windows: Iterable[Window] = [whole]
    if _product(whole) > largest:
        cut = _between(cuts, whole, largest)
        windows = (piece for each in cut for piece in _pieces(each, largest))
    return _joined(_aligned(expected, found, windows, pause))


def cuts(runs: Iterable[Run]) -> Iterator[Cut]:
    """Places within runs that are equal and long enough to be no chance."""
    for run in runs:
        if run.kind == "equal":
            for past in range(_GRAM // 2, run.end - run.start - _GRAM // 2 + 1, _GRAM):
                yield run.start + past, run.heard_start + past


def count(runs: Iterable[Run], length: int) -> Edits:
    """Hits, substitutions, insertions and deletions."""
    sums: dict[Kind, int] = {"equal": 0, "replace": 0, "insert": 0, "delete": 0}
    for run in runs:
        sums[run.kind] += max(run.end - run.start, run.heard_end - run.heard_start)
    return Edits(
        hits=sums["equal"],
        substitutions=sums["replace"],
        insertions=sums["insert"],
        deletions=sums["delete"],
        length=length,
    )


def _aligned(
    expected: Sequence[Hashable],
    found: Sequence[Hashable],
    windows: Iterable[Window],
    pause: Callable[[], None],
) -> Iterator[Run]:
    for (start, heard_start), (end, heard_end) in windows:
        pause()
        for op in Levenshtein.opcodes(expected[start:end], found[heard_start:heard_end]):
            yield Run(
                cast("Kind", op.tag),
                start + op.src_start,
                start + op.src_end,
                heard_start + op.dest_start,
                heard_start + op.dest_end,
            )


def _joined(runs: Iterable[Run]) -> Iterator[Run]:
    """Equal runs that touch are one; a window may have ended between them."""
    last: Run | None = None
    for run in runs:
        if last is not None and last.kind == run.kind == "equal":
            last = replace(last, end=run.end, heard_end=run.heard_end)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last


# ── windows ──────────────────────────────────────────────────────────────────────────────────


def _windows(
    expected: Sequence[int],
    found: Sequence[int],
    window: Window,
    largest: int,
    trusts: Sequence[Trust],
) -> Iterator[Window]:
    """Cut at the surest places; what is still too large, at those less sure; at last anywhere."""
    if _product(window) <= largest:
        yield window
    elif not trusts:
        yield from _pieces(window, largest)
    else:
        shared = _shared(expected, found, window, trusts[0])
        for each in _between(shared, window, largest):
            yield from _windows(expected, found, each, largest, trusts[1:])


def _between(cuts: Iterable[Cut], whole: Window, largest: int) -> Iterator[Window]:
    """Windows that are cut as seldom as their size allows; one between two cuts may be too
    large."""
    start, end = whole
    fits = start
    for cut in (*cuts, end):
        if fits != start and _product((start, cut)) > largest:
            yield start, fits
            start = fits
        if _product((start, cut)) > largest:
            yield start, cut
            start = cut
        fits = cut
    if start != end:
        yield start, end


def _pieces(window: Window, largest: int) -> Iterator[Window]:
    """Even pieces that are small enough, where nothing tells where to cut."""
    (start, heard_start), (end, heard_end) = window
    number = math.isqrt(max(0, _product(window) - 1) // largest) + 1
    rise, heard_rise = (end - start) / number, (heard_end - heard_start) / number
    edges = [
        (start + round(rise * each), heard_start + round(heard_rise * each))
        for each in range(number + 1)
    ]
    return pairwise(edges)


def _product(window: Window) -> int:
    (start, heard_start), (end, heard_end) = window
    return (end - start) * (heard_end - heard_start)


def _shared(
    expected: Sequence[int], found: Sequence[int], window: Window, trust: Trust
) -> list[Cut]:
    """The middles of what both say in the same order."""
    (start, heard_start), (end, heard_end) = window
    said, heard = _grams(expected, start, end), _grams(found, heard_start, heard_end)
    alone, heard_alone = _Alone(said), _Alone(heard)
    pairs = [
        (heard_at, at)
        for gram, places in said.items()
        for at in places
        for heard_at in heard.get(gram, ())
        if max(len(places), len(heard[gram])) <= trust.often
        and alone.holds(at, trust.away)
        and heard_alone.holds(heard_at, trust.away)
    ]
    pairs.sort(key=lambda pair: (pair[0], -pair[1]))
    half = _GRAM // 2
    return [(at + half, heard_at + half) for heard_at, at in _rising(pairs)]


class _Alone:
    """Knows where something stands that is said again elsewhere."""

    def __init__(self, grams: Mapping[int, Sequence[int]]) -> None:
        self._again = sorted(at for places in grams.values() if len(places) > 1 for at in places)

    def holds(self, at: int, away: int) -> bool:
        """Whether nothing so near is said again."""
        first = bisect_left(self._again, at - away)
        return first == len(self._again) or self._again[first] > at + away


def _grams(words: Sequence[int], start: int, end: int) -> dict[int, list[int]]:
    """Where each run of `_GRAM` words begins, by its hash: one in `_ONE_IN`, chosen by what it
    says, so that both sequences choose the same."""
    found: dict[int, list[int]] = defaultdict(list)
    for at in range(start, end - _GRAM + 1):
        gram = hash(tuple(words[at : at + _GRAM]))
        if gram % _ONE_IN == 0:
            found[gram].append(at)
    return found


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain in which both numbers rise; pairs come by the first, and those of the
    same first by the second falling."""
    tails: list[int] = []  # the least second number that ends a chain of each length
    ends: list[int] = []  # whose it is
    before: list[int] = []
    for number, (_, second) in enumerate(pairs):
        length = bisect_left(tails, second)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [second]
        ends[length : length + 1] = [number]
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]
