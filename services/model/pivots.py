"""Translators through a third language: what follows from the two that they are made of; pure."""

from __future__ import annotations

from typing import Any

from services.model.catalog import ModelEntry
from services.model.languages import LANGUAGES


def chained(entry: ModelEntry) -> ModelEntry:
    """An entry with all that follows from its two hops: what it serves, needs, is licensed for.

    Of pairs that it names itself it keeps those. Raises ValueError where the hops do not serve
    what it says, or nothing.
    """
    first, second = entry.hops
    for hop in entry.hops:
        if hop.kind != "translate" or hop.engine != "ctranslate2":
            raise ValueError(f"{hop.name} cannot be a hop: only translators of ctranslate2 can")
    through = entry.pivot
    sources = [tag for tag in LANGUAGES if first.asked(tag, through) == (tag, through)]
    targets = [tag for tag in LANGUAGES if second.asked(through, tag) == (through, tag)]
    pairs = [(a, b) for a in sources for b in targets if a != b]
    if missing := [pair for pair in entry.pairs if pair not in pairs]:
        raise ValueError(f"{entry.name} cannot serve {missing[0]} through {through}")
    if not pairs:
        raise ValueError(f"{first.name} and {second.name} do not meet in {through or 'a pivot'}")
    return entry.model_copy(update={"pairs": entry.pairs or pairs, **_costs(entry)})


def _costs(entry: ModelEntry) -> dict[str, Any]:
    """Both are in memory at once; one that is both hops is there once."""
    hops = list({hop.name: hop for hop in entry.hops}.values())
    licences = dict.fromkeys(hop.licence for hop in hops if hop.licence)
    return {
        "memory_mb": entry.memory_mb or sum(hop.memory_mb for hop in hops),
        "size_mb": entry.size_mb or sum(hop.size_mb for hop in hops),
        "licence": entry.licence or " and ".join(licences),
    }
