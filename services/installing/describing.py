"""What a translation model shows of itself: its family, and what it translates into what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from services.model.errors import Invalid
from services.model.families import FAMILIES, Markup, guessed
from services.model.languages import parse_language
from services.model_description import Description, read_description, read_vocabulary

_OPUS = re.compile(r"opus-mt-(?:tc-[a-z0-9]+-)?([A-Za-z]{2,3})-([A-Za-z]{2,3})(?![A-Za-z])")


def describe(
    name: str, folder: Path, *, sources: Sequence[str] = (), targets: Sequence[str] = ()
) -> Description:
    """By its vocabulary and, of Marian's, by its name, as in opus-mt-en-de. What is stated of
    `sources` and `targets` holds. Neither languages nor pairs where nothing tells them."""
    about = read_description(folder)
    vocabulary = read_vocabulary(folder)
    family = about.family or guessed(vocabulary) or "marian"
    if family not in FAMILIES:
        return about
    markup = Markup(FAMILIES[family], vocabulary, about.tokens)
    known = markup.languages()
    about = about.model_copy(update={"family": family})
    if not (sources or targets) and not FAMILIES[family].single:
        return about.model_copy(update={"languages": known})
    named_source, named_target = _named(name)
    if FAMILIES[family].single:
        sources = sources or named_source
        targets = targets or known or named_target
    pairs = [(a, b) for a in sources or known for b in targets or known if a != b]
    return about.model_copy(update={"languages": [], "pairs": pairs} if pairs else {})


def _named(name: str) -> tuple[list[str], list[str]]:
    found = _OPUS.search(name)
    if found is None:
        return [], []
    source, target = (_language(code) for code in found.groups())
    return source, target


def _language(code: str) -> list[str]:
    """None for the groups that models are named by, such as mul and ROMANCE."""
    try:
        return [parse_language(code, field="name")]
    except Invalid:
        return []
