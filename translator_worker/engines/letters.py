"""Which script letters are of, by their names in Unicode; pure."""

from __future__ import annotations

import unicodedata

from services.model.languages import script_of

# How the names of a script's letters begin in Unicode.
_NAMES = {
    "Arab": ("ARABIC",), "Armn": ("ARMENIAN",), "Beng": ("BENGALI",), "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",), "Ethi": ("ETHIOPIC",), "Geor": ("GEORGIAN",), "Grek": ("GREEK",),
    "Gujr": ("GUJARATI",), "Guru": ("GURMUKHI",), "Hans": ("CJK",), "Hant": ("CJK",),
    "Hebr": ("HEBREW",), "Jpan": ("CJK", "HIRAGANA", "KATAKANA"), "Khmr": ("KHMER",),
    "Knda": ("KANNADA",), "Kore": ("HANGUL", "CJK"), "Laoo": ("LAO",), "Latn": ("LATIN",),
    "Mlym": ("MALAYALAM",), "Mymr": ("MYANMAR",), "Sinh": ("SINHALA",), "Taml": ("TAMIL",),
    "Telu": ("TELUGU",), "Thai": ("THAI",), "Tibt": ("TIBETAN",),
}  # fmt: skip

# What some languages are written in as well.
_ALSO = {
    "az": "Cyrl", "bs": "Cyrl", "ha": "Arab", "jv": "Arab", "kk": "Latn", "mn": "Latn",
    "ms": "Arab", "pa": "Arab", "ro": "Cyrl", "sd": "Deva", "so": "Arab", "sr": "Latn",
    "su": "Arab", "tg": "Arab", "tk": "Cyrl", "tt": "Latn", "ug": "Cyrl", "uz": "Cyrl",
}  # fmt: skip


def is_written_in(text: str, script: str) -> bool:
    """Whether most letters are of that script; also where there are none, or it is not known."""
    names = _NAMES.get(script)
    letters = [letter for letter in text if letter.isalpha()]
    if names is None or not letters:
        return True
    return 2 * sum(_is_of(letter, names) for letter in letters) >= len(letters)


def weight(text: str) -> int:
    """Of its letters: bytes of UTF-8, which say as much in Chinese as in English."""
    return sum(len(letter.encode()) for letter in text if letter.isalpha())


def own_weight(text: str, language: str) -> int:
    """Of the letters that the language is written with. Korean needs no Chinese ones."""
    scripts = [script_of(language), *filter(None, [_ALSO.get(language)])]
    names = tuple(name for script in scripts for name in _NAMES.get(script, ("",)))
    if language == "ko":
        names = ("HANGUL",)
    return sum(len(each.encode()) for each in text if each.isalpha() and _is_of(each, names))


def han_in(text: str) -> str:
    return "".join(each for each in text if _is_of(each, ("CJK",)))


def kana_in(text: str) -> str:
    return "".join(each for each in text if _is_of(each, ("HIRAGANA", "KATAKANA")))


def _is_of(letter: str, names: tuple[str, ...]) -> bool:
    return unicodedata.name(letter, "").startswith(names)
