"""Takes what is no language out of a sentence and puts it back into the translation; pure.

Two ways: with a placeholder for each span, which a model may carry along, or not; and in pieces,
the words between the spans by themselves, which works with every model and reads worse.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice, pairwise

from services.model.transcript import is_unspaced
from services.spans import Kind, Span

_MARK = re.compile(r"[\[［【]\s*(\d{1,9})\s*[\]］】]")  # models like to widen brackets
_DIGITS = re.compile(r"\d+")
_UNSPACED = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_SPACES = re.compile(r"\s*")
_OPENING = "([{<\"'“‘«„‚（［｛「『《〈【¿¡"


@dataclass(frozen=True, slots=True)
class Masked:
    """A sentence with placeholders; `numbers` are theirs, in the order of the spans."""

    text: str
    numbers: Sequence[int]


def masked(text: str, spans: Sequence[Span]) -> Masked:
    """Placeholders like `[1]`, with numbers that the text itself does not have."""
    taken = set(_DIGITS.findall(text))
    numbers = list(islice((n for n in count(1) if str(n) not in taken), len(spans)))
    marked = ""
    for gap, span, number in zip(gaps(text, spans), spans, numbers, strict=False):
        inner = span.kind is Kind.MARKUP
        before = " " if inner and (marked + gap)[-1:].strip() else ""
        after = " " if inner and text[span.end : span.end + 1].strip() else ""
        marked += f"{gap}{before}[{number}]{after}"
    return Masked(marked + text[spans[-1].end :] if spans else text, numbers)


def restored(made: Masked, translation: str, text: str, spans: Sequence[Span]) -> str | None:
    """The translation with the spans in it; None if a placeholder is missing, doubled, invented,
    or out of an order that counts."""
    by_number = dict(zip(made.numbers, spans, strict=True))
    own = set(_DIGITS.findall(text))
    found: list[tuple[re.Match[str], Span]] = []
    for mark in _MARK.finditer(translation):
        span = by_number.get(int(mark.group(1)))
        if span is not None:
            found.append((mark, span))
        elif mark.group(1) not in own:
            return None
    if not _are_all([span for _, span in found], spans):
        return None
    whole: list[str] = []
    position = 0
    for mark, span in found:
        glued = span.kind is Kind.MARKUP
        before = translation[position : mark.start()]
        bare = before.rstrip()
        if (glued and not _is_space(text, span.start - 1)) or _closes(bare, span.put):
            before = bare
        whole += [before, span.put]
        position = mark.end()
        following = _end_of_space(translation, position)
        if (glued and not _is_space(text, span.end)) or _closes(
            span.put, translation[following : following + 1]
        ):
            position = following
    return "".join([*whole, translation[position:]])


def _are_all(found: Sequence[Span], spans: Sequence[Span]) -> bool:
    """Whether they are there once each, and in order where that counts."""
    starts = [span.start for span in found]
    in_order = [span.start for span in found if span.ordered]
    return sorted(starts) == [span.start for span in spans] and in_order == sorted(in_order)


def stands(spans: Sequence[Span], translation: str) -> bool:
    """Whether each stands in a translation that was made without placeholders, as often."""
    wanted = Counter(span.put for span in spans)
    return all(translation.count(put) >= times for put, times in wanted.items())


@dataclass(frozen=True, slots=True)
class Piece:
    """Words between two spans, and what surrounds them and is not translated."""

    before: str
    words: str
    after: str


def pieces(text: str, spans: Sequence[Span]) -> list[Piece]:
    """One more than there are spans. `words` is "" where nothing is to be translated."""
    return [_piece(gap) for gap in gaps(text, spans)]


def rejoined(
    parts: Sequence[Piece], words: Sequence[str], spans: Sequence[Span], *, source: str, target: str
) -> str:
    """The sentence from its spans and the translated words of its pieces."""
    whole = ""
    put, is_word = "", False  # of the span before
    for number, (part, translated) in enumerate(zip(parts, words, strict=True)):
        piece = part.before + translated + part.after
        if _closes(put, piece.lstrip()[:1]):
            piece = piece.lstrip()
        if is_word and piece[:1].isalnum():
            whole += _joint(source, target)
        whole += piece
        if number == len(spans):
            break
        follows_word = whole[-1:].isalnum() if piece else is_word
        put, is_word = spans[number].put, spans[number].kind is not Kind.MARKUP
        if _closes(whole.rstrip()[-1:], put):
            whole = whole.rstrip()
        elif is_word and follows_word:
            whole += _joint(source, target)
        whole += put
    return whole


def _joint(source: str, target: str) -> str:
    """What has to be between two words that nothing kept apart where they come from."""
    return " " if is_unspaced(source) and not is_unspaced(target) else ""


def _closes(before: str, after: str) -> bool:
    """Whether two texts meet in a script that has no spaces."""
    return bool(_UNSPACED.match(before[-1:]) and _UNSPACED.match(after[:1]))


def gaps(text: str, spans: Sequence[Span]) -> Iterator[str]:
    """The text before, between and behind the spans."""
    ends = [0, *(end for span in spans for end in (span.start, span.end)), len(text)]
    for number, (first, last) in enumerate(pairwise(ends)):
        if number % 2 == 0:
            yield text[first:last]


def _piece(gap: str) -> Piece:
    """A stop at the end belongs to the words, a comma at the beginning does not."""
    letters = [place for place, character in enumerate(gap) if character.isalpha()]
    if not letters:
        return Piece(gap, "", "")
    first = next(place for place, character in enumerate(gap) if character.isalnum())
    last = len(gap.rstrip().rstrip(_OPENING).rstrip())
    return Piece(gap[:first], gap[first:last], gap[last:])


def _end_of_space(text: str, place: int) -> int:
    match = _SPACES.match(text, place)
    return place if match is None else match.end()


def _is_space(text: str, place: int) -> bool:
    return 0 <= place < len(text) and text[place].isspace()
