"""What every translation engine offers: rows in, as many sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.model.transcript import join_texts
from translator_worker.glossary import Terms


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence to translate, with its own languages: those beside it may have others."""

    text: str
    source: str
    target: str
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """One sentence; `flags` say what looks wrong with it, as docs/translation-models.md lists."""

    text: str
    flags: list[str] = field(default_factory=list)


class Engine(Protocol):
    """A loaded model. An answer stands where its row stood, and depends on no other row; a blank
    one stays blank. Engines that are equal may do each other's rows."""

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]: ...


def joined(parts: Sequence[Translation], target: str) -> Translation:
    """The translation of a sentence that was translated in pieces."""
    flags = dict.fromkeys(flag for part in parts for flag in part.flags)
    return Translation(join_texts([part.text for part in parts], target), list(flags))
