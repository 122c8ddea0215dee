"""How wide a text looks: in columns, of which a wide East Asian character takes two."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

GLUE = "\u00a0\u2007\u202f"  # spaces at which no line may break
_BLANKS = re.compile(rf"[^\S{GLUE}]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_JOINER = "\u200d"  # glues what stands after it to what stands before it
_EMOJI = "\ufe0f"  # asks for the colourful form of the sign before it
_VIRAMA = 9  # the combining class of the sign that ties a consonant to the next
_AM = "\u0e33\u0eb3"  # a vowel of Thai and of Lao that stands on the letter before it, and beside
_ZERO = frozenset({"Mn", "Mc", "Me", "Cf"})


def clean(text: str) -> str:
    """One line without control characters, every run of white space a single space; nothing where
    nothing can be seen."""
    line = _UNSEEN.sub("", _BLANKS.sub(" ", text)).strip()
    return line if width(line) else ""


def clusters(text: str) -> list[str]:
    """What a reader takes for one character, each with its marks; joined again it is the text."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    for character in text:
        if found and _extends(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def width(text: str) -> int:
    """Columns on a screen: two for a wide East Asian character or an emoji, none for a mark."""
    return len(text) if text.isascii() else sum(map(columns, clusters(text)))


@lru_cache(maxsize=1 << 16)
def columns(cluster: str) -> int:
    """Those of one cluster, two at most; what a joiner joins is one picture."""
    if _EMOJI in cluster or (len(cluster) > 1 and _is_flag(cluster[0])):
        return 2
    each = [_own(character) for character in cluster]
    pictured = _JOINER in cluster or any(map(_is_tone, cluster))
    return max(each) if pictured else min(2, sum(each))


def is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}


def is_hangul(character: str) -> bool:
    return any(low <= character <= high for low, high in (("ᄀ", "ᇿ"), ("ㄱ", "ㆎ"), ("가", "힣")))


def _own(character: str) -> int:
    if unicodedata.category(character) in _ZERO or _is_vowel_of_hangul(character):
        return 0
    return 2 if is_wide(character) else 1


def _extends(cluster: str, character: str) -> bool:
    last = cluster[-1]
    if unicodedata.category(character) in _ZERO or character in _AM or _is_tone(character):
        return True
    if character.isspace() or last.isspace():
        return False
    if last == _JOINER:
        return True
    if unicodedata.combining(last) == _VIRAMA:
        return unicodedata.category(character) == "Lo"
    if _is_flag(character):
        return len(cluster) == 1 and _is_flag(cluster)
    return _is_vowel_of_hangul(character) and is_hangul(last)


def _is_tone(character: str) -> bool:
    """A colour of skin."""
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_flag(character: str) -> bool:
    """Half of one."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_vowel_of_hangul(character: str) -> bool:
    """A vowel, or a final consonant, that is written apart and shown with what stands before."""
    return "\u1160" <= character <= "\u11ff"
