"""How far what was heard is from the reference text."""

from __future__ import annotations

import unicodedata

from rapidfuzz.distance import Levenshtein

from services.model.transcript import Check, is_unspaced


def compare(reference: str, heard: str, language: str) -> Check:
    """Error rates of words and of characters; case, width and punctuation do not count.

    CER decides for scripts that put no spaces between words, WER for all others. The distances
    need memory for one line only, which matters for a reference of 200,000 characters.
    """
    expected, found = _words(reference), _words(heard)
    wer = _rate(expected, found)
    cer = _rate(_letters(expected, language), _letters(found, language))
    return Check(wer=wer, cer=cer, rate=cer if is_unspaced(language) else wer)


def _rate(expected: list[str] | str, found: list[str] | str) -> float:
    if not expected:
        return 1.0 if found else 0.0
    return round(Levenshtein.distance(expected, found) / len(expected), 4)


def _letters(words: list[str], language: str) -> str:
    return ("" if is_unspaced(language) else " ").join(words)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = (c if unicodedata.category(c)[0] in "LMN" or c == "'" else " " for c in plain)
    return "".join(kept).replace("'", "").split()
