"""Chinese is written in two scripts: what is to be had in the one is to be had in the other.

`zh` is Chinese in Simplified characters, `zh-Hant` in Traditional ones; a model may know only one
of the two. Here is decided what it is asked for then; services.chinese converts. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

SIMPLIFIED = "zh"
TRADITIONAL = "zh-Hant"

_OTHER = {SIMPLIFIED: TRADITIONAL, TRADITIONAL: SIMPLIFIED}


def other_script(language: str) -> str | None:
    """The same language in its other script; None for a language that has but one here."""
    return _OTHER.get(language)


def is_same_speech(one: str, other: str) -> bool:
    """Whether two languages sound the same, however they are written."""
    return one == other or other_script(one) == other


def asked(source: str, target: str, knows: Callable[[str, str], bool]) -> tuple[str, str] | None:
    """The pair that a translator is asked for where `source` is wanted in `target`: the pair
    itself if it `knows` that, else one in other scripts. None if it knows no such pair."""
    if is_same_speech(source, target):
        return (source, target) if source != target and knows(source, target) else None
    return next(
        (
            (one, other)
            for one in _scripts(source)
            for other in _scripts(target)
            if knows(one, other)
        ),
        None,
    )


def _scripts(language: str) -> list[str]:
    other = other_script(language)
    return [language] if other is None else [language, other]
