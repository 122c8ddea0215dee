"""Tells from a word and the next whether a sentence ends between them; pure."""

from __future__ import annotations

import re

_CLOSING = "\"'”’»›」』】〉》)]）］}"
_END = re.compile(r"[.!?…。！？｡؟۔।॥።]$")
_CLAUSE = re.compile(r"[,;:،؛，、；：–—]$")
# Never the end of a sentence: a name or an example follows. One letter is an initial.
_LEADING = re.compile(
    r"mr|mrs|ms|dr|prof|st|gen|col|capt|sgt|lt|rev|hon|gov|sen|mme|mlle|hr|sra|dra|sta|e\.g|i\.e"
    r"|z\.b|d\.h|u\.a|vs|cf|approx|bzw|bzgl|evtl|ggf|inkl|nr|p\.ej|p\.ex|т\.е|ул|[^\W\d_i]"
)
# The end of a sentence only if the next word looks like the beginning of one.
_TRAILING = re.compile(r"etc|inc|ltd|corp|jr|sr|co|usw|etw|[ap]\.m|u\.[sk]|bros|dept|т\.д")
# Languages that write "the 3rd" as "3."
_ORDINAL = frozenset({"de", "da", "nb", "nn", "no", "fi", "cs", "sk", "hu", "hr", "sl", "et", "is"})


def ends_sentence(word: str, following: str, language: str) -> bool:
    """Whether one ends with this word; `following` is the next one, "" where none is known yet."""
    bare = word.strip().rstrip(_CLOSING)
    if not _END.search(bare) or following.strip()[:1] in tuple(_CLOSING):
        return False
    starts = following.strip().lstrip("\"'“‘«‹「『【〈《([（［¿¡-–— ")
    if starts[:1].islower():
        return False
    if not bare.endswith(".") or bare.endswith(".."):
        return True
    return not _continues(bare[:-1], language, known=bool(starts))


def ends_clause(word: str) -> bool:
    """Whether a reader may take breath behind this word."""
    return bool(_CLAUSE.search(word.strip().rstrip(_CLOSING)))


def _continues(word: str, language: str, *, known: bool) -> bool:
    """Whether the full stop behind this word only shortens it."""
    short = word.lstrip(_CLOSING + "“‘«([").lower()
    if _LEADING.fullmatch(short):
        return True
    if _TRAILING.fullmatch(short):
        return not known
    ordinal = language.split("-", maxsplit=1)[0] in _ORDINAL
    return ordinal and short.isdigit() and len(short) < 3
