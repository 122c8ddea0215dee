"""Where terms occur in a reading, what that is worth, and where they may have been misheard; pure.

A boost of b counts each token of a term as b times as likely, so it adds ln b to the reading's
log probability. That is what a bias on the decoder's own scores would add along this reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from services.model.hotwords import Hotwords

MOST_TRIED = 24  # other readings of one window
ALIKE = 50.0  # of 100: so much of its letters a stretch shares with a term that it may be one

# Scripts without spaces between words: a term may begin and end anywhere in them.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = f"[^\\W{_UNSPACED}]"
_PIECE = re.compile(f"{_LETTER}+(?:['’-]{_LETTER}+)*|[{_UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Term:
    """`worth` is what one occurrence adds to the log probability of a reading."""

    text: str
    worth: float
    seen: re.Pattern[str]
    pieces: int


@dataclass(frozen=True, slots=True)
class Swap:
    """A stretch of a text that may have been this term."""

    start: int
    end: int
    term: Term

    def applied(self, text: str) -> str:
        return text[: self.start] + self.term.text + text[self.end :]


@dataclass(slots=True)
class Bias:
    """The terms of a task, and how often each was written where something else would have
    stood."""

    terms: Sequence[Term]
    times: dict[str, int] = field(default_factory=dict)

    def worth(self, text: str) -> float:
        return sum(term.worth * len(term.seen.findall(text)) for term in self.terms)

    def occurs(self, text: str) -> bool:
        return any(term.seen.search(text) for term in self.terms)

    def note(self, before: str, after: str) -> None:
        """What stands in a text that would not have stood there."""
        for term in self.terms:
            more = len(term.seen.findall(after)) - len(term.seen.findall(before))
            if more > 0:
                self.times[term.text] = self.times.get(term.text, 0) + more

    def swaps(self, text: str) -> list[Swap]:
        """The likeliest first; none where a term stands already."""
        taken = [found.span() for term in self.terms for found in term.seen.finditer(text)]
        stretches = {
            size: list(_stretches(text, size, taken))
            for size in {each.pieces + more for each in self.terms for more in (-1, 0, 1)}
            if size > 0
        }
        found: list[tuple[float, Swap]] = []
        for term in self.terms:
            near = [s for n in (-1, 0, 1) for s in stretches.get(term.pieces + n, ())]
            written = [text[start:end].casefold() for start, end in near]
            for _, alike, index in process.extract(
                term.text.casefold(), written, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=3
            ):
                found.append((alike, Swap(*near[index], term)))
        found.sort(key=lambda each: (-each[0], each[1].start, each[1].end, each[1].term.text))
        return [swap for _, swap in found[:MOST_TRIED]]


def bias_of(hotwords: Hotwords, count: Callable[[str], int]) -> Bias:
    """`count` is how many tokens a text is. Terms with a boost of 1 change nothing."""
    return Bias(
        [
            Term(
                text=term.text.strip(),
                worth=math.log(boost) * count(f" {term.text.strip()}"),
                seen=_pattern(term.text.strip()),
                pieces=len(_PIECE.findall(term.text)),
            )
            for term in hotwords.terms
            if (boost := hotwords.boost(term)) > 1
        ]
    )


def _pattern(text: str) -> re.Pattern[str]:
    """The term as a whole word, in whatever case."""
    before = f"(?<!{_LETTER})" if re.match(_LETTER, text[0]) else ""
    behind = f"(?!{_LETTER})" if re.match(_LETTER, text[-1]) else ""
    spaced = r"\s+".join(map(re.escape, text.split()))
    return re.compile(before + spaced + behind, re.IGNORECASE)


def _stretches(text: str, size: int, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Runs of so many words, or characters where words have no spaces; none over a sign that
    ends a clause, nor over what is a term."""
    spans = [found.span() for found in _PIECE.finditer(text)]
    for first, last in zip(spans, spans[size - 1 :], strict=False):
        start, end = first[0], last[1]
        clear = all(end <= a or b <= start for a, b in taken)
        if clear and not re.search(r"[.,;:!?。，、；：！？]", text[start:end]):
            yield start, end
