"""How terms are translated: what a caller says of them, what a worker is told, what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import Field

from services.model.hotwords import Term
from services.model.values import Stored, Value

MAX_TRANSLATION = 200  # characters
MAX_PAIR = 64 * 1024  # bytes of UTF-8, terms and translations of one pair of languages
SHOWN = 100  # terms of a translation that are told of


class Entry(Term):
    """A term as a list keeps it. `translations` are by target language; with `keep` it stays as it
    stands in every other one. `language` is its own, None for any."""

    language: str | None = None
    translations: dict[str, str] = Field(default_factory=dict)
    keep: bool = False
    case_sensitive: bool = False


class Rule(Value):
    """Of one pair of languages: where `term` stands, the translation has `put`, or without it the
    term as it stands."""

    term: str
    put: str | None = None
    case_sensitive: bool = False


class Glossary(Stored):
    """The terms of a task. `taken_from` are the stored lists, with their revisions, that some of
    them were copied from."""

    terms: list[Entry]
    taken_from: list[str] = Field(default_factory=list)

    def rules(self, source: str, target: str) -> list[Rule]:
        """Those of one pair."""
        return [
            Rule(
                term=entry.text,
                put=entry.translations.get(target),
                case_sensitive=entry.case_sensitive,
            )
            for entry in self.terms
            if entry.language in {None, source} and (entry.keep or target in entry.translations)
        ]


def size_of(rules: Iterable[Rule]) -> int:
    """Bytes of their texts."""
    return sum(len(rule.term.encode()) + len((rule.put or "").encode()) for rule in rules)


class TermUse(Stored):
    """How often a term stood in the source."""

    term: str
    times: int


class GlossaryUse(Stored):
    """What came of a glossary in one translation: `sentences` had a term. `applied` are translated
    as was asked for, `missed` are not; of each the most frequent 100, and `more` are left out."""

    sentences: int = 0
    applied: list[TermUse] = Field(default_factory=list)
    missed: list[TermUse] = Field(default_factory=list)
    more: int = 0


def used(sentences: Iterable[tuple[Sequence[str], Sequence[str]]]) -> GlossaryUse:
    """Of the terms that were applied and missed in each sentence."""
    with_terms = [(applied, missed) for applied, missed in sentences if applied or missed]
    return _told(
        len(with_terms),
        Counter(term for applied, _ in with_terms for term in applied),
        Counter(term for _, missed in with_terms for term in missed),
    )


def joined(parts: Iterable[GlossaryUse]) -> GlossaryUse | None:
    """Of a whole translation, from its parts."""
    found = list(parts)
    if not found:
        return None
    applied: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for part in found:
        applied.update({each.term: each.times for each in part.applied})
        missed.update({each.term: each.times for each in part.missed})
    whole = _told(sum(part.sentences for part in found), applied, missed)
    return whole.model_copy(update={"more": whole.more + sum(part.more for part in found)})


def _told(sentences: int, applied: Counter[str], missed: Counter[str]) -> GlossaryUse:
    return GlossaryUse(
        sentences=sentences,
        applied=[TermUse(term=term, times=n) for term, n in applied.most_common(SHOWN)],
        missed=[TermUse(term=term, times=n) for term, n in missed.most_common(SHOWN)],
        more=max(0, len(applied) - SHOWN) + max(0, len(missed) - SHOWN),
    )
