"""Whether the numbers of a sentence are in its translation, and where they stand in the text."""

from __future__ import annotations

import re
import unicodedata

from services.spans import Kind, Span

_NUMBER = re.compile(r"\d+(?:[.,:/'’\u00a0\u202f-]\d+)*%?")
_GROUP = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")


def numbers_in(text: str) -> list[Span]:
    """Where numbers of two digits or more stand: with their separators, dates and times in one."""
    return [
        Span(match.start(), match.end(), match.group(), Kind.NUMBER)
        for match in _NUMBER.finditer(text)
        if len(_digits(match.group())) > 1
    ]


def numbers_lost(text: str, translation: str) -> bool:
    """Whether a number of two digits or more is not there.

    Digits may be written in another script, grouped otherwise or moved by zeros (50 million is
    5000万); a single digit may have become a word. Rather says too seldom than too often that one
    is lost.
    """
    there = _digits(translation)
    for group in _GROUP.findall(text):
        digits = _digits(group)
        if len(digits) > 1 and (digits.strip("0") or digits) not in there:
            return True
    return False


def _digits(text: str) -> str:
    return "".join(
        str(unicodedata.decimal(character)) for character in text if character.isdecimal()
    )
