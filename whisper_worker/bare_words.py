"""Text without what does not count in a check: bare words, and where in the text each stands.

NFKC makes wide, narrow and ligated letters plain, then case is folded. Letters, marks and digits
stay; apostrophes and invisible signs go without a trace; everything else parts words. A character
of a script that writes no spaces is a word of its own. Numbers stay as they are written.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

_APOSTROPHES = frozenset("'’‘ʼʻ`´＇")
_ZERO_WIDTH_SPACE = "\u200b"
_JAMO_AFTER_THE_FIRST = range(0x1160, 0x1200)

# First and last code points of the scripts that put no spaces between words, in rising order.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # Han marks of repetition and zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # small Katakana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Burmese
    (0xAA60, 0xAA7F),  # Burmese
    (0xF900, 0xFAFF),  # Han
    (0x20000, 0x323AF),  # Han
)
_FIRSTS = [first for first, _ in _UNSPACED]


@dataclass(slots=True)
class BareWords:
    """Words in order; `spans` are their [start, end) in the text. `parted` says of each whether
    something that is no letter stands before it; `unspaced` counts those of scripts without
    spaces."""

    words: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    parted: list[bool] = field(default_factory=list)
    unspaced: int = 0

    def add(self, letters: list[str], start: int, end: int) -> None:
        self.words.append("".join(letters))
        self.spans.append((start, end))

    def letters(self, *, spaced: bool) -> tuple[str, list[int]]:
        """All words as one string, with or without spaces, and where in it each one begins."""
        pieces: list[str] = []
        begins, length = [], 0
        for word, parted in zip(self.words, self.parted, strict=True):
            if spaced and parted and length:
                pieces.append(" ")
                length += 1
            begins.append(length)
            pieces.append(word)
            length += len(word)
        return "".join(pieces), begins


def bare_words(text: str) -> BareWords:
    """The words of a text that count."""
    found = BareWords()
    word: list[str] = []
    begin = end = 0
    parted, single = True, False  # whether the open word ended, or is one character of its own
    for letter, start, after in _letters(text):
        if letter == " ":
            parted = True
            continue
        unspaced = is_of_unspaced_script(letter)
        mark = unicodedata.category(letter)[0] == "M"
        if not word or parted or not (mark or not (single or unspaced)):
            if word:
                found.add(word, begin, end)
            found.parted.append(parted)
            found.unspaced += unspaced
            word, begin, parted, single = [], start, False, unspaced
        word.append(letter)
        end = after
    if word:
        found.add(word, begin, end)
    return found


def is_of_unspaced_script(letter: str) -> bool:
    """Whether the script of a character puts no spaces between words."""
    code = ord(letter)
    place = bisect_right(_FIRSTS, code) - 1
    return place >= 0 and code <= _UNSPACED[place][1]


def _letters(text: str) -> Iterator[tuple[str, int, int]]:
    """Each character that counts, and a space for what parts words, with the [start, end) that
    it comes from: a letter with its marks is one, so that what is composed stays composed."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _goes_with_the_last(text[end]):
            end += 1
        for letter in _bare(text[start:end]):
            yield letter, start, end
        start = end


@lru_cache(maxsize=1 << 14)
def _goes_with_the_last(letter: str) -> bool:
    first = unicodedata.normalize("NFKD", letter)[0]
    if letter in _APOSTROPHES:
        return False
    return unicodedata.category(first)[0] == "M" or ord(first) in _JAMO_AFTER_THE_FIRST


@lru_cache(maxsize=1 << 14)
def _bare(cluster: str) -> str:
    if cluster[0] in _APOSTROPHES:
        return ""
    plain = unicodedata.normalize("NFKC", cluster).casefold()
    return "".join(map(_kept, unicodedata.normalize("NFKC", plain)))


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if letter in _APOSTROPHES or (category == "Cf" and letter != _ZERO_WIDTH_SPACE):
        return ""
    return letter if category[0] in "LMN" else " "
