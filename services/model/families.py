"""How each family of translation models is told the languages: by which tokens, and where; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.model.errors import FailureClass, JobFailed
from services.model.languages import (
    LANGUAGES,
    m2m_code,
    madlad_code,
    marian_codes,
    nllb_code,
)

END = "</s>"

FamilyName = Literal["demo", "marian", "m2m100", "nllb", "madlad"]

_NO_WORDS = re.compile(r"</?s>|<pad>|<unk>|<mask>|<extra_id_\d+>|madeupword\d+")


@dataclass(frozen=True, slots=True)
class Family:
    """`tokens` of a language, the most exact first; a model knows one of them, or none. Where the
    target `begins` the translation, the source stands before what is translated, else the target
    does, behind the pieces `lead` that its tokenizer puts before every token of that kind. One
    with `single` models may have no such tokens: it translates one pair. `mark` is the shape of
    the tokens. `positions` are how many tokens a text may have.
    """

    name: FamilyName
    tokens: Callable[[str], Sequence[str]]
    mark: re.Pattern[str]
    positions: int
    begins: bool = True
    lead: tuple[str, ...] = ()
    single: bool = False


def _each(form: str, *codes: str | None) -> list[str]:
    return [form.format(code) for code in codes if code]


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family("demo", lambda tag: _each("__{}__", tag), re.compile(r"__[\w-]+__"), 256),
        Family(
            "m2m100", lambda tag: _each("__{}__", m2m_code(tag)), re.compile(r"__[a-z]+__"), 1024
        ),
        Family(
            "nllb",
            lambda tag: _each("{}", nllb_code(tag)),
            re.compile(r"[a-z]{3}_[A-Z][a-z]{3}"),
            1024,
        ),
        Family(
            "madlad",  # positions are relative: it has no limit of its own
            lambda tag: _each("<2{}>", madlad_code(tag)),
            re.compile(r"<2[\w-]+>"),
            1024,
            begins=False,
            lead=("▁",),  # `<2de> Text` is read as ▁ <2de> ▁Text
        ),
        Family(
            "marian",
            lambda tag: _each(">>{}<<", *marian_codes(tag)),
            re.compile(r">>[\w-]+<<"),
            512,
            begins=False,
            single=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The tokens `before` what is translated, and those that its translation `begins` with."""

    before: list[str]
    begins: list[str]


class Markup:
    """The markup of one model: its family, what its vocabulary has of that, and `given` tokens by
    language, where a model calls one unlike all others do."""

    def __init__(
        self, family: Family, vocabulary: Iterable[str], given: Mapping[str, str] | None = None
    ) -> None:
        self.family = family
        self._given = given or {}
        known = frozenset(vocabulary)
        self._known = known
        self._marks = frozenset(token for token in known if family.mark.fullmatch(token))

    def of(self, source: str, target: str) -> Marks:
        """The marks of a row. Raises JobFailed `pair_not_served`, as a token that the model does
        not know would let it write whatever language it likes."""
        if self.family.begins:
            return Marks([self._needed(source)], [self._needed(target)])
        if self.family.single and not self._marks:
            return Marks([], [])
        return Marks([*self.family.lead, self._needed(target)], [])

    def languages(self) -> list[str]:
        """All that it has a token of."""
        return [tag for tag in LANGUAGES if self._token(tag)]

    def is_mark(self, token: str) -> bool:
        """Whether it is no part of a text, wherever it stands."""
        return token in self._marks or bool(_NO_WORDS.fullmatch(token))

    def knows(self, token: str) -> bool:
        """Whether the model can tell it from others that it does not know."""
        return token in self._known

    def _token(self, language: str) -> str | None:
        named = [self._given[language]] if language in self._given else []
        tokens = (*named, *self.family.tokens(language))
        return next((token for token in tokens if token in self._known), None)

    def _needed(self, language: str) -> str:
        token = self._token(language)
        if token is None:
            tried = ", ".join(self.family.tokens(language)) or "none of its family"
            raise JobFailed(
                FailureClass.PERMANENT,
                "pair_not_served",
                f"The model has no token for {language} ({tried}): take it out of the model's "
                "languages in the catalog, or name the token in its fanscribe.json.",
            )
        return token


def guessed(vocabulary: Iterable[str]) -> FamilyName | None:
    """The family of a model that does not say it, by the tokens of English; None if those of no
    family, or of a model of one pair, which has none."""
    known = frozenset(vocabulary)
    for name in ("nllb", "m2m100", "madlad"):
        if any(token in known for token in FAMILIES[name].tokens("en")):
            return FAMILIES[name].name
    mark = FAMILIES["marian"].mark
    return "marian" if any(mark.fullmatch(token) for token in known) else None
