"""Finds the terms of a glossary in a sentence, and says whether its translation has them; pure.

A term stands as whole words, in whatever case unless it says otherwise; in scripts without spaces
anywhere. No other form of a word is guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from services.model.glossary import Rule
from services.spans import Kind, Span, besides, spans_in

# Scripts without spaces, and Korean, whose particles stand right behind a word.
_ANYWHERE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs and accents of the scripts that write them as characters of their own.
_MARKS = "".join(c for c in map(chr, range(0x300, 0x2000)) if unicodedata.category(c)[0] == "M")
_LETTER = rf"(?:[^\W{_ANYWHERE}]|[{_MARKS}])"  # one that must not stand beside a term …
_FREE = rf"(?:[{_ANYWHERE}]|[^\w{_MARKS}])"  # … unless the term has one of these there


class Terms:
    """The rules of one pair of languages, of which only those are looked for that occur."""

    def __init__(self, rules: Iterable[Rule], texts: Iterable[str]) -> None:
        whole = _folded("\n".join(texts))
        found = [rule for rule in rules if (term := _folded(rule.term)) and term in whole]
        self._exact = {_squeezed(rule.term): rule for rule in reversed(found)}
        self._any_case = {
            _folded(rule.term): rule for rule in reversed(found) if not rule.case_sensitive
        }
        self._pattern = _pattern(found) if found else None

    def spans_in(self, text: str, protected: Sequence[Span] = ()) -> list[Span]:
        """Where terms stand that are in no protected span, the longest first, left to right."""
        if self._pattern is None:
            return []
        hits = [span for match in self._pattern.finditer(text) if (span := self._span(match))]
        return [span for span in besides(protected, hits) if span.kind is Kind.TERM]

    def judged(self, text: str, translation: str) -> tuple[list[str], list[str]]:
        """The terms of a text that its translation has as was asked for, and those that it has
        not."""
        text = composed(text)
        spans = self.spans_in(text, spans_in(text))
        applied = [span.term for span in spans]
        lacking = missed(spans, translation)
        for term in lacking:
            applied.remove(term)
        return applied, lacking

    def rules_in(self, texts: Iterable[str]) -> dict[str, str]:
        """Term → translation, as they are told to a chat model."""
        return {span.term: span.put for text in texts for span in self.spans_in(text)}

    def _span(self, match: re.Match[str]) -> Span | None:
        found = match.group()
        rule = self._exact.get(_squeezed(found)) or self._any_case.get(_folded(found))
        if rule is None:
            return None
        put = found if rule.put is None else rule.put
        return Span(match.start(), match.end(), put, Kind.TERM, term=rule.term)


def missed(spans: Sequence[Span], translation: str) -> list[str]:
    """The terms whose translation is not there as often as they stand in the text."""
    there = translation.casefold()
    wanted: dict[str, list[str]] = {}
    for span in spans:
        wanted.setdefault(span.put.casefold(), []).append(span.term)
    return [term for put, terms in wanted.items() for term in terms[there.count(put) :]]


def _pattern(rules: Iterable[Rule]) -> re.Pattern[str]:
    """Any of the terms, the longest first, where no letter of its script goes on before or
    behind it."""
    by_length = sorted(rules, key=lambda rule: len(rule.term), reverse=True)
    terms = "|".join(map(_written, by_length))
    return re.compile(f"(?:(?<!{_LETTER})|(?={_FREE}))(?:{terms})(?:(?!{_LETTER})|(?<={_FREE}))")


def _written(rule: Rule) -> str:
    words = r"\s+".join(map(re.escape, _squeezed(rule.term).split(" ")))
    return words if rule.case_sensitive else f"(?i:{words})"


def composed(text: str) -> str:
    """As the rules are held against it."""
    return unicodedata.normalize("NFC", text)


def _squeezed(text: str) -> str:
    return composed(" ".join(text.split()))


def _folded(text: str) -> str:
    return _squeezed(text).casefold()
