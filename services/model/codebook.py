"""The published code book: languages as small integers, append-only, versioned.

A number never changes its meaning. A new language takes the next free number and raises the
version; packs name the version they were written with.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODEBOOK_VERSION = 1

BOOK: Mapping[int, str] = MappingProxyType(
    {
        1: "zh",
        2: "en",
        3: "ja",
        4: "de",
        5: "fr",
        6: "es",
        7: "ko",
        8: "zh-Hant",
        9: "ru",
        10: "pt",
        11: "it",
        12: "ar",
        13: "hi",
        14: "af",
        15: "am",
        16: "as",
        17: "az",
        18: "ba",
        19: "be",
        20: "bg",
        21: "bn",
        22: "bo",
        23: "br",
        24: "bs",
        25: "ca",
        26: "cs",
        27: "cy",
        28: "da",
        29: "el",
        30: "et",
        31: "eu",
        32: "fa",
        33: "fi",
        34: "fil",
        35: "fo",
        36: "gl",
        37: "gu",
        38: "ha",
        39: "haw",
        40: "he",
        41: "hr",
        42: "ht",
        43: "hu",
        44: "hy",
        45: "id",
        46: "is",
        47: "jv",
        48: "ka",
        49: "kk",
        50: "km",
        51: "kn",
        52: "la",
        53: "lb",
        54: "ln",
        55: "lo",
        56: "lt",
        57: "lv",
        58: "mg",
        59: "mi",
        60: "mk",
        61: "ml",
        62: "mn",
        63: "mr",
        64: "ms",
        65: "mt",
        66: "my",
        67: "ne",
        68: "nl",
        69: "nn",
        70: "no",
        71: "oc",
        72: "pa",
        73: "pl",
        74: "ps",
        75: "ro",
        76: "sa",
        77: "sd",
        78: "si",
        79: "sk",
        80: "sl",
        81: "sn",
        82: "so",
        83: "sq",
        84: "sr",
        85: "su",
        86: "sv",
        87: "sw",
        88: "ta",
        89: "te",
        90: "tg",
        91: "th",
        92: "tk",
        93: "tr",
        94: "tt",
        95: "uk",
        96: "ur",
        97: "uz",
        98: "vi",
        99: "yi",
        100: "yo",
        101: "yue",
    }
)

_CODES = MappingProxyType({language: code for code, language in BOOK.items()})


def code_of(language: str) -> int:
    """The number of a canonical tag; a KeyError says that the book has none for it."""
    try:
        return _CODES[language]
    except KeyError:
        raise KeyError(f"code book {CODEBOOK_VERSION} has no number for {language!r}") from None


def language_of(code: int) -> str:
    """The canonical tag of a number; a KeyError says that the book does not hold it."""
    try:
        return BOOK[code]
    except KeyError:
        raise KeyError(
            f"code book {CODEBOOK_VERSION} holds no number {code}; a newer book may"
        ) from None
