"""Names that nobody has, made of open syllables, and sentences of the grammar in which they act.

There are hundreds of thousands. One in ten, chosen by a stable hash, is held out: training never
sees it, so that what is measured on these is how a model takes in a name that it is only told.
"""

from __future__ import annotations

import random
import re
import zlib

from demo.grammar import sentences

_ONSETS = (*"bdfgklmnprstvz", "br", "dr", "gr", "tr")
_VOWELS = ["a", "e", "i", "o", "u"]
_CODAS = ("", "", "", "n", "r", "l", "s")
_HELD_OUT_ONE_IN = 10
_SOMEBODY = re.compile(r"\b(?:Anna|Peter|Maria|Thomas)\b")

# Pieces of names: from its first letter on, with the space before it, or from inside.
_VOWEL, _ONSET = f"[{''.join(_VOWELS)}]", f"(?:{'|'.join(_ONSETS)})"
_FIRST = f"(?:{'|'.join(onset.capitalize() for onset in _ONSETS)})"
_BEGINNING = f" (?:{_FIRST}(?:{_VOWEL}{_ONSET}){{0,3}}{_VOWEL}?)?"
_INSIDE = f"{_VOWEL}?(?:{_ONSET}{_VOWEL}){{0,3}}{_ONSET}?"
_PIECE = re.compile(f"{_BEGINNING}|{_INSIDE}")


def is_held_out(name: str) -> bool:
    """Whether training must never see this name."""
    return zlib.crc32(name.encode()) % _HELD_OUT_ONE_IN == 0


def may_be_part(piece: str) -> bool:
    """Whether this may be a stretch of some name as it stands in a text, behind a space. True for
    each stretch of each name, and for little else."""
    return bool(piece) and _PIECE.fullmatch(piece) is not None


def names(count: int, *, seed: int, held_out: bool) -> list[str]:
    """Distinct names of two or three syllables, the same for the same seed."""
    source = random.Random(f"names/{seed}/{held_out}")
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = [
            source.choice(_ONSETS) + source.choice(_VOWELS) for _ in range(source.choice((2, 3)))
        ]
        name = ("".join(syllables) + source.choice(_CODAS)).capitalize()
        if is_held_out(name) == held_out:
            found.setdefault(name)
    return list(found)


def named_sentences(count: int, *, seed: int, held_out: bool) -> list[tuple[str, str]]:
    """English sentences with a made-up name in them, and that name."""
    pool = iter(names(count, seed=seed, held_out=held_out))
    found: list[tuple[str, str]] = []
    batch = 0
    while len(found) < count:
        batch += 1
        for sentence in sentences(4 * count, seed=seed * 1000 + batch, held_out=held_out):
            text = sentence.text("en")
            if len(found) < count and _SOMEBODY.search(text):
                name = next(pool)
                found.append((_SOMEBODY.sub(name, text, count=1), name))
    return found
