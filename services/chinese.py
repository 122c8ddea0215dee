"""Writes Chinese in the characters of its language, by OpenCC, which nothing else touches.

Traditional is what Taiwan writes (為, 裡, 著), without its own words for things. A text that is
written so already, or half of it, comes out the same; a character stays one character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise

import opencc

from services.model.scripts import SIMPLIFIED, TRADITIONAL

_WAYS = {SIMPLIFIED: "tw2s", TRADITIONAL: "s2tw"}

# OpenCC ends at a NUL, and cannot read half of a character.
_READABLE = re.compile(r"[^\x00\ud800-\udfff]+")


def written_in(text: str, language: str) -> str:
    """The text in Simplified characters for zh, in Traditional ones for zh-Hant; as it is for any
    other language."""
    way = _WAYS.get(language)
    if way is None:
        return text
    return _READABLE.sub(lambda found: _converter(way).convert(found[0]), text)


def pieces_written_in(pieces: Sequence[str], language: str) -> list[str]:
    """The same of a text in pieces, cut where it was cut: which character is meant may depend on
    the pieces around it."""
    whole = written_in("".join(pieces), language)
    ends = [0, *accumulate(len(piece) for piece in pieces)]
    return [whole[start:end] for start, end in pairwise(ends)]


@cache
def _converter(way: str) -> opencc.OpenCC:
    return opencc.OpenCC(way)
