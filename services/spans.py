"""Finds what of a text is no language: links, addresses, placeholders of programs, markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

# Every repetition has an end or one way only to match: a hostile text costs no more than its
# length. A link ends at the scripts that are written without spaces, which may go on right there.
_FOREIGN = "\u3000-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"
_LINK = rf"(?:(?:https?|ftp)://|\bwww\.(?=\w))[^\s<>\"`{_FOREIGN}]{{1,2000}}"
_MAIL = (
    r"(?<![A-Za-z0-9._%+-])(?:mailto:)?[A-Za-z0-9._%+-]{1,64}"
    r"@[A-Za-z0-9][A-Za-z0-9.-]{0,250}\.[A-Za-z]{2,24}"
)
_BRACES = r"\{\{[^{}\n]{1,100}\}\}|\$\{[^{}\s]{1,100}\}|\{\\[^{}\n]{1,100}\}|\{[\w.:!\[\]-]{0,60}\}"
_FORMAT = r"[-+#0]{0,4}\d{0,4}(?:\.\d{1,4})?(?:hh|ll|[hlLzjt])?[diouxXeEfFgGcrsa@](?!\w)"
_PERCENT = rf"(?<![\d%])%(?:\(\w{{1,60}}\)|[1-9]\d?\$)?{_FORMAT}|%[A-Z_][A-Z0-9_]{{1,40}}%"
_VARIABLE = r"\$[A-Za-z_][A-Za-z0-9_]{0,60}"
_TAG = r"</?[A-Za-z][\w:-]{0,40}(?:\s[^<>]{0,1000})?/?>"
_ENTITY = r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});"

_ANY = re.compile(
    f"(?P<markup>{_TAG}|{_ENTITY})|(?P<link>{_LINK})|(?P<mail>{_MAIL})"
    f"|(?P<placeholder>{_BRACES}|{_PERCENT}|{_VARIABLE})"
)
_TRAILING = ".,;:!?'*_~…"  # of a link: what ends the sentence, not the link
_CLOSING = {")": "(", "]": "[", "}": "{"}
_POSITIONAL = re.compile(r"\{\}|%[^(%$]*")  # they mean the next argument: their order counts


class Kind(Enum):
    """What stands there. All but markup takes the place of a word."""

    LINK = auto()
    MAIL = auto()
    PLACEHOLDER = auto()
    MARKUP = auto()
    NUMBER = auto()
    TERM = auto()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, and what stands for it in the translation; `term` is that of the
    glossary which asks for it."""

    start: int
    end: int
    put: str
    kind: Kind
    term: str = ""

    @property
    def ordered(self) -> bool:
        """Whether it may not change places with others of which this is true."""
        if self.kind is Kind.PLACEHOLDER:
            return _POSITIONAL.fullmatch(self.put) is not None
        return self.kind is Kind.MARKUP


def spans_in(text: str) -> list[Span]:
    """From left to right; none overlaps another, and each stands for itself."""
    return [_span(match) for match in _ANY.finditer(text)]


def besides(spans: Iterable[Span], more: Iterable[Span]) -> list[Span]:
    """The spans, and those of `more` that overlap none of them, from left to right."""
    kept = sorted(spans, key=lambda span: span.start)
    free: list[Span] = []
    waiting = iter(kept)
    following = next(waiting, None)
    for span in sorted(more, key=lambda span: span.start):
        while following is not None and following.end <= span.start:
            following = next(waiting, None)
        if following is None or span.end <= following.start:
            free.append(span)
    return sorted([*kept, *free], key=lambda span: span.start)


def _span(match: re.Match[str]) -> Span:
    kind = Kind[(match.lastgroup or "").upper()]
    found = match.group()
    if kind is Kind.LINK:
        found = _trimmed(found)
    return Span(match.start(), match.start() + len(found), found, kind)


def _trimmed(link: str) -> str:
    """Without the stop behind it, and without a bracket that was opened before it."""
    while link[-1] in _TRAILING or _is_foreign_bracket(link):
        link = link[:-1]
    return link


def _is_foreign_bracket(link: str) -> bool:
    opening = _CLOSING.get(link[-1])
    return opening is not None and link.count(opening) < link.count(link[-1])
