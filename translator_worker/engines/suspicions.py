"""Tells a translation that cannot be right from its looks; pure, and knows no language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.model.languages import script_of
from translator_worker.engines.letters import is_written_in

_RATIO = (0.2, 4.0)  # bytes out ÷ bytes in; outside of it something was lost or invented
_RATIO_FROM = 40  # bytes of UTF-8, which say as much in Chinese as in English, unlike tokens
_NUMBER = re.compile(r"\d{2,}")  # a single digit may be written as a word
_FEW = 3  # words: a name, a title, a command may be the same in any language


def length_is_strange(source: str, text: str) -> bool:
    """Whether so much or so little came out that it cannot be the same sentence."""
    if not text:
        return any(character.isalnum() for character in source)
    before, after = len(source.encode()), len(text.encode())
    return max(before, after) >= _RATIO_FROM and not _RATIO[0] <= after / before <= _RATIO[1]


def is_unchanged(text: str, translation: str, source: str, target: str) -> bool:
    """Whether words came back as they were and should not have: they are not in the script of the
    target, or they are more than one, and so hardly the same in both languages."""
    if _plain(text) != _plain(translation):
        return False
    if script_of(source) == script_of(target):
        return len(text.split()) > 1
    return not is_written_in(text, script_of(target))


def may_stay(text: str, source: str, target: str) -> bool:
    """Whether words that are never translated may be kept, with a flag: the two languages share a
    script, so that it may be a quotation, or there are few words, which may be a name."""
    if script_of(source) == script_of(target):
        return True
    return script_of(source) == "Latn" and len(text.split()) <= _FEW


def crossed(pairs: Mapping[int, tuple[str, str]]) -> set[int]:
    """The numbers of those (text, translation) that seem to stand in each other's place: a number
    of the one is missing in its translation and stands in another's, whose text lacks it."""
    wanted = {key: set(_NUMBER.findall(text)) for key, (text, _) in pairs.items()}
    given = {key: set(_NUMBER.findall(translation)) for key, (_, translation) in pairs.items()}
    found: set[int] = set()
    for one, numbers in wanted.items():
        if not numbers or numbers & given[one]:
            continue
        others = {key for key in pairs if numbers <= given[key] - wanted[key]}
        found |= {one, *others} if others else set()
    return found


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
